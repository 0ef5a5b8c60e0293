"""The answer as text: byte for byte into a pipe, or made safe and wrapped for a terminal. Never a style or a redraw."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from streamchat.chat import Reply
from streamchat.events import Event, Retry, Text
from streamchat.views.base import Tell, quiet
from streamchat.views.tty import size_of


class PlainView:
    """Writes each delta as it comes and sees that it leaves at once; ends with a newline, added if it was missing.

    `passing` are the steps that a delta goes through; none of them means that the text stays exactly as it was sent.
    `tell` is where a line about the way to the answer goes.
    """

    def __init__(self, out: BinaryIO, *, passing: "tuple[Step, ...]" = (), tell: Tell = quiet) -> None:
        self._out, self._steps, self._tell = out, passing, tell
        self._last = "\n"

    def show(self, events: Iterator[Event], reply: Reply) -> None:
        try:
            for event in events:
                self.take(event)
        finally:
            # Not after a BrokenPipeError of ours: writing again would only raise it again.
            if not isinstance(sys.exception(), BrokenPipeError):
                self.end()

    def begin(self, reply: Reply) -> None:
        """The same in steps, for those who have the events one at a time: this, `take` for each, `end`."""

    def take(self, event: Event) -> None:
        """Write one event's text."""
        if isinstance(event, Text):
            self._write(event.text)
        elif isinstance(event, Retry):
            self._tell(str(event))

    def end(self) -> None:
        """The rest, and the newline that was missing."""
        held = ""
        for step in self._steps:
            held = step.feed(held) + step.close()
        self._send(held)
        if self._last != "\n":
            self._send("\n")

    def _write(self, text: str) -> None:
        for step in self._steps:
            text = step.feed(text)
        self._send(text)

    def _send(self, text: str) -> None:
        if text:
            self._last = text[-1]
            self._out.write(text.encode(errors="replace"))
            self._out.flush()


class Step(ABC):
    """Text in, text out; may hold back what it cannot decide yet."""

    @abstractmethod
    def feed(self, text: str) -> str: ...

    def close(self) -> str:
        return ""


class Extracted(Step):
    """Lets nothing through but the code that is wanted, line by line."""

    def __init__(self, wanted: str) -> None:
        from streamchat.fences import Extraction, Wanted

        self._extraction = Extraction(Wanted.parse(wanted))

    def feed(self, text: str) -> str:
        return self._extraction.feed(text)

    def close(self) -> str:
        return self._extraction.close()


class Safe(Step):
    """Takes from the text what steers a terminal."""

    def feed(self, text: str) -> str:
        from streamchat.views.safe import safe

        return safe(text)


class Wrapped(Step):
    """Breaks lines between words at `width` columns, holding back only the word that is still growing."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._column = 0
        self._word = ""

    def feed(self, text: str) -> str:
        out: list[str] = []
        for char in text:
            if not char.isspace():
                self._word += char
                continue
            out.append(self._placed())
            if char == "\n":
                self._column = 0
                out.append(char)
            elif self._column < self._width:
                self._column += 1
                out.append(char)
        return "".join(out)

    def close(self) -> str:
        return self._placed()

    def _placed(self) -> str:
        from rich.cells import cell_len

        word, self._word = self._word, ""
        wide = cell_len(word)
        if not word:
            return ""
        if self._column and self._column + wide > self._width:
            self._column = wide
            return "\n" + word
        self._column += wide
        return word


def fitted(text: str, out: TextIO) -> str:
    """Lines for a person, broken between words where the terminal is narrower than they are."""
    columns = size_of(out).columns or 80
    if not out.isatty() or all(_at_most(line) <= columns for line in text.split("\n")):
        return text
    wrapped = Wrapped(columns)
    return wrapped.feed(text) + wrapped.close()


def _at_most(line: str) -> int:
    """The columns that a line takes, or more, without the tables that know: what is two wide begins at U+1100."""
    return sum(1 + (char >= "\u1100") for char in line)
