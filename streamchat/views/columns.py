"""Several answers side by side while they arrive: a column each, what all of them have finished goes to the scrollback.

A row of the whole can change no more when it can change in no column: the columns scroll as fast as the slowest one.
What the fast ones have below it is held until then; the last row says how much that is. In a terminal that has become
too narrow for them there is one row about each until all have ended, then the answers one under the other.
"""

import os
import time
from collections.abc import Callable
from itertools import zip_longest
from typing import TextIO

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text as RichText

from streamchat.chat import Reply
from streamchat.errors import ChatError
from streamchat.events import Event, Reasoning, Text
from streamchat.views.blocks import Blocks
from streamchat.views.elements import broken
from streamchat.views.footer import joined, phrases, seconds
from streamchat.views.live import Color, terminal
from streamchat.views.markdown import CODE_THEME, Line, Sheet, rendered
from streamchat.views.safe import one_line, safe
from streamchat.views.screen import Screen
from streamchat.views.tty import reflows

NARROWEST = 40
"""Fewer columns of the terminal than these are too few for an answer."""

_GAP = " │ "
_DIM, _BOLD, _RED = Style(dim=True), Style(bold=True), Style(color="red")


def width_of_each(count: int, width: int) -> int | None:
    """How wide `count` columns are in a terminal of this width; None where they do not fit."""
    each = (width - 1 - len(_GAP) * (count - 1)) // count
    return each if each >= NARROWEST else None


class Column:
    """One answer, as rows of its own width: those that are done, and those that may still change."""

    def __init__(self, title: str, note: str | None, out: TextIO, *, width: int, look: "Looks") -> None:
        self.title, self._note, self.width = one_line(title), note, width
        self.done: list[Line] = []
        self.ended = False
        self._error: ChatError | None = None
        self._out, self._look = out, look
        self._console = terminal(out, color=look.color, width=width)
        self._sheet = Sheet(self._console, code_theme=look.code_theme or CODE_THEME)
        self._blocks = Blocks()
        self._reasoning = look.reasoning
        self._reply = Reply()
        self._begun = time.monotonic()
        self._thinking: float | None = None
        self._answering = False

    def begin(self, reply: Reply) -> None:
        self._reply, self._begun = reply, time.monotonic()

    def take(self, event: Event) -> None:
        if isinstance(event, Reasoning) and self._thinking is None:
            self._thinking = self._reply.elapsed
        elif isinstance(event, Text):
            self._lead()
            self._blocks.feed(event.text)

    def end(self, error: ChatError | None) -> None:
        """Nothing more comes. What went wrong stands below what had come."""
        if self.ended:
            return
        self._lead()
        self._blocks.close()
        self.settle()
        self.ended, self._error = True, error
        if error is not None:
            self.done += [[]] if self.done else []
            self.done += self._failure()

    def settle(self) -> None:
        """Take over what is finished."""
        for block in self._blocks.take():
            self.done += [row for line in self._sheet.lines(block) for row in broken(line, self.width)]

    def open(self) -> list[Line]:
        """The rows that may still change."""
        if self.ended:
            return []
        return [row for line in self._sheet.preview(*self._blocks.tail()) for row in broken(line, self.width)]

    def status(self, hidden: int) -> Line:
        """One row about it; `hidden` of its rows have no room yet."""
        return _cut(self.state() + (f" · {hidden} rows below" if hidden > 0 else ""), self.width)

    def state(self) -> str:
        """How it is getting on."""
        if self.ended:
            return f"done in {seconds(self._reply.elapsed)}"
        doing = "waiting" if self._reply.first_token is None else "" if self._reply.text else "thinking"
        speed = self._reply.tokens_per_second
        parts = [f"{time.monotonic() - self._begun:.0f} s", doing, f"{speed:.0f} tokens/s" if speed else ""]
        return " · ".join(filter(None, parts))

    def whole(self, width: int) -> list[Line]:
        """All of it in another width: for a terminal in which it cannot stay a column."""
        console = terminal(self._out, color=self._look.color, width=width)
        self._console, self.width = console, width
        said = rendered(self._reply.text, Sheet(console, code_theme=self._look.code_theme or CODE_THEME))
        return [_title(self.title, width), [], *said, [], *self._failure(), *self.foot()[1:], []]

    def foot(self) -> list[Line]:
        """What it was and its figures, when it is there: its head may have left the screen long ago."""
        reply, rows = self._reply, [joined(phrases(self._reply), self.width)]
        if reply.stop_reason not in (None, "stop") and self._error is None:
            rows.append(one_line(f"{reply.stop_reason}: {reply.detail}" if reply.detail else str(reply.stop_reason)))
        rows += [one_line(self._note)] if self._note else []
        return [_title(self.title, self.width), *(row for line in rows for row in self._worded(line, _DIM))]

    def _failure(self) -> list[Line]:
        if self._error is None:
            return []
        return [*self._worded(self._error.message, _RED), *self._worded(self._error.hint or "", _DIM)]

    def _lead(self) -> None:
        """Before the first word of the answer: what is seen of the thinking from then on."""
        if self._answering or self._thinking is None or self._reasoning == "hide":
            self._answering = True
            return
        self._answering = True
        spent = self._reply.elapsed - self._thinking
        said = self._reply.reasoning if self._reasoning == "show" else f"thought for {seconds(spent)}"
        self.done += [*self._worded(said, _DIM), []]

    def _worded(self, text: str, style: Style) -> list[Line]:
        rows = RichText(safe(text).strip()).wrap(self._console, self.width, overflow="fold")
        return [[Segment(row.plain, style)] for row in rows]


class Looks:
    """What the columns have in common."""

    def __init__(self, *, color: Color = "auto", code_theme: str = "", reasoning: str = "fold") -> None:
        self.color, self.code_theme, self.reasoning = color, code_theme, reasoning


class Columns:
    """The answers to one question, each under its title; `notes` are what must be said of each."""

    shows_errors = True

    def __init__(self, titles: list[str], notes: list[str | None], out: TextIO, *, width: int, look: Looks) -> None:
        self._out, self._width = out, width
        self._columns = [
            Column(title, note, out, width=width, look=look) for title, note in zip(titles, notes, strict=True)
        ]
        self._screen = Screen(out, terminal(out, color=look.color), reflows=reflows())
        self._size = self._measured()
        self._headed = False
        self._drawing = False
        self._pausing: Callable[[], None] | None = None

    def begin(self, number: int, reply: Reply) -> None:
        self._columns[number].begin(reply)

    def take(self, number: int, event: Event) -> None:
        self._columns[number].take(event)

    def end(self, number: int, error: ChatError | None) -> None:
        self._columns[number].end(error)

    def draw(self) -> None:
        """One frame."""
        self._drawing = True
        self._frame()
        self._drawing = False
        if self._pausing is not None:
            pausing, self._pausing = self._pausing, None
            self.pause(pausing)

    def pause(self, meanwhile: Callable[[], None]) -> None:
        """As `Redrawn` has it; a signal in the middle of a frame waits for its end."""
        if self._drawing:
            self._pausing = meanwhile
            return
        self._screen.draw([], [], 0)
        meanwhile()
        self._screen.forget()

    def _frame(self) -> None:
        if (size := self._measured()) != self._size:
            self._size = size
            self._screen.resized(*size)
        if self._too_narrow:
            self._screen.draw([], [_cut(f"{column.title}: {column.state()}", size[0]) for column in self._columns], 0)
            return
        finished = self._head() + self._finished()
        opened = [[*column.done, *column.open()] for column in self._columns]
        room = max(1, self._size[1] - 2)
        growing = [len(rows) for rows, column in zip(opened, self._columns, strict=True) if not column.ended]
        start = max(0, min(growing, default=0) - room)
        seen = [rows[start : start + room] for rows in opened]
        body = self._beside(seen)
        foot = [column.status(len(rows) - start - room) for rows, column in zip(opened, self._columns, strict=True)]
        self._screen.draw(finished, [*body, *self._beside([[row] for row in foot])], max(0, len(body) - 1))

    def close(self) -> None:
        """Everything that came, to the scrollback, with the figures of each below it."""
        for column in self._columns:
            column.end(None)
        self._size = self._measured()
        if self._too_narrow:
            self._screen.draw([], [], 0)
            self._screen.print([line for column in self._columns for line in column.whole(self._size[0])])
            return
        lines = self._head() + self._finished()
        self._screen.draw([*lines, self._rule(), *self._beside([column.foot() for column in self._columns])], [], 0)

    @property
    def _too_narrow(self) -> bool:
        count = len(self._columns)
        return self._width * count + len(_GAP) * (count - 1) > self._size[0]

    def _head(self) -> list[Line]:
        if self._headed:
            return []
        self._headed = True
        titles = [[_title(column.title, self._width)] for column in self._columns]
        return [*self._beside(titles), self._rule()]

    def _rule(self) -> Line:
        return [Segment("─┼─".join("─" * self._width for _ in self._columns), _DIM)]

    def _finished(self) -> list[Line]:
        """The rows that are done in every column that still grows, and can be no other in those that do not."""
        for column in self._columns:
            if not column.ended:
                column.settle()
        growing = [len(column.done) for column in self._columns if not column.ended]
        ready = min(growing) if growing else max(len(column.done) for column in self._columns)
        rows = self._beside([column.done[:ready] for column in self._columns])
        for column in self._columns:
            del column.done[:ready]
        return rows

    def _beside(self, columns: list[list[Line]]) -> list[Line]:
        """The rows of each column beside those of the others."""
        return [self._row(cells) for cells in zip_longest(*columns, fillvalue=[])]

    def _row(self, cells: tuple[Line, ...]) -> Line:
        row: Line = []
        for place, cell in enumerate(cells):
            if place:
                row.append(Segment(_GAP, _DIM))
            row += cell
            if place < len(cells) - 1:
                row.append(Segment(" " * (self._width - sum(segment.cell_length for segment in cell))))
        return row

    def _measured(self) -> tuple[int, int]:
        try:
            size = os.get_terminal_size(self._out.fileno())
        except (OSError, ValueError):
            return 80, 24
        return size.columns or 80, size.lines or 24


def _title(text: str, width: int) -> Line:
    return [Segment(_text_cut(text, width), _BOLD)]


def _cut(text: str, width: int) -> Line:
    return [Segment(_text_cut(text, width), _DIM)]


def _text_cut(text: str, width: int) -> str:
    while cell_len(text) > width:
        text = text[:-1]
    return text
