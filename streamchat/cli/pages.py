"""A command's help as a page: examples that work first, then its options by what they are for. Rich is not needed.

A page that would not fit a screen shows the everyday options; `streamchat help COMMAND` shows every one.
"""

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, Final

ROWS: Final = 23
"""A screen of 24 lines, the next prompt on one of them."""
WIDEST: Final = 80
EVERYDAY: Final = frozenset((
    "model", "system", "profile", "file", "continue_", "resume", "extract", "hide_reasoning", "usage",
    "quiet", "output", "no_save",
))  # fmt: skip
"""The options that a page too long for a screen still shows, by their parameters' names."""

Row = tuple[str, str]


def shape(command: Any) -> Any:
    """The command (and those below it) with its help as such a page."""
    command.get_help = lambda context: page(command, context)
    for below in getattr(command, "commands", {}).values():
        shape(below)
    return command


def page(command: Any, context: Any, *, every: bool = False, width: int = 0) -> str:
    """The help of a command; `every` shows all options however many, `width` 0 is the terminal's up to 80 columns."""
    width = width or min(WIDEST, shutil.get_terminal_size().columns)
    whole = _page(command, context, sections(command, context), width)
    if every or len(whole) <= ROWS:
        return "\n".join(whole)
    if any(_commands(command)):
        parts = [part for part in sections(command, context) if part[0] != "Options" or len(part[1]) > 1]
        room = width - _column(parts)
        short = [(heading, [_cut(row, room) for row in rows]) for heading, rows in parts]
        return "\n".join(_page(command, context, short, width))
    kept = sections(command, context, only=EVERYDAY)
    if not any(rows for _, rows in kept):
        return "\n".join(whole)
    more = f"Every option: streamchat help {context.command_path.partition(' ')[2]}"
    return "\n".join([*_page(command, context, kept, width, spaced=False), "", more])


def sections(command: Any, context: Any, *, only: Iterable[str] = ()) -> list[tuple[str, list[Row]]]:
    """The parameters and commands below, as (heading, rows), in the order in which they were written down."""
    found: dict[str, list[Row]] = {}
    for parameter in command.get_params(context):
        if only and parameter.name not in only:
            continue
        if row := _row(parameter, context):
            plain = "Arguments" if parameter.param_type_name == "argument" else "Options"
            found.setdefault(getattr(parameter, "rich_help_panel", None) or plain, []).append(row)
    if "Options" in found:
        found["Options"] = found.pop("Options")  # last
    commands = list(_commands(command))
    return [*found.items(), *([("Commands", commands)] if commands else [])]


def paragraphs(command: Any) -> list[tuple[str, bool]]:
    """What a command says of itself: paragraphs, each with whether it stands as it is (examples do)."""
    parts = [part for part in re.split(r"\n\s*\n", (command.help or "").strip("\n")) if part.strip()]
    return [
        (part.lstrip().removeprefix("\b").strip("\n"), True)
        if part.lstrip().startswith("\b")
        else (" ".join(part.split()), False)
        for part in parts
    ]


def usage(command: Any, context: Any) -> str:
    """How a command is written: its name, then what goes behind it."""
    arguments = [name for parameter in command.get_params(context) if (name := _argument(parameter))]
    below = ["COMMAND"] if list(_commands(command)) else []
    return " ".join([context.command_path, "[OPTIONS]", *arguments, *below])


def _page(
    command: Any, context: Any, parts: list[tuple[str, list[Row]]], width: int, *, spaced: bool = True
) -> list[str]:
    lines = textwrap.wrap(f"Usage: {usage(command, context)}", width, subsequent_indent="       ")
    lines.append("")
    told = paragraphs(command)
    for index, (text, as_it_is) in enumerate(told):
        lines += text.split("\n") if as_it_is else textwrap.wrap(text, width)
        if not (index + 1 < len(told) and told[index + 1][1]):
            lines.append("")
    column = _column(parts)
    for heading, rows in parts:
        lines += [f"{heading}:", *(line for row in rows for line in _laid_out(row, column, width))]
        lines += [""] if spaced else []
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _laid_out(row: Row, column: int, width: int) -> Iterator[str]:
    name, text = row
    told = textwrap.wrap(text, max(20, width - column)) or [""]
    if len(name) + 4 > column:
        yield f"  {name}"
    else:
        yield f"  {name:<{column - 2}}{told.pop(0)}".rstrip()
    yield from (" " * column + line for line in told if line)


def _column(parts: list[tuple[str, list[Row]]]) -> int:
    """Where the explanations begin."""
    return min(30, max((len(name) for _, rows in parts for name, _ in rows), default=0)) + 4


def _cut(row: Row, room: int) -> Row:
    """The row with what has room on one line; its own page says the rest."""
    return (row[0], row[1] if len(row[1]) <= room else textwrap.shorten(row[1], room, placeholder=" …"))


def _row(parameter: Any, context: Any) -> Row | None:
    if getattr(parameter, "hidden", False):
        return None
    if parameter.param_type_name == "argument":
        text = getattr(parameter, "help", "") or ""
        return (_argument(parameter), text.strip()) if text else None
    record = parameter.get_help_record(context)
    return (record[0], " ".join(record[1].split())) if record else None


def _argument(parameter: Any) -> str:
    if parameter.param_type_name != "argument":
        return ""
    name: str = parameter.metavar or parameter.name.upper()
    return name


def _commands(command: Any) -> Iterator[Row]:
    lines = getattr(command, "lines", None)  # the top: its commands are not imported for their line
    if lines is not None:
        yield from lines.items()
        return
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            first = next((text for text, as_it_is in paragraphs(below) if not as_it_is), "")
            yield name, re.split(r"(?<=[.;:])\s", first)[0].rstrip(".;:") + "."
