"""Growing Markdown on a terminal: finished blocks go to the scrollback, and what is open is redrawn below them.

    from streamchat.views import LiveMarkdown

    with LiveMarkdown() as live:
        for text in chunks:         # any iterable of text, in pieces of any size
            live.feed(text)

What stays is what `print_markdown` prints for the whole text. One thread draws, so that neither a slow terminal holds
up whoever feeds nor a silent feed the clock; how often it draws follows from what a frame costs.
"""

import sys
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Literal, Self, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from streamchat.threads import deaf
from streamchat.views.base import Typed
from streamchat.views.blocks import Blocks
from streamchat.views.elements import Line, broken
from streamchat.views.markdown import CODE_THEME, Sheet, rendered
from streamchat.views.pace import Pace
from streamchat.views.safe import safe
from streamchat.views.screen import Screen
from streamchat.views.tty import moves_cursor, reflows, size_of

Mode = Literal["live", "blocks", "whole"]
"""Redrawn while it grows; printed block by block, without any redrawing; or printed when it is complete."""

Color = Literal["auto", "always", "never"]

_GULP = 8192  # characters are taken in by one at most: there is something new to see at least every so often
_LITTLE = 1000  # characters that have come and are not drawn yet are more only where drawing cannot keep up
_LETTERS = 4  # are looked at for each cell: some have no width
DIM = Style(dim=True)


def terminal(out: TextIO, *, color: Color = "auto", width: int | None = None) -> Console:
    """A Rich console for `out` that says nothing by itself."""
    size = size_of(out)
    return Console(
        file=out,
        force_terminal={"auto": None, "always": True, "never": None}[color],
        color_system=None if color == "never" else "auto",
        no_color={"auto": None, "always": False, "never": True}[color],
        width=width or size.columns or None,
        height=size.lines or 24,  # with the width alone Rich has every dumb terminal be one of 80 columns
        legacy_windows=False,
        emoji=False,
        markup=False,
        highlight=False,
    )


def print_markdown(
    text: str,
    out: TextIO | None = None,
    *,
    color: Color = "auto",
    code_theme: str = CODE_THEME,
    width: int | None = None,
) -> None:
    """Print a whole text: what every way of streaming it leaves behind."""
    out = out or sys.stdout
    console = terminal(out, color=color, width=width)
    Screen(out, console, reflows=False).print(list(rendered(text, Sheet(console, code_theme=code_theme))))


class LiveMarkdown:
    """Markdown on a terminal while it grows. Feed it text, then close it (or use it as a context manager).

    `status` is called for each frame and gives the line below the text; `above` gives lines to show while there is no
    text yet, `lead` those that stay above it, asked for once when it begins (or ends without having begun); `below`
    gives lines under the status, the last of which a person is typing, with what of it is behind the cursor.
    `mode` None redraws where the terminal can and prints block by block where it cannot.
    """

    def __init__(
        self,
        out: TextIO | None = None,
        *,
        color: Color = "auto",
        code_theme: str = CODE_THEME,
        width: int | None = None,
        height: int | None = None,
        mode: Mode | None = None,
        status: Callable[[int], Line] | None = None,
        above: Callable[[int], list[Line]] | None = None,
        lead: Callable[[int], list[Line]] | None = None,
        below: Callable[[], Typed] | None = None,
        reflow: bool | None = None,
    ) -> None:
        self.out = out or sys.stdout
        self.mode: Mode = mode or ("live" if moves_cursor(self.out) else "blocks")
        self.console = terminal(self.out, color=color, width=width)
        self._fixed = width, height
        self._sheet = Sheet(self.console, code_theme=code_theme)
        self._screen = Screen(self.out, self.console, reflows=reflows() if reflow is None else reflow)
        self._blocks = Blocks()
        self._status, self._above, self._lead, self._below = status, above, lead, below
        self._begun = False
        self._size = self._measured()
        self._incoming: deque[str] = deque()
        self._changed = threading.Event()
        self._closing = False
        self._failure: BaseException | None = None
        self._drawer: threading.Thread | None = None
        self._drawing = threading.RLock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show(self, chunks: Iterable[str]) -> None:
        """Show everything that comes out of an iterable; what it raises passes through, what came stays."""
        with self:
            for text in chunks:
                self.feed(text)

    def start(self) -> None:
        """Begin to draw, if there is something to draw before the first text."""
        if self.mode != "whole" and self._drawer is None:
            self._drawer = threading.Thread(target=self._draw_on, name="live-markdown", daemon=True)
            with deaf():
                self._drawer.start()

    def take_over(self, text: str) -> None:
        """What is fed will begin with this text, which stands in the cursor's row already. Before `start`."""
        if text:
            self._screen.take_over([Segment(text, Style.null())])

    def feed(self, text: str) -> None:
        """More text. Never waits for the terminal."""
        if self._failure is not None:
            raise self._failure
        self._incoming.extend(text[start : start + _GULP] for start in range(0, len(text), _GULP))
        self._changed.set()

    def refresh(self) -> None:
        """Draw soon, from any thread: something that `status` or `below` shows has changed."""
        self._changed.set()

    def pause(self, meanwhile: Callable[[], None]) -> None:
        """Take off the screen what may still change, call `meanwhile`, go on from the start of an empty line."""
        if self._closing:
            meanwhile()
            return
        with self._drawing:
            if self.mode == "live":
                self._screen.draw([], [], 0)
            meanwhile()
            self._screen.forget()
        self._changed.set()

    def close(self, *, footer: Line | None = None, at_once: bool = False) -> None:
        """Print what is left, and a last line if there is one; `at_once` only a little of what is left, and how much
        more had come."""
        left_out = self._leave_out() if at_once else 0
        self._closing = True
        self._changed.set()
        if self._drawer is not None:
            self._drawer.join()
            self._drawer = None
        if self._failure is not None:
            raise self._failure
        self._take_in()
        self._blocks.close()
        lines = self._finished()
        if left_out:
            lines += [[], cut(f"… {left_out:,} more characters had come", self._size[0])]
        if footer is not None:
            lines += [[], footer] if lines or self._sheet.begun else [footer]
        self._frame(lines, [], 0)

    def _leave_out(self) -> int:
        """Forget all but a little of what should be on the screen and is not yet; how many characters that is."""
        if self.mode == "whole":
            return 0
        with self._drawing:
            text = "".join(self._incoming)
            self._incoming.clear()
            self._incoming.append(text[:_LITTLE])
        return len(text[_LITTLE:])

    def _draw_on(self) -> None:
        """Draw until there is nothing more to come."""
        try:
            pace = Pace()
            while not self._closing:
                begun = time.monotonic()
                self.draw()
                due = pace.after(begun, time.monotonic())
                if not self._incoming:
                    self._pause(due)
                    self._changed.wait(self._tick())
                    self._changed.clear()
        except BaseException as error:  # it belongs to whoever feeds
            self._failure = error

    def _pause(self, end: float) -> None:
        while not self._closing and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))

    def _tick(self) -> float | None:
        """How long to wait for more before drawing anyway: for the spinner, the clock and the size of the terminal."""
        if self.mode != "live":
            return None
        return 0.1 if self._status is not None and not self._sheet.begun else 0.5

    def draw(self) -> None:
        """Draw now, which is done by itself after `start`."""
        with self._drawing:
            self._drawn()

    def _drawn(self) -> None:
        self._take_in()
        finished = self._finished()
        if self.mode == "live":
            self._frame(finished, *self._tail())
        else:
            self._screen.print(finished)

    def _take_in(self) -> None:
        texts, room = [""], _GULP
        while self._incoming and (room > 0 or self._closing):
            texts.append(self._incoming.popleft())
            room -= len(texts[-1])
        text = "".join(texts)
        self._begun = self._begun or bool(text)
        self._blocks.feed(text)

    def _finished(self) -> list[Line]:
        size = self._measured()
        if size != self._size:
            self._size = size
            if self.mode == "live":
                self._screen.resized(*size)
        self.console.width = size[0]
        lines = [line for block in self._blocks.take() for line in self._sheet.lines(block)]
        if self._lead is not None and (self._begun or self._closing):
            lead, self._lead = self._lead(size[0]), None
            lines = [*lead, *([[]] if lead and self._begun else []), *lines]
        return lines

    def _tail(self) -> tuple[list[Line], int, int | None]:
        """The rows of what is open, as many as fit, and where the cursor rests: its row, and its column if that is not
        the end of it."""
        width, height = self._size
        room = max(1, height - 1)
        tail = [row for line in self._sheet.preview(*self._blocks.tail()) for row in broken(line, width)]
        status = [self._status(width)] if self._status is not None and room > 1 else []
        above = [] if tail or self._begun or self._above is None else self._above(width)
        typed, column = _typed(*self._below(), width) if self._below is not None and room > 1 else ([], None)
        typed = typed[-(room - 1) :]
        status = status[: room - 1 - len(typed)]
        foot = status + typed
        rows = [*above, *tail][-(room - len(foot)) :] + foot
        return rows, max(0, len(rows) - (0 if typed else len(foot)) - 1), column

    def _frame(self, finished: list[Line], tail: list[Line], rest: int, column: int | None = None) -> None:
        if self.mode == "live":
            self._screen.draw(finished, tail, rest, column)
        else:
            self._screen.print(finished)

    def _measured(self) -> tuple[int, int]:
        width, height = self._fixed
        size = size_of(self.out)
        return width or size.columns or self.console.width, height or size.lines or 24


def cut(text: str, width: int) -> Line:
    """A dim line, as much of it as there is room for."""
    return [Segment(_beginning(text, width), DIM)]


def _typed(lines: list[str], behind: str, width: int) -> tuple[list[Line], int | None]:
    """Lines as rows, and the column of the cursor in the last one: of that, the part around the cursor is seen."""
    if not lines:
        return [], None
    *others, last = lines
    before, after = _shown(last[: len(last) - len(behind)]), _shown(behind)
    room = width - 1 - cell_len(_beginning(after, width // 3))
    fits = _end(before, room)
    before = fits if fits == before else f"…{_end(before, room - 1)}"
    column = cell_len(before)
    after = _beginning(after, width - 1 - column)
    return [*(cut(_shown(line), width) for line in others), [Segment(before + after)]], column if after else None


def _shown(text: str) -> str:
    return safe(text.replace("\n", "⏎").replace("\t", "⇥"))


def _end(text: str, width: int) -> str:
    sizes = range(1, min(len(text), _LETTERS * width) + 1)
    return text[len(text) - bisect_right(sizes, width, key=lambda size: cell_len(text[-size:])) :]


def _beginning(text: str, width: int) -> str:
    sizes = range(1, min(len(text), _LETTERS * width) + 1)
    return text[: bisect_right(sizes, width, key=lambda size: cell_len(text[:size]))]
