"""Anthropic's Messages as they are answered: the events of a stream, the whole of it, the errors.

Source of the format: the vendor's API reference, "Streaming messages" and "Errors".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from streamchat.chat import Reply
from streamchat.errors import ChatError
from streamchat.events import Event, Reasoning, StopReason, Text, Usage
from streamchat.providers.base import Provider
from streamchat.providers.wire.datum import lenient
from streamchat.web.encoding import encode, joined
from streamchat.web.http import Answer, answer_json
from streamchat.web.public import headers_of, is_out_of_money, is_overloaded, status_of, words_of

PING: Final = b'event: ping\ndata: {"type":"ping"}\n\n'
STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

STOP_REASONS: Final[dict[StopReason, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool": "tool_use",
    "filter": "refusal",
    "refusal": "refusal",
}
_OVERLOADED = 529
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    _OVERLOADED: "overloaded_error",
}
_BLOCKS: Final = {
    Text: (b'{"type":"text","text":""}', b'{"type":"text_delta","text":'),
    Reasoning: (b'{"type":"thinking","thinking":"","signature":""}', b'{"type":"thinking_delta","thinking":'),
}


class MessageEvents:
    """The encoder of one streamed message: a block of text or thinking is open while deltas of its kind come."""

    ping = PING

    def __init__(self, id: str, model: str, *, provider: Provider | None = None) -> None:  # noqa: A002
        self._id, self._model, self._provider = id, model, provider
        self._open: type[Event] | None = None
        self._index = -1

    def start(self) -> Sequence[bytes]:
        message = {**_opening(self._id, self._model), "usage": {"input_tokens": 0, "output_tokens": 0}}
        return [_event("message_start", message=message)]

    def events(self, batch: Sequence[Event]) -> Sequence[bytes]:
        frames: list[bytes] = []
        for event in joined(batch):
            if isinstance(event, Text | Reasoning):
                if self._open is not type(event):
                    frames += self._closed()
                    frames.append(self._opened(type(event)))
                head = _BLOCKS[type(event)][1]
                frames.append(
                    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b%b}}\n\n'
                    % (self._index, head, encode(event.text))
                )
        return frames

    def done(self, reply: Reply) -> Sequence[bytes]:
        delta = {"stop_reason": stop_reason(reply), "stop_sequence": None}
        return [*self._closed(), _event("message_delta", delta=delta, usage=figures(reply.usage)), STOP]

    def error(self, error: ChatError, reply: Reply) -> Sequence[bytes]:
        return [told(error, self._provider)]

    def _opened(self, kind: type[Text | Reasoning]) -> bytes:
        self._open, self._index = kind, self._index + 1
        return b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n' % (
            self._index,
            _BLOCKS[kind][0],
        )

    def _closed(self) -> list[bytes]:
        if self._open is None:
            return []
        self._open = None
        return [_event("content_block_stop", index=self._index)]


class Gathering:
    """The events of a relayed message, put together as the vendor would have sent it whole."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, str] = {}

    def add(self, event: Mapping[str, Any]) -> None:
        """One more."""
        match event.get("type"):
            case "message_start":
                self._message = dict(event["message"])
            case "content_block_start":
                self._blocks[int(event["index"])] = dict(event["content_block"])
            case "content_block_delta":
                self._delta(int(event["index"]), event["delta"])
            case "message_delta":
                rest = {key: value for key, value in event.items() if key not in ("type", "delta", "usage")}
                known = {key: value for key, value in (event.get("usage") or {}).items() if value is not None}
                usage = {**(self._message.get("usage") or {}), **known}
                self._message |= {**rest, **event.get("delta", {}), "usage": usage}

    def whole(self) -> dict[str, Any]:
        """All of it."""
        for index, text in self._inputs.items():
            self._blocks[index]["input"] = lenient(text) if text else {}
        return {**self._message, "content": [block for _, block in sorted(self._blocks.items())]}

    def _delta(self, index: int, delta: Mapping[str, Any]) -> None:
        block = self._blocks[index]
        for key, value in delta.items():
            if key == "partial_json":
                self._inputs[index] = self._inputs.get(index, "") + value
            elif key == "citation":
                block["citations"] = [*(block.get("citations") or ()), value]
            elif key != "type":
                old = block.get(key)
                block[key] = old + value if isinstance(old, str) and isinstance(value, str) else value


def whole(reply: Reply, id: str, model: str) -> Answer:  # noqa: A002
    """A message that was not streamed."""
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        content.append({"type": "thinking", "thinking": reply.reasoning, "signature": ""})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    message = {**_opening(id, model), "content": content, "stop_reason": stop_reason(reply)}
    return answer_json({**message, "usage": figures(reply.usage)})


def stop_reason(reply: Reply) -> str:
    """Why it ended, in the vendor's word."""
    return STOP_REASONS.get(reply.stop_reason or "stop", "end_turn")


def figures(usage: Usage) -> dict[str, Any]:
    """The usage in the vendor's terms, who counts the cached parts of the prompt apart; what nobody said is 0."""
    read, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    return {
        "input_tokens": max(0, (usage.input_tokens or 0) - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output_tokens or 0,
    }


def described(error: ChatError, provider: Provider | None = None) -> dict[str, Any]:
    """The error in the vendor's shape."""
    status = _status(error)
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    if is_out_of_money(error):
        kind = "billing_error"
    return {"type": "error", "error": {"type": kind, "message": words_of(error, provider)}, "request_id": None}


def told(error: ChatError, provider: Provider | None = None) -> bytes:
    """The error in a stream, which it ends."""
    return b"event: error\ndata: %b\n\n" % encode(described(error, provider))


def refused(error: ChatError, provider: Provider | None = None) -> Answer:
    """The error where no stream has begun."""
    return answer_json(described(error, provider), _status(error), **headers_of(error))


def _status(error: ChatError) -> int:
    return _OVERLOADED if is_overloaded(error) else status_of(error)


def _opening(id: str, model: str) -> dict[str, Any]:  # noqa: A002
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode({"type": kind, **fields}))
