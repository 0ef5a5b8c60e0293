"""How the events of an answer are written for a reader: what every format does, and our own format.

To add a format, write an Encoder: it is fed what the run sees, in its order, and gives whole frames of an event stream.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

import msgspec

from streamchat.chat import Reply
from streamchat.errors import ChatError
from streamchat.events import Event, Reasoning, Retry, Text, Usage
from streamchat.prices import Cost
from streamchat.sse import comment
from streamchat.web.errors import described

encode: Final = msgspec.json.Encoder().encode
PING: Final = comment("ping")


class Encoder(Protocol):
    """One answer in one format. Each method gives the frames to send, none or more of them."""

    ping: bytes
    """What is sent when nothing else is to be sent."""

    def start(self) -> Sequence[bytes]:
        """Before anything has come."""

    def events(self, batch: Sequence[Event]) -> Sequence[bytes]:
        """What came together; deltas of one kind side by side are one delta."""

    def done(self, reply: Reply) -> Sequence[bytes]:
        """The end, by the provider's word."""

    def error(self, error: ChatError, reply: Reply) -> Sequence[bytes]:
        """The end, by anything else; `reply` is what had come."""


class Native:
    """Our own format: `start, retry, reasoning, token, usage`, and one of `done` and `error`; ids count from 0."""

    ping = PING

    def __init__(
        self,
        about: dict[str, Any],
        *,
        priced: Callable[[Usage], Cost | None],
        trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`about` is what `start` says: run, conversation, message, model, provider. `priced` says what a usage
        costs; `trouble` what of the answer could not be kept, which its end tells."""
        self._about = about
        self._priced = priced
        self._trouble = trouble
        self._usage = Usage()
        self._next = 0

    def go_on(self, number: int) -> None:
        """The next event has this number."""
        self._next = number

    def start(self) -> Sequence[bytes]:
        return [self._frame("start", {**self._about, "created": int(time.time())})]

    def events(self, batch: Sequence[Event]) -> Sequence[bytes]:
        return [frame for event in joined(batch) if (frame := self._event(event))]

    def done(self, reply: Reply) -> Sequence[bytes]:
        first, speed = reply.first_token, reply.tokens_per_second
        return [
            self._frame(
                "done",
                {
                    "reason": reply.stop_reason,
                    "detail": reply.detail,
                    "message": self._about.get("message"),
                    "first_token_ms": None if first is None else round(first * 1000),
                    "ms": round(reply.elapsed * 1000),
                    "tokens_per_s": None if speed is None else round(speed, 1),
                    **self._unkept(),
                },
            )
        ]

    def error(self, error: ChatError, reply: Reply) -> Sequence[bytes]:
        return [self._frame("error", {**described(error), "partial": bool(reply.text), **self._unkept()})]

    def _unkept(self) -> dict[str, str]:
        trouble = self._trouble()
        return {"trouble": trouble} if trouble else {}

    def _event(self, event: Event) -> bytes | None:
        match event:
            case Text(text=text):
                return self._delta(b"token", text)
            case Reasoning(text=text):
                return self._delta(b"reasoning", text)
            case Usage():
                self._usage = self._usage.updated(event)  # providers report in instalments
                cost = self._priced(self._usage)
                known = msgspec.structs.asdict(self._usage)
                paid = {"cost": cost and cost.dollars, "estimated": bool(cost and cost.estimated)}
                return self._frame("usage", {**known, **paid})
            case Retry():
                return self._frame("retry", msgspec.to_builtins(event))
        return None  # the stop is told by `done`, when everything is kept

    def _delta(self, name: bytes, text: str) -> bytes:
        number = self._next
        self._next = number + 1
        return b'id: %d\nevent: %b\ndata: {"t":%b}\n\n' % (number, name, encode(text))

    def _frame(self, name: str, value: dict[str, Any]) -> bytes:
        number = self._next
        self._next = number + 1
        return b"id: %d\nevent: %b\ndata: %b\n\n" % (number, name.encode(), encode(value))


class Simple:
    """What the tutorials send: `{"token": ...}` for each delta, then `{"done": true}`; an error is `{"error": ...}`."""

    ping = PING

    def start(self) -> Sequence[bytes]:
        return ()

    def events(self, batch: Sequence[Event]) -> Sequence[bytes]:
        return [b'data: {"token":%b}\n\n' % encode(event.text) for event in joined(batch) if isinstance(event, Text)]

    def done(self, reply: Reply) -> Sequence[bytes]:
        return [_data({"done": True})]

    def error(self, error: ChatError, reply: Reply) -> Sequence[bytes]:
        return [_data({"error": error.message})]


def joined(batch: Sequence[Event]) -> Iterable[Event]:
    """The events with neighbours of the same kind of delta as one."""
    return batch if len(batch) == 1 else _joined(batch)


def _joined(batch: Sequence[Event]) -> Iterator[Event]:
    kind: type[Text | Reasoning] | None = None
    parts: list[str] = []
    for event in batch:
        if isinstance(event, Text | Reasoning):
            if type(event) is not kind:
                if kind is not None:
                    yield kind("".join(parts))
                kind, parts = type(event), []
            parts.append(event.text)
            continue
        if kind is not None:
            yield kind("".join(parts))
            kind, parts = None, []
        yield event
    if kind is not None:
        yield kind("".join(parts))


def _data(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % encode(value)
