"""Anthropic Messages as it is streamed. Source of the format: the vendor's API reference, "Streaming messages".

The stop reason comes in `message_delta`, the end in `message_stop`; an `error` event can come at any time, also as the
first one and with HTTP status 200. `ping` and unknown events are passed over, as the vendor asks.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from streamchat.events import Event, Reasoning, Stop, StopReason, Text, Usage
from streamchat.providers.base import Wire
from streamchat.providers.wire.datum import decode
from streamchat.providers.wire.faults import body_error
from streamchat.sse import Frame

STOP_REASONS: Final[dict[str, StopReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool",
    "refusal": "refusal",
}


class OutputDetails(Struct):
    thinking_tokens: int | None = None


class Figures(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None


class Block(Struct):
    text: str | None = None
    thinking: str | None = None


class StopDetails(Struct):
    explanation: str | None = None


class Delta(Struct):
    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class Begun(Struct):
    usage: Figures | None = None


class Datum(Struct):
    type: str = ""
    delta: Delta | None = None
    content_block: Block | None = None
    message: Begun | str | None = None
    usage: Figures | None = None
    error: Any = None


_DATUM = msgspec.json.Decoder(Datum)


class MessagesWire(Wire):
    """Reads the events of one streamed message. `name` is the provider's, for its errors."""

    def __init__(self, name: str, *, stop_reason_optional: bool = False) -> None:
        super().__init__(stop_reason_optional=stop_reason_optional)
        self._name = name
        self._cache = Figures()

    def read(self, frame: Frame) -> Iterable[Event]:
        datum = decode(_DATUM, frame.data)
        kind = datum.type or frame.event
        if kind == "error" or datum.error:
            raise body_error(self._name, datum.error or datum.message or frame.data)
        if kind == "message_stop":
            self.ended = True
            return ()
        return self._events(datum)

    def _events(self, datum: Datum) -> Iterator[Event]:
        for part in (datum.content_block, datum.delta):
            if part is not None and part.thinking:
                yield Reasoning(part.thinking)
            if part is not None and part.text:
                yield Text(part.text)
        if datum.delta is not None and datum.delta.stop_reason:
            self.stop = _stop(datum.delta)
        figures = datum.usage or (datum.message.usage if isinstance(datum.message, Begun) else None)
        if figures is not None:
            yield self._usage(figures)

    def _usage(self, figures: Figures) -> Usage:
        """The vendor counts the cached parts of the prompt apart; in our terms `input_tokens` is the whole prompt."""
        if figures.cache_read_input_tokens is not None or figures.cache_creation_input_tokens is not None:
            self._cache = figures
        read, written = self._cache.cache_read_input_tokens, self._cache.cache_creation_input_tokens
        uncached, details = figures.input_tokens, figures.output_tokens_details
        return Usage(
            input_tokens=None if uncached is None else uncached + (read or 0) + (written or 0),
            output_tokens=figures.output_tokens,
            cached_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=details.thinking_tokens if details else None,
        )


def _stop(delta: Delta) -> Stop:
    word = delta.stop_reason or ""
    detail = delta.stop_details.explanation if delta.stop_details else None
    return Stop(STOP_REASONS.get(word, "stop"), detail or (None if word in STOP_REASONS else word))
