"""A chat, put together: the terminal made quiet, the prompt shown, and only then the editor loaded behind it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from streamchat.config.settings import Settings
from streamchat.repl.again import show_last
from streamchat.repl.early import PROMPT, Early, shown
from streamchat.repl.editing import leave
from streamchat.repl.terminal import Terminal, is_dumb
from streamchat.session import Session
from streamchat.views.choose import Look
from streamchat.views.plain import fitted
from streamchat.views.safe import safe

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl
    from streamchat.repl.prompt import Prompt


@contextmanager
def started(
    session: Session,
    settings: Settings,
    look: Look,
    *,
    keyboard: TextIO,
    extra: dict[str, Any],
    directory: Path | None,
    first: str = "",
) -> Iterator["Repl"]:
    """A chat that is ready to run, on the terminal that `keyboard` is. `first` is the first message, if there is one.

    The rest is as Repl takes it.
    """
    out = sys.stdout
    plain = look.accessible or not out.isatty() or is_dumb()
    early = shown()
    with nullcontext(early.terminal) if early else Terminal(keyboard.fileno()) as terminal:
        if not first:
            _headline(session, out, early, stays=not plain and session.conversation.last is None)
        from streamchat.repl.loop import Repl

        prompt = _lines if plain else _editor
        repl = Repl(
            session,
            settings,
            look,
            terminal=terminal,
            prompt=lambda repl: prompt(repl, keyboard, early),
            out=out,
            extra=extra,
            directory=directory,
        )
        if first:
            repl.typing.queue.append(repl.pastes.fold(first))
        elif session.conversation.last is not None:
            show_last(repl)
        yield repl


def _headline(session: Session, out: TextIO, early: Early | None, *, stays: bool) -> None:
    """Whom a person talks to, and below it the prompt, if it is one that `stays` when the editor comes."""
    whom = " · ".join(filter(None, (session.provider.name, session.model)))
    line = fitted(safe(f"{whom}   /help: commands and keys, Ctrl+D: leave\n"), out)
    if early and stays:
        early.headline(line)
        return
    if early:
        early.erase()
    out.write(line + (PROMPT if stays else ""))
    out.flush()  # seen before the editor is loaded; what is typed meanwhile waits for it


def _editor(repl: "Repl", keyboard: TextIO, early: Early | None) -> "Prompt":
    from streamchat.history.redaction import patterns
    from streamchat.repl.completion import Completions
    from streamchat.repl.editor import Editor
    from streamchat.repl.past import Past

    kept = repl.settings.files.state / "prompt_history" if repl.settings.history.save else None
    editor = Editor(
        repl.terminal,
        repl.out,
        keyboard,
        history=Past(kept, whole=repl.pastes.unfold, redact=patterns(repl.settings.history.redact)),
        completer=Completions(repl),
        pastes=repl.pastes,
        state=repl.state,
        vi=repl.settings.ui.keymap == "vi",
        color=repl.look.color != "never",
    )
    editor.reasoning, editor.cleared = repl.show_reasoning, lambda: leave(repl)
    if early:
        editor.early = early.take
    return editor


def _lines(repl: "Repl", keyboard: TextIO, early: Early | None) -> "Prompt":
    from streamchat.repl.lines import Lines

    lines = Lines(repl.terminal, repl.stop, repl.out, keyboard, early=early.take() if early else b"")
    lines.cleared = lambda: leave(repl)
    return lines
