"""What is asked and what came back: Message and Chat are values, Reply is the one thing that grows."""

import time
from typing import Any, Literal

from msgspec import Struct, field

from streamchat.events import DELTAS, INCOMPLETE, Event, Stop, StopReason, Text, Usage

_SHORTEST_SPAN = 0.1
"""Seconds. An answer that came in one packet has no speed: what would be measured is the packet's way through here."""

Role = Literal["user", "assistant"]


class Attachment(Struct, frozen=True):
    """An image or a PDF that goes with a message; what is text stands in the message itself."""

    name: str
    media_type: str
    data: bytes

    def __repr__(self) -> str:
        return f"Attachment({self.name!r}, {self.media_type!r}, {len(self.data)} bytes)"


class Message(Struct, frozen=True, omit_defaults=True):
    """One turn's half. The system prompt is not a message: it belongs to the Chat."""

    role: Role
    content: str
    attachments: tuple[Attachment, ...] = ()


class Options(Struct, frozen=True, omit_defaults=True):
    """How to answer; None leaves the choice to the provider.

    `think` is `off`, `low`, `medium`, `high` or a number of tokens. `extra` goes into the request as it is. `schema` is
    a JSON schema: the answer is to be JSON of that shape.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    think: str | int | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    schema: dict[str, Any] | None = None


class Chat(Struct, frozen=True):
    """One request: everything that a provider needs to answer, and nothing about how the answer is shown."""

    model: str
    messages: tuple[Message, ...]
    system: str | None = None
    options: Options = Options()


class Reply:
    """What came back so far. Only the stream that it belongs to adds to it; everybody may read it at any time.

    Times are in seconds: `started` since the epoch, `first_token` and `elapsed` from the request on, by a clock that
    never goes back. `stop_reason` is None while the reply is growing.
    """

    __slots__ = ("_begun", "_reasoning", "_text", "detail", "elapsed", "first_token", "model", "provider", "started",
                 "stop_reason", "usage")  # fmt: skip

    def __init__(self, *, provider: str = "", model: str = "") -> None:
        self.provider = provider
        self.model = model
        self.usage = Usage()
        self.stop_reason: StopReason | None = None
        self.detail: str | None = None
        self.started = time.time()
        self.first_token: float | None = None
        self.elapsed = 0.0
        self._begun = time.monotonic()
        self._text: list[str] = []
        self._reasoning: list[str] = []

    @property
    def text(self) -> str:
        """The answer so far."""
        return _joined(self._text)

    @property
    def reasoning(self) -> str:
        """What the model thought so far."""
        return _joined(self._reasoning)

    @property
    def tokens_per_second(self) -> float | None:
        """The provider's output tokens over the time since the first one came; None before both are known, and where
        the time is too short to divide by."""
        if self.first_token is None or not self.usage.output_tokens:
            return None
        spent = self.elapsed - self.first_token
        return self.usage.output_tokens / spent if spent >= _SHORTEST_SPAN else None

    @property
    def shortage(self) -> str | None:
        """A sentence about an answer that stopped short by the provider's own word, or in which there is nothing; None
        for any other."""
        if self.stop_reason in INCOMPLETE:
            return f"the answer stopped short: {self.stop_reason}" + (f" ({self.detail})" if self.detail else "")
        if self.stop_reason == "stop" and all(not part or part.isspace() for part in self._text):  # nothing is copied
            return "the answer is empty" + (": the model only thought" if self.reasoning.strip() else "")
        return None

    def add(self, event: Event) -> None:
        """Take one event in."""
        self.elapsed = time.monotonic() - self._begun
        if isinstance(event, DELTAS):
            (self._text if isinstance(event, Text) else self._reasoning).append(event.text)
            if self.first_token is None:
                self.first_token = self.elapsed
        elif isinstance(event, Usage):
            self.usage = self.usage.updated(event)
        elif isinstance(event, Stop):
            self.stop_reason, self.detail = event.reason, event.detail

    def stop(self, reason: StopReason, detail: str | None = None) -> None:
        """Close the reply for a reason of ours; one that is closed, as by the provider's own, stays as it is."""
        if self.stop_reason is None:
            self.elapsed = time.monotonic() - self._begun
            self.stop_reason, self.detail = reason, detail

    def __repr__(self) -> str:
        return f"Reply({self.text!r}, stop_reason={self.stop_reason!r}, usage={self.usage!r})"


def _joined(parts: list[str]) -> str:
    """The parts as one string, kept as one part: reading a growing text costs its length, not its history."""
    if len(parts) > 1:
        parts[:] = ["".join(parts)]
    return parts[0] if parts else ""
