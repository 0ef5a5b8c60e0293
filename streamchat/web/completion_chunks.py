"""OpenAI's Chat Completions as they are answered: the chunks of a stream, the whole of it, the errors.

Source of the format: the vendor's API reference, "Chat Completions: streaming"; reasoning goes under
`reasoning_content`, as the servers have it that send any.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from streamchat.chat import Reply
from streamchat.errors import ChatError, UnknownModelError
from streamchat.events import Event, Reasoning, StopReason, Text, Usage
from streamchat.providers.base import Provider
from streamchat.web.encoding import PING, encode, joined
from streamchat.web.errors import code_of
from streamchat.web.http import Answer, answer_json
from streamchat.web.public import headers_of, is_out_of_money, status_of, words_of

DONE: Final = b"data: [DONE]\n\n"

FINISH_REASONS: Final[dict[StopReason, str]] = {
    "stop": "stop",
    "length": "length",
    "tool": "tool_calls",
    "filter": "content_filter",
    "refusal": "content_filter",
}
_CODES = {"auth": "invalid_api_key", "unknown_model": "model_not_found", "rate_limited": "rate_limit_exceeded"}
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_ONCE = frozenset(("id", "type", "name", "role", "format", "status"))
"""Strings of a delta that are said once and not in parts, though some servers say them with each."""


class Chunks:
    """The encoder of one streamed completion."""

    ping = PING

    def __init__(self, id: str, model: str, *, provider: Provider | None = None, with_usage: bool = False) -> None:  # noqa: A002
        self._opening = {"id": id, "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        self._head = b'data: %b,"choices":[{"index":0,"delta":{' % encode(self._opening)[:-1]
        self._with_usage, self._provider = with_usage, provider

    def start(self) -> Sequence[bytes]:
        return [self._chunk(b'"role":"assistant","content":""')]

    def events(self, batch: Sequence[Event]) -> Sequence[bytes]:
        frames: list[bytes] = []
        for event in joined(batch):
            if isinstance(event, Text):
                frames.append(self._chunk(b'"content":%b' % encode(event.text)))
            elif isinstance(event, Reasoning):
                frames.append(self._chunk(b'"reasoning_content":%b' % encode(event.text)))
        return frames

    def done(self, reply: Reply) -> Sequence[bytes]:
        frames = [self._chunk(b"", finish_reason(reply))]
        if self._with_usage:
            usage = {**self._opening, "choices": [], "usage": figures(reply.usage)}
            frames.append(b"data: %b\n\n" % encode(usage))
        return [*frames, DONE]

    def error(self, error: ChatError, reply: Reply) -> Sequence[bytes]:
        return [told(error, self._provider)]

    def _chunk(self, delta: bytes, finish: str | None = None) -> bytes:
        return b'%b%b},"finish_reason":%b}]}\n\n' % (self._head, delta, encode(finish))


class Gathering:
    """The chunks of a relayed answer, put together as the vendor would have sent it whole."""

    def __init__(self) -> None:
        self._top: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def add(self, chunk: Mapping[str, Any]) -> None:
        """One more."""
        for choice in chunk.get("choices") or ():
            self._choice(choice)
        self._top |= {
            key: value
            for key, value in chunk.items()
            if key not in ("choices", "object", "obfuscation") and (value is not None or key not in self._top)
        }

    def whole(self) -> dict[str, Any]:
        """All of it."""
        for choice in self._choices.values():
            for call in choice["message"].get("tool_calls") or ():
                call.pop("index", None)
        choices = [choice for _, choice in sorted(self._choices.items())]
        return {**self._top, "object": "chat.completion", "choices": choices}

    def _choice(self, choice: Mapping[str, Any]) -> None:
        index = int(choice.get("index") or 0)
        kept = self._choices.setdefault(
            index, {"index": index, "message": {"role": "assistant", "content": None}, "finish_reason": None}
        )
        _merge(kept["message"], choice.get("delta") or {})
        rest = {key: value for key, value in choice.items() if key not in ("index", "delta", "finish_reason")}
        _merge(kept, rest)
        kept["finish_reason"] = choice.get("finish_reason") or kept["finish_reason"]


def whole(reply: Reply, id: str, model: str) -> Answer:  # noqa: A002
    """A completion that was not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(reply)}
    opening = {"id": id, "object": "chat.completion", "created": int(reply.started), "model": model}
    return answer_json({**opening, "choices": [choice], "usage": figures(reply.usage)})


def finish_reason(reply: Reply) -> str:
    """Why it ended, in the vendor's word."""
    return FINISH_REASONS.get(reply.stop_reason or "stop", "stop")


def figures(usage: Usage) -> dict[str, Any] | None:
    """The usage in the vendor's terms; None where the provider said nothing of it."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    given, made = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
    }


def described(error: ChatError, provider: Provider | None = None) -> dict[str, Any]:
    """The error in the vendor's shape."""
    status = status_of(error)
    code, kind = code_of(error), _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    if is_out_of_money(error):
        code = kind = "insufficient_quota"
    elif isinstance(error, UnknownModelError):
        code = "model_not_found"
    return {
        "error": {"message": words_of(error, provider), "type": kind, "param": None, "code": _CODES.get(code, code)}
    }


def told(error: ChatError, provider: Provider | None = None) -> bytes:
    """The error in a stream, which it ends: no `[DONE]` comes after it."""
    return b"data: %b\n\n" % encode(described(error, provider))


def refused(error: ChatError, provider: Provider | None = None) -> Answer:
    """The error where no stream has begun."""
    return answer_json(described(error, provider), status_of(error), **headers_of(error))


def _merge(kept: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Put a delta to what came: text goes on, lists grow, what has an index is the entry of that index."""
    for key, value in delta.items():
        old = kept.get(key)
        if value is None or old is None:
            kept[key] = old if value is None else _fresh(value)
        elif isinstance(old, str) and isinstance(value, str):
            kept[key] = (old or value) if key in _ONCE else old + value
        elif isinstance(old, dict) and isinstance(value, dict):
            _merge(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            _extend(old, value)
        elif isinstance(old, list) and isinstance(value, str):
            old.append({"type": "text", "text": value})
        elif isinstance(old, str) and isinstance(value, list):
            kept[key] = [*([{"type": "text", "text": old}] if old else []), *value]
        else:
            kept[key] = value


def _fresh(value: Any) -> Any:
    """A copy that can grow."""
    if isinstance(value, dict):
        made: dict[str, Any] = {}
        _merge(made, value)
        return made
    if isinstance(value, list):
        entries: list[Any] = []
        _extend(entries, value)
        return entries
    return value


def _extend(kept: list[Any], more: Sequence[Any]) -> None:
    for each in more:
        index = each.get("index") if isinstance(each, dict) else None
        known = index is not None and next(
            (entry for entry in kept if isinstance(entry, dict) and entry.get("index") == index), None
        )
        if known:
            _merge(known, each)
        else:
            kept.append(_fresh(each))
