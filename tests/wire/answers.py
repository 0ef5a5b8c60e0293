"""Well-formed answers in the three wire formats, field for field as the services send them.

An answer is a list of packets, one event in each. `Format` names what the formats have in common, so that one test can
be run for all three.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

Packets = list[bytes]

CREATED = 1_790_000_000
MODELS = {False: "gpt-5.1-2026-08-07", True: "claude-sonnet-5-20260901"}


def event(data: Any, name: str | None = None) -> bytes:
    """One event with JSON data; a name puts an `event:` line in front."""
    return (f"event: {name}\n" if name else "").encode() + b"data: " + dump(data) + b"\n\n"


def dump(data: Any) -> bytes:
    """JSON as the services write it: compact and UTF-8; half a surrogate pair only as an escape."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(data, separators=(",", ":")).encode()


# OpenAI Chat Completions


def chat_chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    """One chunk; without a delta it has no choices."""
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    chunk = {
        "id": "chatcmpl-CfZ4k2bQm7yTzS0",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODELS[False],
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


# OpenAI Responses


def response_object(status: str, output: Sequence[Any] = (), **fields: Any) -> dict[str, Any]:
    """The `response` of the opening and closing events."""
    return {
        "id": "resp_0a5f3e6c9d",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "completed_at": CREATED + 2 if status == "completed" else None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "model": MODELS[False],
        "output": list(output),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": "medium", "summary": "detailed"},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
    } | fields


class _Numbered:
    """Responses numbers its events."""

    def __init__(self) -> None:
        self.packets: Packets = []

    def add(self, kind: str, **fields: Any) -> None:
        self.packets.append(event({"type": kind, "sequence_number": len(self.packets)} | fields, kind))


def responses_answer(
    deltas: Iterable[str],
    *,
    usage: tuple[int, int] | None = (12, 5),
    finish: Literal["completed", "max_output_tokens", "content_filter", "failed"] | None = "completed",
    reasoning: Iterable[str] = (),
    raw_reasoning: Iterable[str] = (),
    refusal: Iterable[str] = (),
    error: tuple[str, str] = ("server_error", "The model made an error."),
) -> Packets:
    """A streamed response. `finish=None` leaves the closing event out; `error` is what a failed one says."""
    out = _Numbered()
    thoughts = list(reasoning)
    output: list[Any] = []
    out.add("response.created", response=response_object("in_progress"))
    out.add("response.in_progress", response=response_object("in_progress"))
    if thoughts:
        output.append(_reasoning_item(out, thoughts, raw=False))
    if raw := list(raw_reasoning):
        output.append(_reasoning_item(out, raw, raw=True))
    whole = finish == "completed"
    output.append(_message_item(out, list(deltas), list(refusal), at=len(output), whole=whole))
    if finish is not None:
        figures = None if usage is None or finish == "failed" else _responses_usage(*usage, len(thoughts))
        _closing(out, finish, output, figures, error)
    return out.packets


def responses_error(message: str, kind: str = "server_error") -> bytes:
    """An `error` event."""
    return event({"type": "error", "code": kind, "message": message, "param": None, "sequence_number": 3}, "error")


def _responses_usage(given: int, made: int, thought: int) -> dict[str, Any]:
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": given + made,
    }


def _reasoning_item(out: _Numbered, thoughts: list[str], *, raw: bool) -> dict[str, Any]:
    """A summary, or an open model's reasoning itself."""
    place = {"item_id": "rs_0a5f3e", "output_index": 0, "content_index" if raw else "summary_index": 0}
    empty: dict[str, Any] = {"id": "rs_0a5f3e", "type": "reasoning", "summary": []}
    name = "response.reasoning_text" if raw else "response.reasoning_summary_text"
    kind = "reasoning_text" if raw else "summary_text"
    part = {"type": kind, "text": "".join(thoughts)}
    item = empty | ({"content": [part]} if raw else {"summary": [part]})
    out.add("response.output_item.added", output_index=0, item=empty)
    if not raw:
        out.add("response.reasoning_summary_part.added", **place, part={"type": kind, "text": ""})
    for thought in thoughts:
        out.add(f"{name}.delta", **place, delta=thought, obfuscation="kd93")
    out.add(f"{name}.done", **place, text="".join(thoughts))
    if not raw:
        out.add("response.reasoning_summary_part.done", **place, part=part)
    out.add("response.output_item.done", output_index=0, item=item)
    return item


def _message_item(out: _Numbered, deltas: list[str], refusal: list[str], *, at: int, whole: bool) -> dict[str, Any]:
    empty: dict[str, Any] = {"id": "msg_0a5f3e", "type": "message", "status": "in_progress", "content": []}
    empty["role"] = "assistant"
    out.add("response.output_item.added", output_index=at, item=empty)
    content = []
    if deltas or not refusal:
        content.append(_text_part(out, deltas, {"item_id": "msg_0a5f3e", "output_index": at, "content_index": 0}))
    if refusal:
        place = {"item_id": "msg_0a5f3e", "output_index": at, "content_index": len(content)}
        content.append(_refusal_part(out, refusal, place))
    item = empty | {"status": "completed" if whole else "incomplete", "content": content}
    out.add("response.output_item.done", output_index=at, item=item)
    return item


def _text_part(out: _Numbered, deltas: list[str], place: dict[str, Any]) -> dict[str, Any]:
    empty = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    part = empty | {"text": "".join(deltas)}
    out.add("response.content_part.added", **place, part=empty)
    for delta in deltas:
        out.add("response.output_text.delta", **place, delta=delta, logprobs=[], obfuscation="Yw81")
    out.add("response.output_text.done", **place, text="".join(deltas), logprobs=[])
    out.add("response.content_part.done", **place, part=part)
    return part


def _refusal_part(out: _Numbered, refusal: list[str], place: dict[str, Any]) -> dict[str, Any]:
    part = {"type": "refusal", "refusal": "".join(refusal)}
    out.add("response.content_part.added", **place, part={"type": "refusal", "refusal": ""})
    for delta in refusal:
        out.add("response.refusal.delta", **place, delta=delta)
    out.add("response.refusal.done", **place, refusal="".join(refusal))
    out.add("response.content_part.done", **place, part=part)
    return part


def _closing(out: _Numbered, finish: str, output: list[Any], usage: Any, error: tuple[str, str]) -> None:
    if finish == "completed":
        out.add("response.completed", response=response_object("completed", output, usage=usage))
    elif finish == "failed":
        said = {"code": error[0], "message": error[1]}
        out.add("response.failed", response=response_object("failed", output, error=said))
    else:
        why = {"reason": finish}
        incomplete = response_object("incomplete", output, incomplete_details=why, usage=usage)
        out.add("response.incomplete", response=incomplete)


# Anthropic Messages


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
    return message_event("error", error={"type": kind, "message": message}, request_id="req_011CWireServer")


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
        "model": MODELS[True],
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


# What is no stream


def models(*, anthropic: bool) -> dict[str, Any]:
    """The list of models, as each vendor gives it."""
    if not anthropic:
        names = (MODELS[False], "gpt-5.1-mini")
        return {"object": "list", "data": [_openai_model(name) for name in names]}
    names = (MODELS[True], "claude-haiku-5-20260901")
    return {
        "data": [_anthropic_model(name) for name in names],
        "has_more": False,
        "first_id": names[0],
        "last_id": names[-1],
    }


def _openai_model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}


def _anthropic_model(name: str) -> dict[str, Any]:
    shown = name.rsplit("-", 1)[0].replace("-", " ").title()
    return {"type": "model", "id": name, "display_name": shown, "created_at": "2026-09-01T00:00:00Z"}


def openai_error_body(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic_error_body(message: str, kind: str) -> dict[str, Any]:
    """The body of a refusal."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011CWireServer"}


# What the formats have in common


class Format(Struct, frozen=True):
    """One wire format: how it answers, fails and calls things."""

    name: Literal["chat", "responses", "messages"]
    path: str
    answer: Callable[..., Packets]
    """`answer(deltas, usage=(in, out))`"""
    error: Callable[[str, str], bytes]
    """`error(message, kind)`: an error event."""
    error_body: Callable[[str, str], dict[str, Any]]
    """`error_body(message, kind)`: the JSON of a refused request."""
    reasoning: str
    """The name of the parameter of `answer` that gives it reasoning."""
    length: dict[str, Any]
    """The parameters of `answer` for one that the limit of tokens cut."""
    endless: dict[str, Any]
    """The parameters of `answer` for one whose end never comes."""

    def thinking(self, thoughts: Iterable[str], deltas: Iterable[str]) -> Packets:
        """An answer with reasoning."""
        return self.answer(deltas, **{self.reasoning: thoughts})


CHAT = Format(
    "chat",
    "/v1/chat/completions",
    chat_answer,
    chat_error,
    openai_error_body,
    reasoning="reasoning",
    length={"finish": "length"},
    endless={"finish": None, "usage": None, "done": False},
)
RESPONSES = Format(
    "responses",
    "/v1/responses",
    responses_answer,
    responses_error,
    openai_error_body,
    reasoning="reasoning",
    length={"finish": "max_output_tokens"},
    endless={"finish": None},
)
MESSAGES = Format(
    "messages",
    "/v1/messages",
    messages_answer,
    messages_error,
    anthropic_error_body,
    reasoning="thinking",
    length={"stop_reason": "max_tokens"},
    endless={"stop_reason": None, "stop": False},
)
FORMATS = (CHAT, RESPONSES, MESSAGES)
