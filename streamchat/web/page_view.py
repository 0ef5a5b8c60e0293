"""A growing answer as the chat page sees it: trees and reasoning as events, from any position on.

An answer has one `PageView`, whoever looks at it; each reader has a `Reader`, which is nothing but a position in it. A
position is `B.R`: finished nodes, and characters of reasoning (made safe). Both depend on the answer alone, so a reader
may come back to another view of the same answer, in another process, and goes on where it was.
"""

from typing import NamedTuple

import msgspec

from streamchat.sse import frame
from streamchat.views.nodes import Node
from streamchat.views.safe import Growing
from streamchat.views.trees import Trees

MOST = 4000
"""So many characters are looked at in one update: what came all at once holds nobody else up for long."""

_encoder = msgspec.json.Encoder()


class Position(NamedTuple):
    """How much of an answer somebody has."""

    blocks: int = 0
    reasoning: int = 0

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position that an event's id says; ValueError if it says none."""
        blocks, _, reasoning = text.partition(".")
        if not (text.isascii() and blocks.isdigit() and reasoning.isdigit() and len(text) < 40):
            raise ValueError(f"not a position in an answer: {text[:40]!r}")
        return cls(int(blocks), int(reasoning))

    def __str__(self) -> str:
        return f"{self.blocks}.{self.reasoning}"


class PageView:
    """What there is to see of one answer so far."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        """The finished nodes, as JSON."""
        self.reasoning = ""
        """The reasoning, made safe."""
        self.closed = False
        """Whether the whole answer is in it."""
        self._trees = Trees()
        self._thoughts = Growing()
        self._seen = Position()  # of the text and of the reasoning as they came
        self._open: bytes | None = b"[]"

    def update(self, text: str, reasoning: str = "", *, closed: bool = False) -> bool:
        """Take in the answer as far as it has come; False if there was too much for once."""
        taken, thought = self._seen
        end, thought_end = min(len(text), taken + MOST), min(len(reasoning), thought + MOST)
        self._seen = Position(end, thought_end)
        if end > taken:
            self._trees.feed(text[taken:end])
            self._keep(self._trees.take())
        if thought_end > thought:
            self.reasoning += self._thoughts.feed(reasoning[thought:thought_end])
        whole = end == len(text) and thought_end == len(reasoning)
        if closed and whole and not self.closed:
            self._close()
        return whole

    @property
    def open(self) -> bytes:
        """The tail as it looks now, as JSON."""
        if self._open is None:
            self._open = _encoder.encode(self._trees.tail())
        return self._open

    @property
    def end(self) -> Position:
        """How much there is."""
        return Position(len(self.blocks), len(self.reasoning))

    def _close(self) -> None:
        self.closed = True
        self._trees.close()
        self._keep(self._trees.take())
        self.reasoning += self._thoughts.close()

    def _keep(self, nodes: list[Node]) -> None:
        self.blocks += map(_encoder.encode, nodes)
        self._open = None


class Reader:
    """One who reads a view: gives the events with what is new since the last time.

    Who comes back says from where; the tail that they may still have on the screen is replaced in any case.
    """

    def __init__(self, view: PageView, position: Position | None = None) -> None:
        self._view = view
        self.position = position or Position()
        self._shown = b"[]" if position is None else b""  # the tail

    def take(self) -> bytes:
        """The next events, as bytes to send; nothing if there is nothing new."""
        blocks, reasoning = self.position
        end = self._view.end
        if end.blocks < blocks or end.reasoning < reasoning:
            return b""  # a view that was begun anew is still to come to where this reader was
        events = b""
        if end.reasoning > reasoning:
            self.position = Position(blocks, end.reasoning)
            events += self._event("reasoning", _encoder.encode({"t": self._view.reasoning[reasoning:]}))
        if end.blocks > blocks or self._view.open != self._shown:
            self.position = end
            self._shown = self._view.open
            done = b",".join(self._view.blocks[blocks:])
            events += self._event("blocks", b'{"done":[%b],"open":%b}' % (done, self._shown))
        return events

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more."""
        return self._view.closed and self.position >= self._view.end and self._shown == b"[]"

    def _event(self, name: str, data: bytes) -> bytes:
        return frame(data, event=name, id=str(self.position))
