"""Well-formed answers of Anthropic Messages, field for field as the service sends them."""

from collections.abc import Iterable
from typing import Any

from tests.wire.payload import ANTHROPIC_MODEL, REQUEST_ID, Packets, event


def message_event(kind: str, **fields: Any) -> bytes:
    """One event, its kind in the name and in the data."""
    return event({"type": kind} | fields, kind)


def messages_answer(
    deltas: Iterable[str],
    *,
    usage: tuple[int, int] | None = (12, 5),
    stop_reason: str | None = "end_turn",
    thinking: Iterable[str] = (),
    redacted: bool = False,
    pings: int = 1,
    explanation: str | None = None,
    stop: bool = True,
) -> Packets:
    """A streamed message. `stop_reason=None` and `stop=False` leave `message_delta` and `message_stop` out."""
    given, made = usage or (0, 0)
    packets = [message_event("message_start", message=_opening(given))]
    blocks = 0
    if thoughts := list(thinking):
        packets += _thinking_block(thoughts, blocks)
        blocks += 1
    if redacted:
        block = {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"}
        packets.append(message_event("content_block_start", index=blocks, content_block=block))
        packets.append(message_event("content_block_stop", index=blocks))
        blocks += 1
    first, *rest = _text_block(list(deltas), blocks)
    packets += [first, *[message_event("ping")] * pings, *rest]
    if stop_reason is not None:
        packets.append(_message_delta(given, made, stop_reason, explanation))
    if stop:
        packets.append(message_event("message_stop"))
    return packets


def messages_error(message: str, kind: str = "overloaded_error") -> bytes:
    """An `error` event."""
    return message_event("error", error={"type": kind, "message": message}, request_id=REQUEST_ID)


def _cache(given: int) -> dict[str, Any]:
    """The vendor counts what came from its cache apart from the other input."""
    return {
        "input_tokens": max(given - 4, 0),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": min(given, 4),
    }


def _opening(given: int) -> dict[str, Any]:
    creation = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
    return {
        "id": "msg_014p7gG3wDgGV9EUtLvnow3U",
        "type": "message",
        "role": "assistant",
        "model": ANTHROPIC_MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _cache(given) | {"cache_creation": creation, "output_tokens": 1, "service_tier": "standard"},
    }


def _thinking_block(thoughts: list[str], index: int) -> Packets:
    block = {"type": "thinking", "thinking": "", "signature": ""}
    return [
        message_event("content_block_start", index=index, content_block=block),
        *(_delta(index, "thinking_delta", thinking=thought) for thought in thoughts),
        _delta(index, "signature_delta", signature="EqQBCgIYAhIM1gbcDa9GJwZA2b3h"),
        message_event("content_block_stop", index=index),
    ]


def _text_block(deltas: list[str], index: int) -> Packets:
    return [
        message_event("content_block_start", index=index, content_block={"type": "text", "text": ""}),
        *(_delta(index, "text_delta", text=delta) for delta in deltas),
        message_event("content_block_stop", index=index),
    ]


def _delta(index: int, kind: str, **fields: Any) -> bytes:
    return message_event("content_block_delta", index=index, delta={"type": kind} | fields)


def _message_delta(given: int, made: int, stop_reason: str, explanation: str | None) -> bytes:
    delta: dict[str, Any] = {"stop_reason": stop_reason, "stop_sequence": None}
    if explanation is not None:
        delta["stop_details"] = {"type": "refusal", "category": None, "explanation": explanation}
    return message_event("message_delta", delta=delta, usage=_cache(given) | {"output_tokens": made})
