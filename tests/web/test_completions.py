"""OpenAI's interface: what the vendor's own SDK reads is what the model said, whichever provider said it."""

import asyncio
import gc
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from streamchat.chat import Reply
from streamchat.errors import BusyError
from streamchat.events import Event, Reasoning, Stop, Text, Usage
from streamchat.providers.base import Endpoint
from streamchat.providers.openai import Provider
from streamchat.web.completion_chunks import FINISH_REASONS, Chunks, Gathering
from streamchat.web.limits import Limits
from tests.web.providing import KEY, MODELS, Served, served
from tests.web.site import TOKEN
from tests.wire.answers import FORMATS, Format
from tests.wire.chat import chat_answer, chat_chunk, chat_error, chat_usage
from tests.wire.payload import dump
from tests.wire.scenario import Stall, Wait, document, stream
from tests.wire.server import DEADLINE

WORDS = [{"role": "user", "content": "hello"}]
DELTAS = ["Hel", "lo ", "wörld 🙂", " \u2028end"]
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


@pytest.fixture(scope="module")
def client(public: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=public.v1, api_key=TOKEN, max_retries=0, timeout=DEADLINE) as made:
        yield made


def content(chunk: ChatCompletionChunk) -> str:
    """The chunk's piece of the answer."""
    return chunk.choices[0].delta.content or "" if chunk.choices else ""


def aclient(public: Served) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=public.v1, api_key=TOKEN, max_retries=0, timeout=DEADLINE)


# The encoder alone

texts = st.text(min_size=1, max_size=20)
events = st.one_of(
    st.builds(Text, texts),
    st.builds(Reasoning, texts),
    st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 99)),
)
batches = st.lists(st.lists(events, min_size=1, max_size=4), max_size=6)
stops = st.sampled_from(sorted(FINISH_REASONS))


def pieces(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return (data[here:there] for here, there in pairwise(edges))


class Played(httpx2.BaseTransport):
    """Answers with these bytes, cut anywhere."""

    data: bytes = b""
    cuts: Sequence[int] = ()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=pieces(self.data, self.cuts))


PLAYED = Played()
SDK = openai.OpenAI(base_url="http://test/v1", api_key="x", max_retries=0, http_client=httpx2.Client(transport=PLAYED))


def through_the_sdk(data: bytes, cuts: Sequence[int] = ()) -> list[ChatCompletionChunk]:
    """What the vendor's SDK makes of these bytes."""
    PLAYED.data, PLAYED.cuts = data, cuts
    return list(SDK.chat.completions.create(model="m", messages=[], stream=True))


def encoded(encoder: Any, all_batches: list[list[Event]], stop: Any = "stop") -> tuple[bytes, Reply]:
    reply, frames = Reply(), list(encoder.start())
    for batch in all_batches:
        for event in batch:
            reply.add(event)
        frames += encoder.events(batch)
    reply.add(Stop(stop))
    frames += encoder.done(reply)
    return b"".join(frames), reply


@given(batches, stops, st.booleans(), st.lists(st.integers(0, 10**4), max_size=8))
def test_what_the_sdk_reads_is_the_reply(
    all_batches: list[list[Event]], stop: Any, with_usage: bool, cuts: list[int]
) -> None:
    data, reply = encoded(Chunks("chatcmpl-1", "p/m", with_usage=with_usage), all_batches, stop)
    chunks = through_the_sdk(data, cuts)

    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == reply.text
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == reply.reasoning
    finishes = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert finishes[-1] == FINISH_REASONS[stop] and set(finishes[:-1]) <= {None}
    last = chunks[-1]
    assert bool(not last.choices) is with_usage
    if with_usage and reply.usage.output_tokens is not None:
        assert last.usage is not None and last.usage.completion_tokens == reply.usage.output_tokens
    assert data.endswith(b"data: [DONE]\n\n")


@given(batches)
def test_after_an_error_nothing_says_that_it_was_whole(all_batches: list[list[Event]]) -> None:
    encoder = Chunks("chatcmpl-1", "p/m", with_usage=True)
    frames = [*encoder.start(), *(frame for batch in all_batches for frame in encoder.events(batch))]
    data = b"".join([*frames, *encoder.error(BusyError("too busy"), Reply())])

    with pytest.raises(openai.APIError, match="too busy"):
        through_the_sdk(data)
    assert b"data: [DONE]" not in data and b'"finish_reason":"' not in data


calls = st.lists(st.lists(st.text(max_size=6), min_size=1, max_size=3), max_size=3)


@given(st.lists(texts, max_size=4), calls, st.booleans())
def test_a_relayed_answer_is_put_together_as_the_sdk_does(said: list[str], tools: list[list[str]], usage: bool) -> None:
    parts: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": each} for each in said)]
    for index, arguments in enumerate(tools):
        call = {"index": index, "id": f"call_{index}", "type": "function"}
        parts.append({"tool_calls": [{**call, "function": {"name": "look", "arguments": ""}}]})
        parts += [{"tool_calls": [{"index": index, "function": {"arguments": each}}]} for each in arguments]
    raw = [*map(chat_chunk, parts), chat_chunk({}, "tool_calls" if tools else "stop")]
    if usage:
        raw.append(chat_chunk(usage=chat_usage(3, 4)))
    gathering, state = Gathering(), ChatCompletionStreamState()
    for packet in raw:
        chunk = json.loads(packet.removeprefix(b"data: "))
        gathering.add(chunk)
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))

    theirs = state.get_final_completion().choices[0]
    (ours,) = gathering.whole()["choices"]
    assert ours["message"]["content"] == theirs.message.content
    assert ours["finish_reason"] == theirs.finish_reason
    found = [(call["id"], call["type"], call["function"]) for call in ours["message"].get("tool_calls") or ()]
    wanted = [
        (call.id, call.type, {"name": call.function.name, "arguments": call.function.arguments})
        for call in theirs.message.tool_calls or ()
    ]
    assert found == wanted
    assert (gathering.whole()["usage"] is not None) is usage


def test_the_vendors_own_address_is_asked_in_the_format_of_the_client() -> None:
    own = Provider(Endpoint("openai"))
    speaker = own.speaking("chat")

    assert own.path() == "/responses" and speaker is not None and speaker.path() == "/chat/completions"
    assert Provider(Endpoint("openai", api="responses")).speaking("chat") is None
    assert own.speaking("messages") is None


# End to end


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "whole"])
def test_every_format_is_reached(public: Served, client: openai.OpenAI, form: Format, streamed: bool) -> None:
    public.wire.play(stream(form.thinking(["hm, ", "so"], DELTAS)))
    asked: dict[str, Any] = {"model": MODELS[form.name], "messages": WORDS, "max_tokens": 100}
    if streamed:
        options = {"include_usage": True}
        chunks = list(client.chat.completions.create(**asked, stream=True, stream_options=options))
        deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
        text = "".join(delta.content or "" for delta in deltas)
        thought = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
        finish = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1]
        usage = chunks[-1].usage
    else:
        answer = client.chat.completions.create(**asked)
        choice = answer.choices[0]
        text, thought = choice.message.content or "", getattr(choice.message, "reasoning_content", "")
        finish, usage = choice.finish_reason, answer.usage

    assert (text, thought, finish) == ("".join(DELTAS), "hm, so", "stop")
    assert usage is not None and (usage.prompt_tokens, usage.completion_tokens) == (12, 5)
    sent = public.wire.exchanges[-1]
    assert sent.path == form.path and sent.json["model"] == "m" and sent.json["stream"] is True
    assert 100 in (sent.json.get("max_tokens"), sent.json.get("max_output_tokens"))


def test_the_async_sdk_and_what_needs_no_network(public: Served) -> None:
    async def main() -> tuple[str, str]:
        async with aclient(public) as sdk:
            asked: Any = {"model": "replay/reasoning", "messages": WORDS}
            found = [chunk async for chunk in await sdk.chat.completions.create(**asked, stream=True)]
            whole = await sdk.chat.completions.create(**asked)
        return "".join(chunk.choices[0].delta.content or "" for chunk in found), whole.choices[0].message.content or ""

    streamed, whole = asyncio.run(main())

    assert streamed == whole and whole.startswith("**9.9 is larger.**")


def test_a_request_becomes_a_chat_where_formats_differ(public: Served, client: openai.OpenAI) -> None:
    public.wire.play(stream(FORMATS[2].answer(DELTAS)))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    client.chat.completions.create(
        model="messages/claude-sonnet-5",
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": [{"type": "text", "text": "be kind"}]},
            {"role": "user", "content": [{"type": "text", "text": "what "}, image, {"type": "text", "text": "is it"}]},  # type: ignore[list-item]
        ],
        max_completion_tokens=10**6,
        temperature=0.5,
        stop=["END"],
        reasoning_effort="minimal",
        response_format={"type": "json_schema", "json_schema": {"name": "thing", "schema": {"type": "object"}}},
    )
    sent = public.wire.exchanges[-1].json

    assert sent["system"] == "be brief\n\nbe kind"
    assert [part.get("text") or part["source"]["data"] for part in sent["messages"][0]["content"]] == [
        "iVBORw0KGgo=",
        "what is it",
    ]
    assert (sent["max_tokens"], sent["temperature"], sent["stop_sequences"]) == (8192, 0.5, ["END"])
    assert sent["output_config"]["effort"] == "low" and sent["output_config"]["format"]["schema"]["title"] == "thing"


def test_tools_go_there_and_back_and_what_nobody_knows_survives(public: Served, client: openai.OpenAI) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": '{"at": "sky"}'}}
    packets = [
        chat_chunk({"role": "assistant", "content": None, "tool_calls": [call]}),
        chat_chunk({"tool_calls": [more]}, moon="full"),
        chat_chunk({}, "tool_calls"),
        chat_chunk(usage=chat_usage(3, 4)),
        b"data: [DONE]\n\n",
    ]
    asked: Any = {"model": "chat/m", "messages": WORDS, "tools": TOOLS, "seed": 7, "max_tokens": 10**6}
    public.wire.play(stream(packets), stream(packets))
    raw = client.chat.completions.with_raw_response.create(**asked, stream=True).http_response.read()
    answer = client.chat.completions.create(**asked)

    assert raw == b"".join([*packets[:3], packets[4]]), "byte for byte, but for the usage that nobody asked for"
    (found,) = answer.choices[0].message.tool_calls or ()
    assert found.type == "function" and (found.id, found.function.arguments) == ("call_1", '{"at": "sky"}')
    assert answer.choices[0].finish_reason == "tool_calls" and answer.model_extra == {"moon": "full"}
    assert answer.usage is not None and answer.usage.total_tokens == 7
    sent = public.wire.exchanges[-1].json
    assert (sent["tools"], sent["seed"], sent["max_tokens"], sent["messages"]) == (TOOLS, 7, 8192, WORDS)


def test_a_tool_call_is_passed_on_while_it_is_written(public: Served, client: openai.OpenAI) -> None:
    gate = threading.Event()
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "look", "arguments": "{"}}
    rest = [chat_chunk({}, "tool_calls"), b"data: [DONE]\n\n"]
    public.wire.play(stream([chat_chunk({"tool_calls": [call]})], Wait(gate), rest))
    with client.chat.completions.create(model="chat/m", messages=WORDS, tools=TOOLS, stream=True) as chunks:  # type: ignore[call-overload]
        first = next(iter(chunks))
        gate.set()

    assert first.choices[0].delta.tool_calls[0].function.name == "look"


def test_tools_for_another_format_are_refused_by_name(client: openai.OpenAI) -> None:
    for model in ("messages/m", "responses/m", "echo"):
        with pytest.raises(openai.BadRequestError, match=r"not spoken to in OpenAI's .* format, so tools cannot"):
            client.chat.completions.create(model=model, messages=WORDS, tools=TOOLS)  # type: ignore[call-overload]


STATUSES: list[tuple[int, type[openai.APIStatusError], int]] = [
    (400, openai.BadRequestError, 400),
    (401, openai.AuthenticationError, 401),
    (403, openai.AuthenticationError, 401),
    (404, openai.NotFoundError, 404),
    (422, openai.UnprocessableEntityError, 422),
    (429, openai.RateLimitError, 429),
    (500, openai.InternalServerError, 502),
    (503, openai.RateLimitError, 429),
]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "whole"])
def test_a_refusal_is_the_vendors_error_by_its_status_and_tells_no_secret(
    public: Served, client: openai.OpenAI, form: Format, streamed: bool
) -> None:
    for status, kind, ours in STATUSES:
        body = form.error_body(f"The reason why: {KEY}", "some_error")
        public.wire.play(document(body, status=status, headers={"retry-after": "7"}))
        with pytest.raises(kind) as caught:
            client.chat.completions.create(model=MODELS[form.name], messages=WORDS, stream=streamed)  # type: ignore[call-overload]
        error = caught.value
        assert error.status_code == ours and "The reason why" in error.message
        assert KEY not in error.response.text
        assert public.wire.host not in error.response.text
        assert error.response.headers.get("retry-after") == ("7" if ours == 429 else None)
        if ours != 429 and status != 500:
            assert error.response.headers["x-should-retry"] == "false"


def test_an_error_in_the_middle_is_an_error_of_the_stream(public: Served, client: openai.OpenAI) -> None:
    for form, cut in ((form, cut) for form in FORMATS for cut in ("error", "cut")):
        begun = form.answer(DELTAS, **form.endless)
        public.wire.play(stream(begun, [form.error("It broke.", "server_error")] if cut == "error" else []))
        seen: list[str] = []
        with pytest.raises(openai.APIError) as caught:
            seen += map(content, client.chat.completions.create(model=MODELS[form.name], messages=WORDS, stream=True))  # type: ignore[call-overload]
        assert "".join(seen) == "".join(DELTAS)
        assert ("It broke." if cut == "error" else "cut") in caught.value.message


def test_what_was_passed_on_is_not_begun_again(public: Served, client: openai.OpenAI) -> None:
    """A provider that fails before its first word is asked again; after a tool call's first piece it is not."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "look", "arguments": "{"}}
    later = document({"error": {"message": "Later."}}, status=429, headers={"retry-after-ms": "1"})
    public.wire.play(later, stream(chat_answer(["Hi"])))
    asked: Any = {"model": "patient/m", "messages": WORDS, "tools": TOOLS, "stream": True}
    assert "Hi" in [chunk.choices[0].delta.content for chunk in client.chat.completions.create(**asked)]
    before = len(public.wire.exchanges)
    public.wire.play(stream([chat_chunk({"tool_calls": [call]}), chat_error("Overloaded.", "overloaded_error")]))
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(client.chat.completions.create(**asked))

    assert len(public.wire.exchanges) == before + 1 and public.wire.left == 0


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
            await client.chat.completions.create(model=model, messages=WORDS, stream=True) as chunks,  # type: ignore[call-overload]
        ):
            async for chunk in chunks:
                if content(chunk):
                    return

    asyncio.run(leave())


def leave_whole(public: Served, model: str, number: int) -> None:
    """As soon as the provider is asked."""

    async def leave() -> None:
        async with aclient(public) as client:
            answer = asyncio.ensure_future(client.chat.completions.create(model=model, messages=WORDS))  # type: ignore[call-overload]
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


HTTP = httpx2.Client(verify=False, timeout=DEADLINE)


def post(public: Served, body: bytes, **headers: str) -> httpx2.Response:
    sent = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}", **headers}
    return HTTP.post(f"{public.v1}/chat/completions", content=body, headers=sent)


ODD: list[Any] = [
    [],
    {},
    {"messages": []},
    {"messages": None},
    {"messages": "hello"},
    {"messages": [{"role": "user"}, "x"]},
    {"messages": [{"role": "king", "content": "x"}]},
    {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://10.0.0.1/x.png"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png,x"}}]}]},
    {
        "messages": [
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,@"}}]}
        ]
    },
    {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "x"}}]}]},
    {"messages": WORDS, "max_tokens": 0},
    {"messages": WORDS, "max_tokens": "many"},
    {"messages": WORDS, "n": 5},
    {"messages": WORDS, "temperature": 99},
    {"messages": WORDS, "reasoning_effort": "immense"},
    {"messages": WORDS, "response_format": {"type": "json_object"}},
    {"messages": WORDS, "response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
    {"messages": WORDS * 300},
    {"messages": [{"role": "user", "content": "x" * 300_000}]},
]


def test_odd_bodies_are_the_clients_errors(public: Served) -> None:
    for odd in ODD:
        asked = {"model": "replay/showcase", **odd} if isinstance(odd, dict) else odd
        got = post(public, dump(asked))
        assert got.status_code == 400, (odd, got.text)
        assert set(got.json()["error"]) == {"message", "type", "param", "code"}, odd
    deep = b'{"model":"chat/m","messages":[{"role":"user","content":"x","y":%b%b}]}' % (b"[" * 900, b"]" * 900)
    for raw in (b"", b"{", b"\xff\xfe", b"nul", deep, b"[" * 100_000, b'{"messages": "\\ud800"}'):
        assert post(public, raw).status_code == 400, raw[:80]
    assert post(public, b"{}", authorization="Bearer no").status_code == 401
    assert post(public, b"{}", authorization="Bearer no").json()["error"]["type"] == "authentication_error"
    assert post(public, b"x" * (2 << 20)).status_code == 413
    unknown = post(public, dump({"model": "mesages/m", "messages": WORDS}))
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    secret = post(public, dump({"model": "replay//etc/passwd", "messages": WORDS}))
    assert secret.status_code == 404


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**9) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    "messages",
    "model",
    "n",
    "stop",
    "tools",
    "stream_options",
    "response_format",
    "max_tokens",
    "reasoning_effort",
)
bodies = st.dictionaries(st.sampled_from(NAMES), json_values, max_size=6)
turns = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "tool", "x"]), "content": json_values}), max_size=3
)


@given(bodies, turns | st.none())
def test_no_body_breaks_the_server(public: Served, body: dict[str, Any], said: list[Any] | None) -> None:
    asked = {**body, "model": "echo", **({} if said is None else {"messages": said})}
    got = post(public, dump(asked))

    assert got.status_code in (200, 400), got.text


def test_the_limits_hold_and_say_when_to_come_back(tmp_path: Any) -> None:
    with served(tmp_path, Limits(per_minute=2, concurrent_per_user=1)) as public:
        asked = dump({"model": "replay/showcase", "messages": WORDS})
        assert [post(public, asked).status_code for _ in range(3)] == [200, 200, 429]
        refused = post(public, asked)
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"


def test_the_models_are_listed_for_either_vendor(public: Served, client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]

    assert {"replay/showcase", "echo/echo", "fast"} <= set(names)
    assert next(model.owned_by for model in client.models.list() if model.id == "fast") == "alias"

    public.wire.play(stream(chat_answer(["yes"])))
    answer = client.chat.completions.create(model="fast", messages=WORDS)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == "yes" and public.wire.exchanges[-1].json["model"] == "small"


def test_pings_are_comments_that_no_client_sees() -> None:
    encoder = Chunks("x", "m", with_usage=False)
    data, reply = encoded(encoder, [[Text("a")]])

    assert [len(through_the_sdk(encoder.ping * 3 + data + encoder.ping)), reply.text] == [3, "a"]


def test_one_model_is_found_by_its_name_slashes_and_all(client: openai.OpenAI) -> None:
    for listed in client.models.list():
        assert client.models.retrieve(listed.id) == listed
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("no/such/model")
    assert caught.value.code == "model_not_found"
