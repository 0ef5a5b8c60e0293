"""Anthropic's interface: what the vendor's own SDK reads is what the model said, whichever provider said it."""

import asyncio
import gc
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st

from streamchat.chat import Reply
from streamchat.errors import BusyError
from streamchat.events import Event, Reasoning, Stop, Text, Usage
from streamchat.sse import Decoder
from streamchat.web.limits import Limits
from streamchat.web.message_events import STOP_REASONS, Gathering, MessageEvents
from tests.web.providing import KEY, MODELS, Served
from tests.web.site import TOKEN
from tests.wire.answers import FORMATS, MESSAGES, Format
from tests.wire.messages import message_event, messages_answer
from tests.wire.payload import dump
from tests.wire.scenario import Stall, Wait, document, stream
from tests.wire.server import DEADLINE

WORDS: list[Any] = [{"role": "user", "content": "hello"}]
DELTAS = ["Hel", "lo ", "wörld 🙂", " \u2028end"]
TOOLS: list[Any] = [{"name": "look", "input_schema": {"type": "object"}}]


@pytest.fixture(scope="module")
def client(public: Served) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=public.url, api_key=TOKEN, max_retries=0, timeout=DEADLINE) as made:
        yield made


def aclient(public: Served) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=public.url, api_key=TOKEN, max_retries=0, timeout=DEADLINE)


# The encoder alone

texts = st.text(min_size=1, max_size=20)
events = st.one_of(
    st.builds(Text, texts),
    st.builds(Reasoning, texts),
    st.builds(Usage, st.integers(100, 10**6), st.integers(0, 10**6), st.integers(0, 50), st.integers(0, 50)),
)
batches = st.lists(st.lists(events, min_size=1, max_size=4), max_size=6)
stops = st.sampled_from(sorted(STOP_REASONS))


class Played(httpx2.BaseTransport):
    """Answers with these bytes, cut anywhere."""

    data: bytes = b""
    cuts: Sequence[int] = ()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        edges = sorted({0, len(self.data), *(cut % (len(self.data) + 1) for cut in self.cuts)})
        content = (self.data[here:there] for here, there in pairwise(edges))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=content)


PLAYED = Played()
SDK = anthropic.Anthropic(
    base_url="http://test", api_key="x", max_retries=0, http_client=httpx2.Client(transport=PLAYED)
)


def through_the_sdk(data: bytes, cuts: Sequence[int] = ()) -> Message:
    """The message that the vendor's SDK puts together from these bytes."""
    PLAYED.data, PLAYED.cuts = data, cuts
    with SDK.messages.stream(model="m", max_tokens=9, messages=[]) as found:
        return found.get_final_message()


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def thought_of(message: Message) -> str:
    return "".join(block.thinking for block in message.content if block.type == "thinking")


@given(batches, stops, st.lists(st.integers(0, 10**4), max_size=8))
def test_what_the_sdk_reads_is_the_reply(all_batches: list[list[Event]], stop: Any, cuts: list[int]) -> None:
    encoder, reply = MessageEvents("msg_1", "p/m"), Reply()
    frames = list(encoder.start())
    for batch in all_batches:
        for event in batch:
            reply.add(event)
        frames += [*encoder.events(batch), encoder.ping]
    reply.add(Stop(stop))
    frames += encoder.done(reply)
    message = through_the_sdk(b"".join(frames), cuts)

    assert (text_of(message), thought_of(message)) == (reply.text, reply.reasoning)
    assert message.stop_reason == STOP_REASONS[stop]
    usage, known = message.usage, reply.usage
    assert usage.output_tokens == (known.output_tokens or 0)
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    assert usage.input_tokens + cached == (known.input_tokens or 0)


@given(batches)
def test_an_error_ends_the_stream_as_the_vendors_does(all_batches: list[list[Event]]) -> None:
    encoder = MessageEvents("msg_1", "p/m")
    frames = [*encoder.start(), *(frame for batch in all_batches for frame in encoder.events(batch))]
    data = b"".join([*frames, *encoder.error(BusyError("too busy"), Reply())])

    with pytest.raises(anthropic.APIError, match="too busy"):
        through_the_sdk(data)
    assert b"message_stop" not in data


blocks = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.lists(st.text(max_size=6), max_size=3)),
        st.tuples(st.just("thinking"), st.lists(st.text(max_size=6), max_size=3)),
        st.tuples(st.just("tool_use"), st.lists(st.integers(), min_size=1, max_size=3)),
    ),
    max_size=4,
)


@given(blocks)
def test_a_relayed_message_is_put_together_as_the_sdk_does(shapes: list[tuple[str, list[Any]]]) -> None:
    packets = messages_answer([])[:1]
    for index, (kind, said) in enumerate(shapes):
        begun, deltas = block(kind, said)
        packets.append(message_event("content_block_start", index=index, content_block=begun))
        packets += [message_event("content_block_delta", index=index, delta=delta) for delta in deltas]
        packets.append(message_event("content_block_stop", index=index))
    packets += messages_answer([], stop_reason="tool_use")[-2:]
    gathering = Gathering()
    for frame in Decoder().feed(b"".join(packets)):
        gathering.add(json.loads(frame.data))

    theirs = through_the_sdk(b"".join(packets))
    assert (
        Message.model_validate(gathering.whole()).model_dump()
        == Message.model_validate(theirs.model_dump()).model_dump()
    )


def block(kind: str, said: list[Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a block of this kind begins, and its deltas."""
    if kind == "text":
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": each} for each in said]
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": each} for each in said]
        signed = {"type": "signature_delta", "signature": "c2lnbmVk"}
        return {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signed]
    text = dump({"at": said}).decode()
    cut = len(text) // 2
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", text[:cut], text[cut:])]
    return {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}, deltas


# End to end


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "whole"])
def test_every_format_is_reached(public: Served, client: anthropic.Anthropic, form: Format, streamed: bool) -> None:
    public.wire.play(stream(form.thinking(["hm, ", "so"], DELTAS)))
    asked: Any = {"model": MODELS[form.name], "messages": WORDS, "max_tokens": 100}
    if streamed:
        with client.messages.stream(**asked) as found:
            message = found.get_final_message()
    else:
        message = client.messages.create(**asked)

    assert (text_of(message), thought_of(message), message.stop_reason) == ("".join(DELTAS), "hm, so", "end_turn")
    usage = message.usage
    assert (usage.input_tokens + (usage.cache_read_input_tokens or 0), usage.output_tokens) == (12, 5)
    sent = public.wire.exchanges[-1]
    assert sent.path == form.path and sent.json["model"] == "m" and sent.json["stream"] is True
    assert 100 in (sent.json.get("max_tokens"), sent.json.get("max_output_tokens"))


def test_the_async_sdk_and_what_needs_no_network(public: Served) -> None:
    async def main() -> tuple[Message, Message]:
        async with anthropic.AsyncAnthropic(base_url=public.url, api_key=TOKEN, max_retries=0) as sdk:
            asked: Any = {"model": "replay/reasoning", "messages": WORDS, "max_tokens": 10}
            async with sdk.messages.stream(**asked) as found:
                streamed = await found.get_final_message()
            return streamed, await sdk.messages.create(**asked)

    streamed, whole = asyncio.run(main())

    assert text_of(streamed) == text_of(whole) and text_of(whole).startswith("**9.9 is larger.**")
    assert thought_of(streamed) == thought_of(whole) != ""


def test_a_request_becomes_a_chat_where_formats_differ(public: Served, client: anthropic.Anthropic) -> None:
    public.wire.play(stream(FORMATS[0].answer(DELTAS)))
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    text = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a page"}}
    thought = {"type": "thinking", "thinking": "hm", "signature": "x"}
    client.messages.create(
        model="chat/gpt",
        system=[{"type": "text", "text": "be brief"}, {"type": "text", "text": "be kind"}],
        messages=[
            {"role": "user", "content": [image, text, {"type": "text", "text": "what is it"}]},  # type: ignore[list-item]
            {"role": "assistant", "content": [thought, {"type": "text", "text": "a moon"}]},  # type: ignore[list-item]
            {"role": "user", "content": "sure?"},
        ],
        max_tokens=10**6,
        stop_sequences=["END"],
        thinking={"type": "enabled", "budget_tokens": 3000},
        output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
        timeout=9,
    )
    sent = public.wire.exchanges[-1].json
    system, first, second, third = sent["messages"]

    assert system["content"] == "be brief\n\nbe kind"
    assert [part.get("text") or part["image_url"]["url"] for part in first["content"]] == [
        "data:image/png;base64,iVBORw0KGgo=",
        "a page\n\nwhat is it",
    ]
    assert (second["content"], third["content"]) == ("a moon", "sure?")
    assert (sent["max_tokens"], sent["stop"], sent["reasoning_effort"]) == (8192, ["END"], "medium")
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_tools_go_there_and_back_and_what_nobody_knows_survives(public: Served, client: anthropic.Anthropic) -> None:
    begun, deltas = block("tool_use", [1, 2])
    opening, *_, delta, stop = messages_answer([], stop_reason="tool_use")
    packets = [
        opening,
        message_event("content_block_start", index=0, content_block=begun),
        *(message_event("content_block_delta", index=0, delta=each, moon="full") for each in deltas),
        message_event("content_block_stop", index=0),
        message_event("moon_rises", at=9),
        delta,
        stop,
    ]
    asked: Any = {
        "model": "messages/m",
        "messages": WORDS,
        "tools": TOOLS,
        "max_tokens": 20_000,
        "extra_body": {"top_k": 7},
    }
    asked |= {"thinking": {"type": "enabled", "budget_tokens": 16_000}, "timeout": 9}
    public.wire.play(stream(packets), stream(packets))
    raw = client.messages.with_raw_response.create(
        **asked, stream=True, extra_headers={"anthropic-beta": "moons-2026-01-01"}
    )
    assert raw.http_response.read() == b"".join(packets), "byte for byte"
    sent = public.wire.exchanges[-1]
    assert (sent.json["tools"], sent.json["top_k"], sent.json["max_tokens"]) == (TOOLS, 7, 8192)
    assert sent.json["thinking"]["budget_tokens"] == 4096, "within what is allowed, or it would be refused"
    assert sent.headers["anthropic-beta"] == "moons-2026-01-01" and KEY in sent.headers["authorization"]

    message = client.messages.create(**asked)
    (call,) = message.content
    assert call.type == "tool_use" and (call.name, call.input) == ("look", {"at": [1, 2]})
    assert message.stop_reason == "tool_use" and "anthropic-beta" not in public.wire.exchanges[-1].headers


def test_a_tool_call_is_passed_on_while_it_is_written(public: Served, client: anthropic.Anthropic) -> None:
    gate = threading.Event()
    begun, deltas = block("tool_use", [1])
    opening, *_, delta, stop = messages_answer([], stop_reason="tool_use")
    part = message_event("content_block_delta", index=0, delta=deltas[1])
    start = message_event("content_block_start", index=0, content_block=begun)
    public.wire.play(stream([opening, start, part], Wait(gate), [delta, stop]))
    seen = []
    asked: Any = {"model": "messages/m", "messages": WORDS, "tools": TOOLS, "max_tokens": 9}
    for event in client.messages.create(**asked, stream=True):
        seen.append(event.type)
        if event.type == "content_block_delta":
            gate.set()

    assert seen[-1] == "message_stop"


def test_tools_for_another_format_are_refused_by_name(client: anthropic.Anthropic) -> None:
    result: Any = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "y"}]}]
    for model in ("chat/m", "responses/m", "echo"):
        for asked in ({"messages": WORDS, "tools": TOOLS}, {"messages": result}):
            with pytest.raises(anthropic.BadRequestError, match=r"not spoken to in Anthropic's .* so tools cannot"):
                client.messages.create(model=model, max_tokens=9, **asked)  # type: ignore[call-overload]


STATUSES: list[tuple[int, int, str]] = [
    (400, 400, "invalid_request_error"),
    (401, 401, "authentication_error"),
    (404, 404, "not_found_error"),
    (429, 429, "rate_limit_error"),
    (500, 502, "api_error"),
]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "whole"])
def test_a_refusal_is_the_vendors_error_by_its_status_and_tells_no_secret(
    public: Served, client: anthropic.Anthropic, form: Format, streamed: bool
) -> None:
    for status, ours, kind in STATUSES:
        body = form.error_body(f"The reason why: {KEY}", "some_error")
        public.wire.play(document(body, status=status, headers={"retry-after": "7"}))
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(model=MODELS[form.name], messages=WORDS, max_tokens=9, stream=streamed)
        error = caught.value
        assert error.status_code == ours and "The reason why" in error.message
        assert error.body == {"type": "error", "error": {"type": kind, "message": error.body["error"]["message"]}} | {  # type: ignore[index]
            "request_id": None
        }
        assert KEY not in error.response.text and public.wire.host not in error.response.text
        assert error.response.headers.get("retry-after") == ("7" if ours == 429 else None)


def test_an_overload_is_the_vendors_own(public: Served, client: anthropic.Anthropic) -> None:
    public.wire.play(document(MESSAGES.error_body("Overloaded", "overloaded_error"), status=529))
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(model="messages/m", messages=WORDS, max_tokens=9)

    assert caught.value.status_code == 529 and caught.value.response.json()["error"]["type"] == "overloaded_error"


def test_an_error_in_the_middle_is_an_error_of_the_stream(public: Served, client: anthropic.Anthropic) -> None:
    for form, cut in ((form, cut) for form in FORMATS for cut in ("error", "cut")):
        begun = form.answer(DELTAS, **form.endless)
        public.wire.play(stream(begun, [form.error("It broke.", "server_error")] if cut == "error" else []))
        seen: list[str] = []
        with (
            pytest.raises(anthropic.APIError) as caught,
            client.messages.stream(model=MODELS[form.name], messages=WORDS, max_tokens=9) as found,
        ):
            seen.extend(found.text_stream)
        assert "".join(seen) == "".join(DELTAS)
        assert ("It broke." if cut == "error" else "cut") in str(caught.value)


@pytest.fixture
def without_gc() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def leave_stream(public: Served, model: str, number: int) -> None:
    """At the first word."""

    async def leave() -> None:
        async with (
            aclient(public) as client,
            client.messages.stream(model=model, messages=WORDS, max_tokens=9) as found,
        ):
            await anext(aiter(found.text_stream))

    asyncio.run(leave())


def leave_whole(public: Served, model: str, number: int) -> None:
    """As soon as the provider is asked."""

    async def leave() -> None:
        async with aclient(public) as client:
            answer = asyncio.ensure_future(client.messages.create(model=model, messages=WORDS, max_tokens=9))
            await asyncio.to_thread(public.wire.exchange, number)
            answer.cancel()
            with pytest.raises(asyncio.CancelledError):
                await answer

    asyncio.run(leave())


@pytest.mark.parametrize("leave", [leave_stream, leave_whole])
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_who_leaves_ends_the_answer(
    public: Served, form: Format, leave: Callable[[Served, str, int], None], without_gc: None
) -> None:
    number = len(public.wire.exchanges)
    public.wire.play(stream(form.answer(DELTAS, **form.endless), Stall()))
    leave(public, MODELS[form.name], number)

    assert Limits().grace > DEADLINE, "which an answer of this interface does not have"
    assert public.wire.exchange(number).closed.wait(DEADLINE)


# Counting


def test_tokens_are_counted_by_the_vendor_or_estimated(public: Served, client: anthropic.Anthropic) -> None:
    public.wire.play(document({"input_tokens": 4321}))
    counted = client.messages.count_tokens(model="messages/claude", messages=WORDS, tools=TOOLS)
    sent = public.wire.exchanges[-1]
    assert counted.input_tokens == 4321
    assert (sent.path, sent.json) == (
        "/v1/messages/count_tokens",
        {"model": "claude", "messages": WORDS, "tools": TOOLS},
    )

    before = len(public.wire.exchanges)
    long = [{"role": "user", "content": "word " * 400}]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo=" * 99}}
    short = client.messages.count_tokens(model="chat/m", messages=WORDS).input_tokens
    assert 1 <= short < 20
    assert 480 < client.messages.count_tokens(model="chat/m", messages=long).input_tokens < 520  # type: ignore[arg-type]
    seen: Any = [{"role": "user", "content": [image]}]
    assert 1600 <= client.messages.count_tokens(model="chat/m", messages=seen).input_tokens < 1620
    assert len(public.wire.exchanges) == before, "an estimate asks nobody"


def test_a_refused_count_is_the_vendors_error(public: Served, client: anthropic.Anthropic) -> None:
    public.wire.play(document(MESSAGES.error_body(f"no {KEY}", "authentication_error"), status=401))
    with pytest.raises(anthropic.AuthenticationError) as caught:
        client.messages.count_tokens(model="messages/m", messages=WORDS)

    assert KEY not in caught.value.response.text and public.wire.host not in caught.value.response.text


# Who asks oddly

HTTP = httpx2.Client(verify=False, timeout=DEADLINE)


def post(public: Served, body: bytes, path: str = "messages", **headers: str) -> httpx2.Response:
    sent = {"content-type": "application/json", "x-api-key": TOKEN, **headers}
    return HTTP.post(f"{public.v1}/{path}", content=body, headers=sent)


def image_of(**source: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]}


ODD: list[Any] = [
    [],
    {},
    {"messages": []},
    {"messages": "hello"},
    {"messages": [{"role": "user"}]},
    {"messages": [{"role": "system", "content": "x"}]},
    {"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "x"}]}]},
    image_of(type="url", url="http://10.0.0.1/x.png"),
    image_of(type="base64", media_type="text/html", data="eA=="),
    image_of(type="base64", media_type="image/png", data="@"),
    {"messages": WORDS, "max_tokens": 0},
    {"messages": WORDS, "max_tokens": None},
    {"messages": WORDS, "temperature": 1.5},
    {"messages": WORDS, "thinking": {"type": "enabled"}},
    {"messages": WORDS, "thinking": {"type": "deep"}},
    {"messages": WORDS, "output_config": {"effort": "immense"}},
    {"messages": WORDS, "output_config": {"format": {"type": "json_schema", "schema": {}}}},
    {"messages": WORDS, "mcp_servers": [{"url": "http://10.0.0.1"}]},
    {"messages": WORDS * 300},
    {"messages": WORDS, "system": "x" * 300_000},
]


def test_odd_bodies_are_the_clients_errors(public: Served) -> None:
    for odd in ODD:
        asked = {"model": "replay/showcase", "max_tokens": 9, **odd} if isinstance(odd, dict) else odd
        got = post(public, dump(asked))
        assert got.status_code == 400, (odd, got.text)
        assert got.json()["error"]["type"] == "invalid_request_error", odd
    deep = b'{"model":"messages/m","max_tokens":9,"messages":[{"role":"user","content":"x","y":%b%b}]}'
    for raw in (b"", b"{", b"\xff\xfe", deep % (b"[" * 900, b"]" * 900), b"[" * 100_000):
        assert post(public, raw).status_code == post(public, raw, "messages/count_tokens").status_code == 400, raw[:80]
    refused = post(public, b"{}", **{"x-api-key": "no"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")
    large = post(public, b"x" * (2 << 20))
    assert (large.status_code, large.json()["error"]["type"]) == (413, "request_too_large")
    unknown = post(public, dump({"model": "mesages/m", "messages": WORDS, "max_tokens": 9}))
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "not_found_error")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("system", "thinking", "tools", "output_config", "stop_sequences", "stream", "max_tokens")
bodies = st.dictionaries(st.sampled_from(NAMES), json_values, max_size=6)
sources = st.fixed_dictionaries({"type": st.sampled_from(["text", "base64", "url"]), "data": st.text(max_size=4)})
parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "document", "x"])},
    optional={"text": st.none() | st.text(max_size=4), "source": sources},
)
turns = st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": st.lists(parts, max_size=3)}), max_size=3)


@given(bodies, turns | json_values)
def test_no_body_breaks_the_server(public: Served, body: dict[str, Any], said: Any) -> None:
    asked = dump({"max_tokens": 9, **body, "model": "echo", "messages": said})

    assert post(public, asked).status_code in (200, 400)
    assert post(public, asked, "messages/count_tokens").status_code in (200, 400)


def test_the_models_are_listed_in_the_vendors_shape(client: anthropic.Anthropic) -> None:
    names = [model.id for model in client.models.list()]

    assert {"replay/showcase", "echo/echo", "fast"} <= set(names)


def test_one_model_is_found_by_its_name_slashes_and_all(client: anthropic.Anthropic) -> None:
    for listed in client.models.list():
        assert client.models.retrieve(listed.id) == listed
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.models.retrieve("no/such/model")
    assert caught.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]
