"""Rendering without a terminal: lines as letters and what each looks like, for our engine and for Rich."""

import io
import re
from collections.abc import Iterable

from rich.console import Console
from rich.markdown import Markdown
from rich.segment import Segment
from rich.style import Style

from streamchat.views.blocks import Blocks
from streamchat.views.elements import Line
from streamchat.views.markdown import Sheet

Letters = list[tuple[str, str]]
"""A line: each letter and its style, without the blanks at the end."""


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor", legacy_windows=False)


def letters(lines: Iterable[Line]) -> list[Letters]:
    result = []
    for line in lines:
        found = [(letter, _look(s.style)) for s in line if not s.control for letter in s.text]
        while found and found[-1][0] == " " and not re.search(r"\b(on|underline|strike|reverse)\b", found[-1][1]):
            found.pop()
        result.append(found)
    return result


def streamed(chunks: Iterable[str], width: int, *, previews: bool = False) -> list[Letters]:
    """What our engine gives for text that comes in chunks."""
    sheet, blocks = Sheet(console(width)), Blocks()
    lines: list[Line] = []
    for chunk in chunks:
        blocks.feed(chunk)
        for block in blocks.take():
            lines += sheet.lines(block)
        if previews:
            sheet.preview(*blocks.tail())
    blocks.close()
    for block in blocks.take():
        lines += sheet.lines(block)
    return letters(lines)


def by_rich(text: str, width: int) -> list[Letters]:
    """What Rich's own Markdown gives."""
    return letters(Segment.split_lines(console(width).render(Markdown(text))))


def plain(lines: list[Letters]) -> list[str]:
    return ["".join(letter for letter, _ in line) for line in lines]


def _look(style: Style | None) -> str:
    return str(Style(**{name: getattr(style, name) or None for name in _SEEN})) if style else "none"


_SEEN = ("color", "bgcolor", "bold", "dim", "italic", "underline", "strike", "reverse")
