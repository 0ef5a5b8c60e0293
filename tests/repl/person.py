"""A person at a terminal: presses keys, and sees what a terminal emulator makes of what the program writes."""

import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import pyte

from tests.program import Program
from tests.views.emulator import Screen

DEADLINE = 10.0

ANSWERED = " in · "
"""What stands under an answer that is whole, and nowhere else. Which figures there are depends on how long it took, and
where there is no room for all of them, others give way."""


class Answering(Screen):
    """A screen that answers the program's questions about the cursor."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None]) -> None:
        super().__init__(columns, rows, history=10_000, ratio=0.5)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())


class Person:
    """`streamchat chat` with these arguments on a terminal of that size; use it in a `with`."""

    def __init__(self, *args: str, size: tuple[int, int] = (80, 24), chat: bool = True, **how: Any) -> None:
        self.program = Program(*(("chat",) if chat else ()), *args, terminal=size, **how)
        self._screen = Answering(*size, self.program.press)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.program.__exit__(kind, exc, tb)

    @property
    def written(self) -> bytes:
        """Everything that came to the terminal."""
        return bytes(self.program._output["screen"])

    @property
    def rows(self) -> list[str]:
        """What is on the screen, with empty rows at the end left out."""
        self._follow()
        rows = [row.rstrip() for row in self._screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    @property
    def scrollback(self) -> list[str]:
        """The rows that have left the screen at the top, and those that are on it."""
        self._follow()
        columns = range(self._screen.columns)
        above = ["".join(line[column].data for column in columns).rstrip() for line in self._screen.history.top]
        return above + self.rows

    def press(self, keys: str | bytes) -> None:
        self.program.press(keys.encode() if isinstance(keys, str) else keys)

    def resize(self, columns: int, rows: int) -> None:
        self._follow()
        self._screen.resize(rows, columns)
        self.program.resize(columns, rows)

    def sees(self, *texts: str, gone: str = "\0") -> list[str]:
        """Wait until all of this is on the screen (and `gone` is not); the rows of the screen."""
        return self._until(
            lambda rows: all(text in "\n".join(rows) for text in texts) and gone not in "\n".join(rows), repr(texts)
        )

    def prompted(self, *texts: str, draft: str = "", gone: str = "\0") -> list[str]:
        """Wait until the editor waits for a message, with this draft in it, and all of this is on the screen."""
        screen = self._screen
        return self._until(
            lambda seen: (
                len(seen) == screen.lines
                and _first_of_draft(seen, screen.cursor.y) == f"> {draft}".rstrip()
                and all(text in "\n".join(seen) for text in texts)
                and gone not in "\n".join(seen)
            ),
            f"the prompt with {draft!r} and {texts!r}",
        )

    def points_at(self, before: str, behind: str) -> None:
        """Wait until the cursor is in a row of just this, between the two."""
        cursor = self._screen.cursor
        self._until(
            lambda rows: rows[cursor.y : cursor.y + 1] == [before + behind] and cursor.x == len(before),
            f"the cursor between {before!r} and {behind!r}",
        )

    def line(self) -> None:
        """Wait until a line is read that the terminal itself edits; the prompt stands there a moment before it does."""
        keyboard = self.program._master
        assert keyboard is not None
        self._until(
            lambda seen: seen[-1:] == [">"] and bool(termios.tcgetattr(keyboard)[3] & termios.ECHO),
            "a prompt in its last row, and its own echo",
        )

    def _until(self, wanted: Callable[[list[str]], bool], words: str) -> list[str]:
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            ended = self.program._ended()  # asked first: what it wrote at its end is on the screen then
            rows = self.rows
            if wanted(rows):
                return rows
            if ended:
                break
            with self.program._changed:
                self.program._changed.wait_for(lambda: len(self.written) > self._fed, 0.05)
        raise AssertionError(f"the screen never had {words}:\n" + "\n".join(self.rows))

    def _follow(self) -> None:
        data = self.written
        self._stream.feed(data[self._fed :])
        self._fed = len(data)


def _first_of_draft(rows: list[str], cursor: int) -> str | None:
    """The row in which the draft with the cursor begins; what was sent stands above with the same mark."""
    return next((row for row in reversed(rows[: cursor + 1]) if row.startswith(">")), None)
