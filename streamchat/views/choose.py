"""Which view shows an answer: decided once, from where it goes and what was asked for."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Literal, TextIO

from msgspec import Struct, structs

from streamchat.errors import UsageError
from streamchat.views.base import Tell, Typed, View, quiet
from streamchat.views.plain import Extracted, PlainView, Safe, Step, Wrapped
from streamchat.views.tty import moves_cursor

if TYPE_CHECKING:
    from streamchat.views.panel import LiveView

Format = Literal["text", "markdown", "json", "jsonl"]
CODE_THEMES = {"dark": "ansi_dark", "light": "ansi_light"}
"""The colours of code on each background: the terminal's own, so that they fit its palette."""
FORMATS: tuple[Format, ...] = ("text", "markdown", "json", "jsonl")


class Look(Struct, frozen=True):
    """How an answer is to look. `format` None means Markdown on a terminal and text everywhere else.

    `usage` gives the footer all of its figures; `extract` is what `Wanted.parse` takes: nothing but that code is shown;
    `code` is for an answer that is no Markdown.
    """

    format: str | None = None
    raw: bool = False
    plain: bool = False
    safe: bool = False
    stream: bool = True
    color: Literal["auto", "always", "never"] = "auto"
    reasoning: Literal["fold", "show", "hide"] = "fold"
    footer: bool = True
    usage: bool = False
    extract: str | None = None
    code: bool = False
    code_theme: str = ""
    theme: Literal["auto", "dark", "light"] = "auto"
    width: int = 0
    accessible: bool = False


def choose(
    look: Look,
    out: TextIO,
    *,
    title: str = "",
    note: str | None = None,
    below: Callable[[], Typed] | None = None,
    tell: Tell = quiet,
) -> View:
    """The view for `out`; `below` is what is typed meanwhile, as `LiveMarkdown` shows it, and `tell` takes the lines
    that a view without a status line has for the person.

    UsageError for a format that there is not.
    """
    if look.format is not None and look.format not in FORMATS:
        raise UsageError(f"there is no format {look.format!r}", f"Formats: {', '.join(FORMATS)}.")
    if look.extract and look.format not in (None, "text"):
        raise UsageError(f"--extract gives code, not {look.format}")
    if look.format in ("json", "jsonl"):
        return _for_programs(look.format, out.buffer, tell)
    terminal = out.isatty()
    if is_rendered(look, out):
        return _rendered(look, out, title=title, note=note, below=below, tell=tell)
    return PlainView(out.buffer, passing=_steps(look, out if terminal else None), tell=tell)


def themed(look: Look, out: TextIO) -> Look:
    """The look with its code theme decided: the one that was set, else that of a dark or a light background.

    The terminal is asked only where Markdown in colours will be shown on it. Ask before anything reads the keyboard.
    """
    if look.code_theme or look.color == "never" or not (out.isatty() and is_rendered(look, out)):
        return look
    from streamchat.views.background import background

    theme = background() if look.theme == "auto" else look.theme
    return structs.replace(look, theme=theme, code_theme=CODE_THEMES[theme])


def is_rendered(look: Look, out: TextIO) -> bool:
    """Whether an answer is shown as Markdown there, and not as text."""
    if look.format is not None:
        return look.format == "markdown"
    return out.isatty() and not (look.raw or look.plain or look.extract or look.code)


def shows_footer(look: Look, out: TextIO) -> bool:
    """Whether the figures stand under the answer."""
    return look.footer and out.isatty() and is_rendered(look, out)


def _for_programs(name: str, out: BinaryIO, tell: Tell) -> View:
    from streamchat.views.jsonl import JsonLinesView, JsonView

    return JsonLinesView(out) if name == "jsonl" else JsonView(out, tell=tell)


def _rendered(
    look: Look,
    out: TextIO,
    *,
    title: str,
    note: str | None,
    below: Callable[[], Typed] | None,
    tell: Tell,
) -> View:
    if look.accessible and out.isatty() and look.stream:
        from streamchat.views.spoken import SpokenView

        return SpokenView(out.buffer, title=title, note=note, footer=shows_footer(look, out), tell=tell)

    def load() -> "LiveView":
        from streamchat.views.panel import LiveView

        return LiveView(
            out,
            title=title,
            note=note,
            color=look.color,
            reasoning=look.reasoning,
            footer=shows_footer(look, out),
            usage=look.usage,
            code_theme=look.code_theme,
            width=look.width or None,
            mode=None if look.stream and not look.accessible else ("blocks" if look.stream else "whole"),
            below=below,
        )

    if below is None and look.stream and not look.accessible and moves_cursor(out):
        from streamchat.views.first import FirstView

        return FirstView(out, load, width=look.width)
    return load()


def _steps(look: Look, terminal: TextIO | None) -> tuple[Step, ...]:
    """What the text goes through: nothing for --raw and for a pipe, made safe for a terminal, wrapped for --plain."""
    steps: list[Step] = [Extracted(look.extract)] if look.extract else []
    if look.raw:
        return tuple(steps)
    if terminal or look.safe:
        steps.append(Safe())
    if look.plain and terminal:
        steps.append(Wrapped(look.width or os.get_terminal_size(terminal.fileno()).columns))
    return tuple(steps)
