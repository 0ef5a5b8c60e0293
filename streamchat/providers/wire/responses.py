"""OpenAI Responses as it is streamed. Source of the format: the vendor's API reference, "Responses: streaming events".

Its errors are ordinary events (`error`, `response.failed`), and a reply that the limit or a filter cut arrives as
`response.incomplete`; a client that looks at the text deltas alone takes both for a whole answer.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from streamchat.errors import ChatError
from streamchat.events import Event, Reasoning, Stop, StopReason, Text, Usage
from streamchat.providers.base import Wire
from streamchat.providers.wire.datum import decode
from streamchat.providers.wire.faults import body_error
from streamchat.sse import Frame

_INCOMPLETE: Final[dict[str, StopReason]] = {"max_output_tokens": "length", "content_filter": "filter"}


class InputDetails(Struct):
    cached_tokens: int | None = None


class OutputDetails(Struct):
    reasoning_tokens: int | None = None


class Figures(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


class Incomplete(Struct):
    reason: str | None = None


class Whole(Struct):
    """The `response` object of the closing events."""

    status: str | None = None
    usage: Figures | None = None
    incomplete_details: Incomplete | None = None
    error: Any = None


class Datum(Struct):
    type: str = ""
    delta: str | None = None
    response: Whole | None = None
    error: Any = None
    message: str | None = None
    code: str | None = None


_DATUM = msgspec.json.Decoder(Datum)
_REASONING: Final = frozenset(("response.reasoning_summary_text.delta", "response.reasoning_text.delta"))
_CLOSING: Final = frozenset(("response.completed", "response.incomplete", "response.failed", "response.cancelled"))


class ResponsesWire(Wire):
    """Reads the events of one streamed response. `name` is the provider's, for its errors."""

    def __init__(self, name: str, *, stop_reason_optional: bool = False) -> None:
        super().__init__(stop_reason_optional=stop_reason_optional)
        self._name = name
        self._refused = False
        self._summaries = False

    def read(self, frame: Frame) -> Iterable[Event]:
        if frame.data.startswith("[DONE]"):
            self.ended = True
            return ()
        datum = decode(_DATUM, frame.data)
        return self._events(datum.type or frame.event, datum, frame)

    def _events(self, kind: str, datum: Datum, frame: Frame) -> Iterator[Event]:
        if kind == "response.output_text.delta" and datum.delta:
            yield Text(datum.delta)
        elif kind in _REASONING and datum.delta:
            yield from self._thought(kind, datum.delta)
        elif kind == "response.reasoning_summary_part.added" and self._summaries:
            yield Reasoning("\n\n")
        elif kind == "response.refusal.delta" and datum.delta:
            self._refused = True
            yield Text(datum.delta)
        elif kind in _CLOSING:
            yield from self._closing(kind, datum.response or Whole())
        elif kind == "error" or (datum.error and not kind.startswith("response.")):
            raise self._error(datum, frame)

    def _thought(self, kind: str, delta: str) -> Iterator[Event]:
        """Summaries where there are any; an open model's raw reasoning where there are none."""
        if kind == "response.reasoning_summary_text.delta":
            self._summaries = True
            yield Reasoning(delta)
        elif not self._summaries:
            yield Reasoning(delta)

    def _closing(self, kind: str, whole: Whole) -> Iterator[Event]:
        self.ended = True
        if whole.usage is not None:
            yield usage_of(whole.usage)
        if kind == "response.failed" or whole.error:
            raise body_error(self._name, whole.error or "the response failed")
        if kind == "response.cancelled":
            raise body_error(self._name, "the response was cancelled")
        why = whole.incomplete_details.reason if whole.incomplete_details else None
        if kind == "response.incomplete" or whole.status == "incomplete" or why:
            self.stop = Stop(_INCOMPLETE.get(why or "", "length"), None if why in _INCOMPLETE else why)
        else:
            self.stop = Stop("refusal" if self._refused else "stop")

    def _error(self, datum: Datum, frame: Frame) -> ChatError:
        body = datum.error or {"message": datum.message or frame.data, "code": datum.code or ""}
        return body_error(self._name, body)


def usage_of(figures: Figures) -> Usage:
    """The vendor's figures in our terms."""
    given, made = figures.input_tokens_details, figures.output_tokens_details
    return Usage(
        input_tokens=figures.input_tokens,
        output_tokens=figures.output_tokens,
        cached_tokens=given.cached_tokens if given else None,
        reasoning_tokens=made.reasoning_tokens if made else None,
    )
