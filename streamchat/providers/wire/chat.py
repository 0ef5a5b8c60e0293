"""OpenAI Chat Completions as it is streamed, by its vendor and by the many servers that speak it nearly so.

Source of the format: the vendor's API reference, "Chat Completions: streaming", and the dialects that servers added:
`reasoning_content` (DeepSeek, vLLM, llama-server), `reasoning` (OpenRouter, Groq, Ollama), content as a list of parts
(Mistral), errors inside the stream (OpenRouter, Groq).
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

Content = str | list[Any] | None

STOP_REASONS: Final[dict[str, StopReason]] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool",
    "function_call": "tool",
    "content_filter": "filter",
    "refusal": "refusal",
    "error": "error",
}


class PromptDetails(Struct):
    cached_tokens: int | None = None


class OutputDetails(Struct):
    reasoning_tokens: int | None = None


class Figures(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    cost: Any = None
    """What OpenRouter charged, in US dollars; others put other things there."""


class Delta(Struct):
    content: Content = None
    reasoning_content: Content = None
    reasoning: Content = None
    refusal: str | None = None


class Choice(Struct):
    delta: Delta | None = None
    finish_reason: str | None = None


class Vendor(Struct):
    """Where Groq puts the usage."""

    usage: Figures | None = None


class Chunk(Struct):
    choices: list[Choice] | None = None
    usage: Figures | None = None
    x_groq: Vendor | None = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(Chunk)


class ChatWire(Wire):
    """Reads the chunks of one streamed chat completion. `name` is the provider's, for its errors."""

    def __init__(self, name: str, *, stop_reason_optional: bool = False) -> None:
        super().__init__(stop_reason_optional=stop_reason_optional)
        self._name = name
        self._refused = False

    def read(self, frame: Frame) -> Iterable[Event]:
        if not frame.data.startswith("{") and frame.data.lstrip().startswith("[DONE]"):
            self.ended = True
            return ()
        chunk = decode(_CHUNK, frame.data)
        if chunk.error or frame.event == "error":
            raise body_error(self._name, chunk.error or frame.data)
        return self._events(chunk)

    def _events(self, chunk: Chunk) -> list[Event]:
        events: list[Event] = []
        for choice in chunk.choices or ():
            if choice.delta is not None:
                self._take(choice.delta, events)
            if choice.finish_reason:
                self.stop = self._stop(choice.finish_reason)
        usage = chunk.usage or (chunk.x_groq.usage if chunk.x_groq else None)
        if usage is not None:
            events.append(usage_of(usage))
        return events

    def _take(self, delta: Delta, events: list[Event]) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if thought:
            events += parts(thought, Reasoning)
        if delta.content:
            events += parts(delta.content, Text)
        if delta.refusal:
            self._refused = True
            events.append(Text(delta.refusal))

    def _stop(self, word: str) -> Stop:
        if self._refused and word == "stop":
            return Stop("refusal")
        return Stop(STOP_REASONS.get(word, "stop"), None if word in STOP_REASONS else word)


def parts(content: str | list[Any], kind: type[Text | Reasoning]) -> Iterable[Event]:
    """A content field as events: a string, or Mistral's list of `text` and `thinking` parts."""
    return (kind(content),) if isinstance(content, str) else _listed(content, kind)


def _listed(content: list[Any], kind: type[Text | Reasoning]) -> Iterator[Event]:
    for part in content:
        if isinstance(part, str) and part:
            yield kind(part)
        elif isinstance(part, dict):
            inner = part.get("text") or part.get("thinking") or ""
            if inner:
                yield from parts(inner, Reasoning if part.get("type") == "thinking" else kind)


def usage_of(figures: Figures) -> Usage:
    """The vendor's figures in our terms."""
    prompt, output = figures.prompt_tokens_details, figures.completion_tokens_details
    return Usage(
        input_tokens=figures.prompt_tokens,
        output_tokens=figures.completion_tokens,
        cached_tokens=prompt.cached_tokens if prompt else None,
        reasoning_tokens=output.reasoning_tokens if output else None,
        cost=float(figures.cost) if type(figures.cost) in (int, float) and figures.cost >= 0 else None,
    )
