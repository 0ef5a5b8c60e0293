"""Several answers to one question shown together: in columns, one after the other, or as data for programs."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Protocol, TextIO

import msgspec

from streamchat.chat import Reply
from streamchat.errors import ChatError
from streamchat.events import Event, Stop
from streamchat.views.choose import Look, choose, is_rendered
from streamchat.views.jsonl import ending, whole


class Comparison(Protocol):
    """Shows several replies while they arrive; they are told apart by their numbers, from 0.

    `draw` is called many times a second; `close` at the end, and also when all was interrupted, leaves the output in
    order, with all that came. `shows_errors` says whether a person has read there why an answer failed.
    """

    shows_errors: bool

    def begin(self, number: int, reply: Reply) -> None: ...
    def take(self, number: int, event: Event) -> None: ...
    def end(self, number: int, error: ChatError | None) -> None: ...
    def draw(self) -> None: ...
    def close(self) -> None: ...


class Part(Protocol):
    """A view of one reply, in steps."""

    def begin(self, reply: Reply) -> None: ...
    def take(self, event: Event) -> None: ...
    def end(self) -> None: ...


def choose_comparison(look: Look, out: TextIO, titles: Sequence[str], notes: Sequence[str | None]) -> Comparison:
    """The comparison for `out`. UsageError for a format that there is not."""
    if look.format == "jsonl":
        return Lines(out.buffer)
    if look.format == "json":
        return Document(out.buffer, len(titles))
    parts = [
        _part(choose(look, out, title=title.replace("/", " · ", 1), note=note))
        for title, note in zip(titles, notes, strict=True)
    ]
    if is_rendered(look, out) and out.isatty():
        return _columns(look, out, titles, notes) or InOrder(parts, lambda number: _headline(out, titles[number]))
    return InOrder(parts, lambda number: _label(out.buffer, titles[number], first=number == 0))


class InOrder:
    """One after the other in the order in which they were named; what comes of the later ones waits."""

    shows_errors = False

    def __init__(self, parts: Sequence[Part], heading: Callable[[int], None]) -> None:
        self._parts, self._heading = parts, heading
        self._at = 0
        self._opened = False
        self._replies: dict[int, Reply] = {}
        self._waiting: list[list[Event]] = [[] for _ in parts]
        self._ended = [False] * len(parts)

    def begin(self, number: int, reply: Reply) -> None:
        self._replies[number] = reply
        self._go_on()

    def take(self, number: int, event: Event) -> None:
        if number == self._at and self._opened:
            self._parts[number].take(event)
        else:
            self._waiting[number].append(event)

    def end(self, number: int, error: ChatError | None) -> None:
        self._ended[number] = True
        self._go_on()

    def draw(self) -> None:
        """Each part sees to that itself."""

    def close(self) -> None:
        if not isinstance(sys.exception(), BrokenPipeError):
            self._ended = [True] * len(self._parts)
            self._go_on()

    def _go_on(self) -> None:
        """Show what can be shown now: the part whose turn it is, and those behind it that have ended."""
        while self._at < len(self._parts) and self._at in self._replies:
            part = self._parts[self._at]
            if not self._opened:
                self._opened = True
                self._heading(self._at)
                part.begin(self._replies[self._at])
                for event in self._waiting[self._at]:
                    part.take(event)
            if not self._ended[self._at]:
                return
            part.end()
            self._at, self._opened = self._at + 1, False


class Lines:
    """Every event of every answer as a JSON line at once; `answer` numbers them from 1."""

    shows_errors = False

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._whose: dict[int, dict[str, Any]] = {}
        self._begun: dict[int, float] = {}
        self._replies: dict[int, Reply] = {}

    def begin(self, number: int, reply: Reply) -> None:
        self._begun[number], self._replies[number] = time.monotonic(), reply
        self._whose[number] = {"answer": number + 1, "provider": reply.provider, "model": reply.model}
        self._line(number, {"type": "reply"})

    def take(self, number: int, event: Event) -> None:
        if not isinstance(event, Stop):
            at = round(time.monotonic() - self._begun[number], 3)
            self._line(number, {**msgspec.to_builtins(event), "at": at})

    def end(self, number: int, error: ChatError | None) -> None:
        self._line(number, {"type": "end", **ending(self._replies.pop(number), error)})

    def draw(self) -> None:
        """Nothing waits to be drawn."""

    def close(self) -> None:
        if not isinstance(sys.exception(), BrokenPipeError):
            for number in sorted(self._replies):
                self._replies[number].stop("interrupted")
                self.end(number, None)

    def _line(self, number: int, line: dict[str, Any]) -> None:
        self._out.write(msgspec.json.encode({**line, **self._whose[number]}) + b"\n")
        self._out.flush()


class Document:
    """All answers as one JSON list when all have ended."""

    shows_errors = False

    def __init__(self, out: BinaryIO, count: int) -> None:
        self._out = out
        self._replies: dict[int, Reply] = {}
        self._errors: list[ChatError | None] = [None] * count

    def begin(self, number: int, reply: Reply) -> None:
        self._replies[number] = reply

    def take(self, number: int, event: Event) -> None:
        """The reply has it."""

    def end(self, number: int, error: ChatError | None) -> None:
        self._errors[number] = error

    def draw(self) -> None:
        """There is nothing before the end."""

    def close(self) -> None:
        answers = [whole(reply, self._errors[number]) for number, reply in sorted(self._replies.items())]
        self._out.write(msgspec.json.format(msgspec.json.encode(answers), indent=2) + b"\n")
        self._out.flush()


def _part(view: Any) -> Part:
    part: Part = view  # what is chosen for a terminal or for text can be used in steps
    return part


def _columns(look: Look, out: TextIO, titles: Sequence[str], notes: Sequence[str | None]) -> Comparison | None:
    """Columns, where they fit and what is drawn may be drawn again."""
    from streamchat.views.columns import Columns, Looks, width_of_each
    from streamchat.views.live import LiveMarkdown
    from streamchat.views.tty import moves_cursor

    width = width_of_each(len(titles), look.width or LiveMarkdown(out).console.width)
    if width is None or look.accessible or not look.stream or not moves_cursor(out):
        return None
    looks = Looks(color=look.color, code_theme=look.code_theme, reasoning=look.reasoning)
    return Columns(list(titles), list(notes), out, width=width, look=looks)


def _headline(out: TextIO, title: str) -> None:
    from streamchat.views.safe import one_line

    out.write(f"── {one_line(title)} ──\n\n")
    out.flush()


def _label(out: BinaryIO, title: str, *, first: bool) -> None:
    """As `head` and `tail` label several files."""
    from streamchat.views.safe import one_line

    out.write(f"{'' if first else chr(10)}==> {one_line(title)} <==\n".encode())
    out.flush()
