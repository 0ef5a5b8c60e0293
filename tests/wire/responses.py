"""Well-formed answers of OpenAI Responses, field for field as the service sends them."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from tests.wire.payload import CREATED, OPENAI_MODEL, Packets, event


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
        "model": OPENAI_MODEL,
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
