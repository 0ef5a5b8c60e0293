"""The bottom rows of a terminal that may still change: finished lines go above them and are never touched again.

Not `rich.live.Live`, although the rows come from Rich: Live writes every row again in every frame (20 to 400 times the
bytes of the answer), hides the cursor until somebody shows it again, and prints what is taller than the screen twice
(Textualize/rich#3263). Here a frame is one write that has only what changed: mostly the few letters that are new.

The cursor rests behind the last letter of the answer, visible, with every mode as it was: a program that is killed or
stopped between two frames leaves nothing to repair.
"""

import errno
import os
import re
import select
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len
from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from rich.style import Style

from streamchat.views.elements import Line, is_flush
from streamchat.views.safe import joined_surrogates
from streamchat.views.tty import ERASE_DOWN

if TYPE_CHECKING:
    from rich.color import ColorSystem

_BEGIN, _END = "\x1b[?2026h\x1b[?25l", "\x1b[?25h\x1b[?2026l"
_PUSHED = 3  # rows at most that are made room for: where more is new, writing the last ones again costs less
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"

# Text whose width every terminal agrees about with Rich; emoji, combining and joining characters are not among it.
_PLAIN_WIDTH = re.compile(
    "[ -~\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u22ff"
    "\u2500-\u259f\u2800-\u28ff\u3001-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]*"
)


class Row:
    """A line as it was drawn."""

    __slots__ = ("cells", "flush", "segments", "steady")

    def __init__(self, line: Line) -> None:
        self.flush = is_flush(line)
        self.segments = list(Segment.simplify(s for s in line if not s.control and s.text))
        text = "".join(s.text for s in self.segments)
        self.cells = cell_len(text)
        self.steady = _PLAIN_WIDTH.fullmatch(text) is not None

    def beyond(self, old: "Row") -> tuple[int, list[Segment]] | None:
        """Where this row begins to differ from an old one, in cells, and what it has from there."""
        cells = 0
        for index, new in enumerate(self.segments):
            was = old.segments[index] if index < len(old.segments) else Segment("")
            if new == was:
                cells += cell_len(new.text)
                continue
            same = _common(new.text, was.text) if new.style == was.style else 0
            cells += cell_len(new.text[:same])
            return cells, [Segment(new.text[same:], new.style), *self.segments[index + 1 :]]
        return None if len(old.segments) == len(self.segments) else (cells, [])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self.segments == other.segments

    __hash__ = None  # type: ignore[assignment]


class Screen:
    """Writes finished lines and keeps a tail of rows below them up to date."""

    def __init__(self, out: TextIO, console: Console, *, reflows: bool) -> None:
        self._out = out
        self._console = console
        self._ansi = Ansi(console)
        self._reflows = reflows
        self._rows: list[Row] = []
        self._at = 0  # the row that the cursor is in
        self._column: int | None = 0  # and its column, where that is known

    def print(self, lines: Sequence[Line]) -> None:
        """Finished lines without any redrawing."""
        self.send("".join(self._ansi.line(line) + "\n" for line in lines))

    def draw(self, finished: Sequence[Line], tail: Sequence[Line], rest: int, column: int | None = None) -> None:
        """One frame: the finished lines, below them the tail; the cursor comes to rest in row `rest` of the tail, at
        its end or in this column."""
        new = [Row(line) for line in finished]
        done = len(new)
        new += [Row(line) for line in tail]
        frame = _Frame(self._ansi, self._at, self._column)
        known = self._rows
        stay, more = self._gap(new, done)
        for number, row in enumerate(new):
            if more and number == stay:
                frame.push(stay, len(known), more)
                known = [*known[:stay], *(Row([]) for _ in range(more)), *known[stay:]]
            old = known[number] if number < len(known) else None
            if number < done and self._needs_wrapping(row):
                # It has to be printed with the terminal's own wrapping; where the rows below it are is then unknown.
                frame.go(number)
                frame.write(f"\r\x1b[J{self._ansi.row(row)}", None)
                known = []
            elif old is None:
                frame.go(number)
                frame.text(row, number >= done, clear=False)
            elif row != old:
                frame.change(number, row, old, number >= done)
        if len(known) > len(new):
            frame.go(len(new))
            frame.write("\r\x1b[J", 0)
        self._rows = new[done:]
        if self._rows:
            frame.go(done + rest)
            frame.to(self._rows[rest].cells if column is None else column)
        else:
            frame.go(done)
            frame.to(0)
        self._at, self._column = frame.at - done, frame.column
        self.send(frame.finished())

    def _gap(self, new: list[Row], done: int) -> tuple[int, int]:
        """Where room is to be made, and for how many rows: above the last ones, which are mostly the same again.

        The rows above the gap are right before it is made, and there are at least as many of them as are new: so none
        leaves the screen that has still to be written.
        """
        known, more = self._rows, len(new) - len(self._rows)
        same = next((n for n, (a, b) in enumerate(zip(known[::-1], new[::-1], strict=False)) if a != b), len(known))
        stay = len(known) - same
        fits = same and 0 < more <= min(_PUSHED, stay) and not any(self._needs_wrapping(row) for row in new[:done])
        return (stay, more) if fits else (0, 0)

    def _needs_wrapping(self, row: Row) -> bool:
        return not row.steady or row.cells > self._console.width

    def resized(self, width: int, height: int) -> None:
        """Remove the tail after the terminal changed its size; the next frame draws it anew.

        A screen that became too small for the tail has pushed the first rows of it into the scrollback already, where
        nothing can be removed: these stay there as they were, above what replaces them.
        """
        above = self._at
        if self._reflows and width:
            above = sum(max(1, -(-row.cells // width)) for row in self._rows[: self._at])
            above += max(0, (self._column or 0) - 1) // width
        above = min(above, height - 1)
        self.send((f"\x1b[{above}A" if above else "") + f"\r{ERASE_DOWN}")
        self.forget()

    def take_over(self, line: Line) -> None:
        """The cursor is behind this line, which somebody else wrote."""
        self._rows, self._at = [Row(line)], 0
        self._column = self._rows[0].cells

    def forget(self) -> None:
        """The cursor is at the start of an empty line, and there is no tail."""
        self._rows, self._at, self._column = [], 0, 0

    def send(self, text: str) -> None:
        """Everything in one write, as far as the terminal takes it."""
        if not text:
            return
        text = joined_surrogates(text)
        try:
            descriptor = self._out.fileno()
        except (OSError, ValueError):
            self._out.write(text)
            return
        self._out.flush()
        data = memoryview(text.encode(self._out.encoding or "utf-8", "replace"))
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
                select.select([], [descriptor], [])


class Ansi:
    """Segments as the text that a terminal understands."""

    def __init__(self, console: Console) -> None:
        name = console.color_system
        self._colors: ColorSystem | None = COLOR_SYSTEMS[name] if name else None
        self._no_color = console.no_color

    def line(self, line: Line) -> str:
        return self.row(Row(line))

    def row(self, row: Row) -> str:
        return self.text(row.segments)

    def text(self, segments: Sequence[Segment]) -> str:
        if self._no_color:
            segments = list(Segment.remove_color(segments))
        return "".join(self._styled(text, style) for text, style, _ in segments)

    def _styled(self, text: str, style: Style | None) -> str:
        if style is None or self._colors is None:
            return text
        if style.link:
            return f"\x1b]8;;{style.link}\x1b\\{self._styled(text, style.update_link(None))}\x1b]8;;\x1b\\"
        return style.render(text, color_system=self._colors)


class _Frame:
    """What one frame writes, and where that leaves the cursor."""

    def __init__(self, ansi: Ansi, at: int, column: int | None) -> None:
        self.at, self.column = at, column
        self._ansi = ansi
        self._lowest = at
        self._parts: list[str] = []
        self._moved = False

    def go(self, row: int) -> None:
        """To a row, staying in it if that is where the cursor is."""
        if row < self.at:
            self._parts.append(f"\x1b[{self.at - row}A")
            self._moved = True
        elif row > self.at:
            self._parts.append("\r" + "\n" * (row - self.at))
            self.column = 0
        self.at = row

    def to(self, column: int) -> None:
        if column != self.column:
            self._parts.append(f"\x1b[{column + 1}G" if column else "\r")
            self.column = column

    def push(self, row: int, end: int, by: int) -> None:
        """Move the rows from one to an end down; where there is no room for them, all that is above goes up."""
        self.go(end - 1 + by)
        self._parts.append(f"\x1b[{end - 1 + by - row}A\x1b[{by if by > 1 else ''}L")
        self.at, self.column = row, None
        self._moved = True

    def write(self, text: str, column: int | None) -> None:
        self._parts.append(text)
        self.column = column

    def text(self, row: Row, may_change: bool, *, clear: bool) -> None:
        """A whole row; one that may change is cut at the edge, so that it is one row whatever its characters are."""
        self.to(0)
        text = self._ansi.row(row) + ("\x1b[K" if clear else "")
        self.write(text if row.steady or not may_change else _NO_WRAP + text + _WRAP, row.cells if row.steady else None)

    def change(self, number: int, row: Row, old: Row, may_change: bool) -> None:
        """Only what is different in a row."""
        found = row.beyond(old)
        if found is None or not (row.steady and old.steady):
            self.go(number)
            self._moved = True
            self.text(row, may_change, clear=True)
            return
        cells, rest = found
        appended = number == self.at and cells == self.column == old.cells
        self.go(number)
        self.to(cells)
        self._moved = self._moved or not appended
        self.write(self._ansi.text(rest) + ("\x1b[K" if row.cells < old.cells else ""), row.cells)

    def finished(self) -> str:
        """The frame; between marks, unless all it does is to go on writing."""
        text = "".join(self._parts)
        return f"{_BEGIN}{text}{_END}" if self._moved else text


def _common(new: str, old: str) -> int:
    """How many letters two texts begin with alike."""
    if new.startswith(old):
        return len(old)
    return next((i for i, (a, b) in enumerate(zip(new, old, strict=False)) if a != b), min(len(new), len(old)))
