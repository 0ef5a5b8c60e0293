"""Well-formed answers of OpenAI Chat Completions, field for field as the service sends them."""

from collections.abc import Iterable
from typing import Any

from tests.wire.payload import CREATED, OPENAI_MODEL, Packets, event


def chat_chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    """One chunk; without a delta it has no choices."""
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    chunk = {
        "id": "chatcmpl-CfZ4k2bQm7yTzS0",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": OPENAI_MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_50906f2aac",
        "choices": [] if delta is None else choices,
        "usage": None,
        "obfuscation": "q7Xw2",
    }
    return event(chunk | fields)


def chat_usage(given: int, made: int, *, thought: int = 0, cached: int = 0) -> dict[str, Any]:
    """Tokens in, tokens out."""
    return {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat_answer(
    deltas: Iterable[Any],
    *,
    usage: tuple[int, int] | None = (12, 5),
    finish: str | None = "stop",
    reasoning: Iterable[str] = (),
    reasoning_field: str = "reasoning_content",
    refusal: Iterable[str] = (),
    done: bool = True,
) -> Packets:
    """A streamed chat completion. `finish=None` and `done=False` leave the stop reason and the end marker out."""
    thoughts = list(reasoning)
    packets = [chat_chunk({"role": "assistant", "content": "", "refusal": None})]
    packets += [chat_chunk({reasoning_field: thought}) for thought in thoughts]
    packets += [chat_chunk({"content": delta}) for delta in deltas]
    packets += [chat_chunk({"refusal": delta}) for delta in refusal]
    if finish is not None:
        packets.append(chat_chunk({}, finish))
    if usage is not None:
        packets.append(chat_chunk(usage=chat_usage(*usage, thought=len(thoughts), cached=4)))
    if done:
        packets.append(b"data: [DONE]\n\n")
    return packets


def chat_error(message: str, kind: str = "server_error", code: str | None = None) -> bytes:
    """An error inside the stream, as OpenRouter, Groq and gateways send it."""
    return event({"error": {"message": message, "type": kind, "param": None, "code": code}})
