"""Answers that are right although they look strange: spellings, payloads, ends and dialects.

To add one, add a `Case` to a function below; each function gives the cases of one kind for one wire format.
"""

import json
from collections.abc import Iterator
from typing import Any

from streamchat.events import StopReason
from tests.wire.answers import CHAT, MESSAGES, RESPONSES, Format
from tests.wire.case import DELTAS, WHOLE, Case
from tests.wire.chat import chat_answer, chat_chunk
from tests.wire.messages import message_event, messages_answer
from tests.wire.payload import event
from tests.wire.responses import responses_answer
from tests.wire.scenario import stream
from tests.wire.splits import SPELLINGS, SPLITS


def spellings(form: Format) -> Iterator[Case]:
    """Everything that the event-stream format allows."""
    for name, spell in SPELLINGS.items():
        yield Case(name, form, (stream(spell(form.answer(DELTAS))),), text=WHOLE)
    for name, split in SPLITS.items():
        yield Case(name, form, (stream(split(form.answer(DELTAS))),), text=WHOLE)


def payloads(form: Format) -> Iterator[Case]:
    """Unusual answers that are right."""
    huge = "x" * 4_000_000
    yield Case("a 4 MB event", form, (stream(form.answer([huge])),), text=huge)
    pieces = [f"{number % 10}" for number in range(12_000)]
    yield Case("12,000 events", form, (stream(form.answer(pieces)),), text="".join(pieces))
    halves = form.answer(["a\ud83d", "\ude42b"])
    yield Case("an emoji in two halves", form, (stream(halves),), text="a🙂b")
    lone = form.answer(["a\ud83d", "b", "\ude42c\ud83d"])
    yield Case("lone surrogates", form, (stream(lone),), text="a\ufffdb\ufffdc\ufffd")
    control = "a\0b\x1b[31m\u202ec\u2028\r\n\x85"
    yield Case("control characters", form, (stream(form.answer([control])),), text=control)
    yield Case("empty deltas", form, (stream(form.answer(["", *DELTAS, ""])),), text=WHOLE)
    yield Case("no text at all", form, (stream(form.answer([])),))
    yield Case("no usage", form, (stream(form.answer(DELTAS, usage=None)),), text=WHOLE)
    unknown = event({"type": "brand_new.event", "object": "x", "choices": [], "value": [1]}, "brand_new.event")
    mixed = [packet for each in form.answer(DELTAS) for packet in (unknown, each)]
    yield Case("unknown events", form, (stream(mixed),), text=WHOLE)
    more = [_with_unknown_fields(each) for each in form.answer(DELTAS)]
    yield Case("unknown fields", form, (stream(more),), text=WHOLE)


def _with_unknown_fields(packet: bytes) -> bytes:
    head, mark, body = packet.partition(b"data: ")
    if not body.startswith(b"{"):
        return packet
    return head + mark + json.dumps({"new": {"a": [None]}} | json.loads(body)).encode() + b"\n\n"


def stops(form: Format) -> Iterator[Case]:
    """Ends that are not `stop`."""

    def case(name: str, packets: list[bytes], stop: StopReason, **more: Any) -> Case:
        return Case(f"stops: {name}", form, (stream(packets),), stop=stop, **({"text": WHOLE} | more))

    yield case("length", form.answer(DELTAS, **form.length), "length")
    if form is CHAT:
        yield case("content filter", chat_answer(DELTAS, finish="content_filter"), "filter")
        yield case("tool calls", chat_answer(DELTAS, finish="tool_calls"), "tool")
        yield case("an unknown word", chat_answer(DELTAS, finish="bored"), "stop", detail="bored")
        refused = chat_answer([], refusal=["I can't ", "do that."])
        yield case("refusal", refused, "refusal", text="I can't do that.")
        yield case("no [DONE]", chat_answer(DELTAS, done=False), "stop")
        yield case("no reason", chat_answer(DELTAS, finish=None), "stop")
    if form is RESPONSES:
        yield case("content filter", responses_answer(DELTAS, finish="content_filter"), "filter")
        refused = responses_answer([], refusal=["I can't ", "do that."])
        yield case("refusal", refused, "refusal", text="I can't do that.")
    if form is MESSAGES:
        for word, stop in (
            ("stop_sequence", "stop"),
            ("tool_use", "tool"),
            ("model_context_window_exceeded", "length"),
        ):
            yield case(word, messages_answer(DELTAS, stop_reason=word), stop)  # type: ignore[arg-type]
        yield case("an unknown word", messages_answer(DELTAS, stop_reason="bored"), "stop", detail="bored")
        refused = messages_answer(DELTAS, stop_reason="refusal", explanation="Because.")
        yield case("refusal", refused, "refusal", detail="Because.")
        yield case("no message_stop", messages_answer(DELTAS, stop=False), "stop")
        yield case("no reason", messages_answer(DELTAS, stop_reason=None), "stop")


def dialects(form: Format) -> Iterator[Case]:
    """What compatible servers do otherwise."""
    if form is CHAT:
        first = chat_chunk(prompt_filter_results=[{"prompt_index": 0}])
        yield Case("empty choices first", form, (stream([first], chat_answer(DELTAS)),), text=WHOLE)
        null = chat_chunk({"role": "assistant", "content": None, "tool_calls": None})
        yield Case("null content", form, (stream([null], chat_answer(DELTAS)),), text=WHOLE)
        sparse = [event({"choices": [{"delta": {"content": delta}}]}) for delta in DELTAS]
        yield Case("sparse fields", form, (stream(sparse, b"data: [DONE]\n\n"),), text=WHOLE)
        parts: list[Any] = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
        parts += [{"type": "text", "text": "The answer"}]
        listed = chat_answer([parts, *DELTAS[1:]])
        yield Case("content as a list of parts", form, (stream(listed),), text=WHOLE)
        missing = event({"choices": [{"index": 0, "finish_reason": None}]})
        yield Case("a choice without a delta", form, (stream([missing], chat_answer(DELTAS)),), text=WHOLE)
        nulls = event({"choices": None, "usage": None, "error": None})
        yield Case("null choices", form, (stream([nulls], chat_answer(DELTAS)),), text=WHOLE)
        merged = [*chat_answer(DELTAS[:-1], **form.endless), chat_chunk({"content": DELTAS[-1]}, "stop")]
        yield Case("the reason beside the last delta", form, (stream(merged),), text=WHOLE)
    if form is MESSAGES:
        bare = [each.split(b"\n", 1)[1] for each in messages_answer(DELTAS)]
        yield Case("no event names", form, (stream(bare),), text=WHOLE)
        block = {"type": "text", "text": "The answer"}
        filled = message_event("content_block_start", index=0, content_block=block)
        rest = messages_answer(DELTAS[1:])
        yield Case("text in the block's start", form, (stream([rest[0], filled], rest[1:]),), text=WHOLE)
        yield Case("many pings", form, (stream(messages_answer(DELTAS, pings=50)),), text=WHOLE)
    if form is RESPONSES:
        bare = [each.split(b"\n", 1)[1] for each in responses_answer(DELTAS)]
        yield Case("no event names", form, (stream(bare),), text=WHOLE)
        done = stream(responses_answer(DELTAS), b"data: [DONE]\n\n")
        yield Case("[DONE] at the end", form, (done,), text=WHOLE)
