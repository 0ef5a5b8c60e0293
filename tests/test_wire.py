"""The loopback server itself: what the real SDKs read from it is what was put in, so its payloads are right."""

import asyncio
import gzip
import http.client
import socket
import threading
from collections import deque
from collections.abc import Callable

import anthropic
import httpx2
import openai
import pytest

from tests.wire import scenario as play
from tests.wire.answers import CHAT, FORMATS, MESSAGES, Format
from tests.wire.chat import chat_answer
from tests.wire.messages import messages_answer
from tests.wire.responses import responses_answer
from tests.wire.scenario import Fin, Repeat, Reset, Scenario, Send, Stall, Wait, stream
from tests.wire.server import DEADLINE, Server
from tests.wire.splits import SPELLINGS, SPLITS

DELTAS = ["Hel", "lo", " wörld ", "日本", "🙂", "!\n\n", '"\\']
TEXT = "".join(DELTAS)
ASK = [{"role": "user", "content": "Hi"}]


def openai_client(server: Server, **fields: object) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-test", base_url=server.v1, **{"max_retries": 0} | fields)


def anthropic_client(server: Server, **fields: object) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="sk-test", base_url=server.url, **{"max_retries": 0} | fields)


def chat_text(server: Server) -> str:
    with openai_client(server) as client:
        chunks = client.chat.completions.create(model="m", messages=ASK, stream=True)
        return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def responses_text(server: Server) -> str:
    with openai_client(server) as client:
        events = client.responses.create(model="m", input="Hi", stream=True)
        return "".join(e.delta for e in events if e.type == "response.output_text.delta")


def messages_text(server: Server) -> str:
    with (
        anthropic_client(server) as client,
        client.messages.stream(model="m", max_tokens=99, messages=ASK) as events,
    ):
        return "".join(events.text_stream)


async def chat_text_async(server: Server) -> str:
    async with openai.AsyncOpenAI(api_key="sk-test", base_url=server.v1, max_retries=0) as client:
        chunks = await client.chat.completions.create(model="m", messages=ASK, stream=True)
        return "".join([c.choices[0].delta.content or "" async for c in chunks if c.choices])


async def responses_text_async(server: Server) -> str:
    async with openai.AsyncOpenAI(api_key="sk-test", base_url=server.v1, max_retries=0) as client:
        events = await client.responses.create(model="m", input="Hi", stream=True)
        return "".join([e.delta async for e in events if e.type == "response.output_text.delta"])


async def messages_text_async(server: Server) -> str:
    async with (
        anthropic.AsyncAnthropic(api_key="sk-test", base_url=server.url, max_retries=0) as client,
        client.messages.stream(model="m", max_tokens=99, messages=ASK) as events,
    ):
        return "".join([text async for text in events.text_stream])


READ: dict[str, Callable[[Server], str]] = {
    "chat": chat_text,
    "responses": responses_text,
    "messages": messages_text,
}
READ_ASYNC = {"chat": chat_text_async, "responses": responses_text_async, "messages": messages_text_async}
each_format = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)


# The payloads


@each_format
def test_the_sdk_reads_the_answer(server: Server, form: Format) -> None:
    """Each format's answer goes through its vendor's own parser, at the path that the vendor's client asks for."""
    server.play(stream(form.answer(DELTAS)))

    assert READ[form.name](server) == TEXT
    assert (server.exchange().method, server.exchange().path) == ("POST", form.path)
    assert server.exchange().json["stream"] is True
    assert server.exchange().played.wait(DEADLINE)


@each_format
def test_the_async_sdk_reads_the_answer(server: Server, form: Format) -> None:
    """The same for programs that await."""
    server.play(stream(form.answer(DELTAS)))

    assert asyncio.run(READ_ASYNC[form.name](server)) == TEXT


@pytest.mark.parametrize("split", SPLITS)
@each_format
def test_the_splits_change_nothing(server: Server, form: Format, split: str) -> None:
    """Cut into other packets, the stream is the same."""
    packets = form.answer(DELTAS)
    cut = SPLITS[split](packets)

    assert b"".join(cut) == b"".join(packets)
    server.play(stream(cut))
    assert READ[form.name](server) == TEXT


OPENAI_READS = [name for name in SPELLINGS if name not in ("BOM", "ids and retry")]
ANTHROPIC_READS = [name for name in SPELLINGS if name != "BOM"]
"""The SDKs fail on the others, which the format allows: our own decoder has to read them, its tests say."""


@pytest.mark.parametrize(
    ("form", "spelling"),
    [(form, name) for form in FORMATS for name in (ANTHROPIC_READS if form is MESSAGES else OPENAI_READS)],
    ids=lambda value: value.name if isinstance(value, Format) else value,
)
def test_the_spellings_change_nothing(server: Server, form: Format, spelling: str) -> None:
    """Written in another way that the format allows, the stream says the same."""
    server.play(stream(SPELLINGS[spelling](form.answer(DELTAS))))

    assert READ[form.name](server) == TEXT


def test_chat_says_what_the_vendor_says(server: Server) -> None:
    """Role first, then deltas, then the stop reason, then usage without choices: every chunk fits the SDK's types."""
    server.play(stream(chat_answer(["a"], usage=(12, 5), reasoning=["hm"])))

    with openai_client(server) as client:
        chunks = list(client.chat.completions.create(model="m", messages=ASK, stream=True))

    for chunk in chunks:
        openai.types.chat.ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)
    first, thought, text, last, usage = chunks
    assert first.choices[0].delta.role == "assistant"
    assert thought.choices[0].delta.model_extra == {"reasoning_content": "hm"}
    assert text.choices[0].delta.content == "a"
    assert last.choices[0].finish_reason == "stop"
    assert usage.choices == []
    assert usage.usage is not None
    assert (usage.usage.prompt_tokens, usage.usage.completion_tokens, usage.usage.total_tokens) == (12, 5, 17)


def test_responses_says_what_the_vendor_says(server: Server) -> None:
    """Every event has the vendor's type for it, in order, and the whole response at the end is the sum of them."""
    server.play(stream(responses_answer(["a", "b"], reasoning=["h", "m"], refusal=["no", "."])))

    with openai_client(server) as client, client.responses.stream(model="m", input="Hi") as events:
        seen = list(events)
        whole = events.get_final_response()

    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert all(event.model_extra == {} or event.type.endswith(".delta") for event in seen), "unknown fields"
    assert [type(item).__name__ for item in whole.output] == ["ResponseReasoningItem", "ParsedResponseOutputMessage"]
    assert whole.output_text == "ab"
    assert whole.status == "completed"
    assert whole.usage is not None
    assert whole.usage.total_tokens == 17


@pytest.mark.parametrize(
    ("finish", "last", "status"),
    [
        ("completed", "response.completed", "completed"),
        ("max_output_tokens", "response.incomplete", "incomplete"),
        ("content_filter", "response.incomplete", "incomplete"),
        ("failed", "response.failed", "failed"),
    ],
)
def test_responses_ends_as_the_vendor_ends(server: Server, finish: str, last: str, status: str) -> None:
    """Each way to end has its event, which the SDK knows."""
    server.play(stream(responses_answer(["a"], finish=finish)))

    with openai_client(server) as client:
        *_, end = client.responses.create(model="m", input="Hi", stream=True)

    assert end.type == last
    assert end.response.status == status
    if status == "incomplete":
        assert end.response.incomplete_details.reason == finish


def test_messages_says_what_the_vendor_says(server: Server) -> None:
    """Thinking with its signature, text, pings, stop reason and usage: the SDK's accumulated message has them all."""
    server.play(stream(messages_answer(["a", "b"], thinking=["h", "m"], redacted=True, pings=3, usage=(12, 5))))

    with (
        anthropic_client(server) as client,
        client.messages.stream(model="m", max_tokens=99, messages=ASK) as events,
    ):
        message = events.get_final_message()

    anthropic.types.Message.model_validate(message.model_dump(exclude={"parsed_output"}))
    thinking, redacted, text = message.content
    assert (thinking.type, thinking.thinking) == ("thinking", "hm")
    assert thinking.signature
    assert redacted.type == "redacted_thinking"
    assert (text.type, text.text) == ("text", "ab")
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (8, 4)
    assert message.usage.output_tokens == 5


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "tool_use", "stop_sequence", "pause_turn"])
def test_messages_stops_as_the_vendor_stops(server: Server, reason: str) -> None:
    """Each stop reason is one that the SDK knows."""
    server.play(
        stream(messages_answer(["a"], stop_reason=reason, explanation="Because." if reason == "refusal" else None))
    )

    with (
        anthropic_client(server) as client,
        client.messages.stream(model="m", max_tokens=99, messages=ASK) as events,
    ):
        message = events.get_final_message()

    assert message.stop_reason == reason
    assert (message.stop_details.explanation if message.stop_details else None) == (
        "Because." if reason == "refusal" else None
    )


def test_error_events_are_the_vendors(server: Server) -> None:
    """The SDKs raise, or in Responses yield, what the server sends as an error in the stream."""
    server.play(
        *(stream(form.answer(["a"], **form.endless), form.error("It broke.", "server_error")) for form in FORMATS)
    )

    with pytest.raises(openai.APIError, match="It broke"):
        chat_text(server)
    with openai_client(server) as client:
        *_, last = client.responses.create(model="m", input="Hi", stream=True)
    assert (last.type, last.message) == ("error", "It broke.")
    with pytest.raises(anthropic.APIStatusError, match="It broke"):
        messages_text(server)


def test_the_models(server: Server) -> None:
    """Both vendors' lists go through their SDKs, and take no scenario."""
    server.play(stream(chat_answer(["a"])))

    with openai_client(server) as client:
        assert [model.id for model in client.models.list()] == ["gpt-5.1-2026-08-07", "gpt-5.1-mini"]
    with anthropic_client(server) as client:
        names = [(model.id, model.display_name) for model in client.models.list()]
    assert names == [
        ("claude-sonnet-5-20260901", "Claude Sonnet 5"),
        ("claude-haiku-5-20260901", "Claude Haiku 5"),
    ]
    assert server.left == 1


# What is recorded, and the plan


def test_the_request_is_recorded(server: Server) -> None:
    """Method, path, headers and body as they came."""
    server.play(stream(chat_answer(["a"])))
    chat_text(server)

    request = server.exchange()
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.json == {"messages": ASK, "model": "m", "stream": True}


def test_one_scenario_for_each_request(server: Server) -> None:
    """Refusals and then an answer are a list; the SDK's own retries find them one after the other."""
    busy = play.document(CHAT.error_body("Busy.", "rate_limit"), status=429, headers={"retry-after-ms": "1"})
    server.play(busy, busy, stream(chat_answer(["a"])))

    with openai_client(server, max_retries=2) as client:
        chunks = client.chat.completions.create(model="m", messages=ASK, stream=True)
        assert [c.choices[0].delta.content for c in chunks if c.choices][1] == "a"
    assert (len(server.exchanges), server.left) == (3, 0)


def test_a_request_too_many_shows(server: Server) -> None:
    """Nothing planned is a refusal of its own."""
    with pytest.raises(openai.APIStatusError, match="no scenario is left"):
        chat_text(server)


def test_a_connection_serves_twice(server: Server) -> None:
    """After a whole answer the connection is kept, as the services do."""
    server.play(stream(chat_answer(["a"])), play.document({"a": 1}))

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    connection.request("POST", "/v1/chat/completions", b"{}")
    assert connection.getresponse().read() == b"".join(chat_answer(["a"]))
    assert server.exchange(0).played.wait(DEADLINE)
    assert not server.exchange(0).closed.is_set()
    connection.request("POST", "/v1/x", b"{}")
    assert connection.getresponse().read() == b'{"a": 1}'
    connection.close()
    assert server.exchange(1).closed.wait(DEADLINE)


@each_format
def test_a_gate_holds_the_stream(server: Server, form: Format) -> None:
    """What comes before the gate is there, what comes after waits for the test."""
    gate = threading.Event()
    *packets, last = form.answer(["a"])
    server.play(stream(packets, Wait(gate), last))
    read = bytearray()

    with httpx2.stream("POST", f"{server.url}{form.path}", timeout=DEADLINE) as response:
        pieces = response.iter_raw()
        while len(read) < sum(map(len, packets)):
            read += next(pieces)
        assert not server.exchange().played.is_set()
        gate.set()
        for piece in pieces:
            read += piece

    assert bytes(read) == b"".join([*packets, last])
    assert server.exchange().played.wait(DEADLINE)


@pytest.mark.parametrize(
    "end", [Stall(), Wait(threading.Event()), Repeat(b": ping\n\n")], ids=lambda end: type(end).__name__
)
def test_the_server_sees_the_client_leave(server: Server, end: play.Step) -> None:
    """`closed` tells that the connection was closed, `played` that it was too early."""
    server.play(stream(chat_answer(["a"], done=False), end))

    with openai_client(server) as client:
        chunks = client.chat.completions.create(model="m", messages=ASK, stream=True)
        next(iter(chunks))
        assert not server.exchange().closed.is_set()
        chunks.close()
        assert server.exchange().closed.wait(DEADLINE)
    assert not server.exchange().played.is_set()


def test_the_server_ends_while_a_client_hangs() -> None:
    """A test that fails in the middle of a stall does not hang the others."""
    with Server(stream([b"data: x\n\n"], Stall())) as server:
        client = socket.create_connection(("127.0.0.1", server.port), DEADLINE)
        client.sendall(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        server.exchange()
    with client:
        client.settimeout(DEADLINE)
        while client.recv(65536):
            pass
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wire-")]


# The faults, as a plain HTTP client sees them


def fetch(server: Server, scenario: Scenario) -> bytes:
    """What arrives, until the end or the fault."""
    server.play(scenario)
    with httpx2.stream("POST", server.v1, timeout=DEADLINE) as response:
        return b"".join(response.iter_bytes())


PACKETS = [b"data: one\n\n", b"data: two\n\n"]


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_clean_end(server: Server, framing: str) -> None:
    """All three framings of HTTP end as they should."""
    assert fetch(server, stream(PACKETS, framing=framing)) == b"".join(PACKETS)


@pytest.mark.parametrize(
    ("scenario", "error"),
    [
        (play.cut_in_chunk(PACKETS), httpx2.RemoteProtocolError),
        (play.bad_chunk_size(PACKETS), httpx2.RemoteProtocolError),
        (play.short_length(PACKETS), httpx2.RemoteProtocolError),
        (play.gzipped(PACKETS, damaged=True), httpx2.DecodingError),
        (stream(PACKETS, Reset()), httpx2.ReadError),
        (stream(PACKETS, Fin()), httpx2.RemoteProtocolError),
        (play.reset_before_answer(), httpx2.ReadError),
        (Scenario((Fin(),), head=False), httpx2.RemoteProtocolError),
    ],
    ids=["cut in chunk", "bad chunk size", "short length", "gzip damage", "reset", "fin", "reset first", "fin first"],
)
def test_a_broken_end(server: Server, scenario: Scenario, error: type[Exception]) -> None:
    """Each fault of the transport is the one that it says."""
    with pytest.raises(error):
        fetch(server, scenario)


@pytest.mark.parametrize(
    "scenario",
    [play.gzipped(PACKETS, damaged=True), stream(PACKETS, Reset()), play.short_length(PACKETS)],
    ids=["gzip damage", "reset", "short length"],
)
def test_what_came_before_a_fault_is_there(server: Server, scenario: Scenario) -> None:
    """The text before a fault reaches the client, compressed or not."""
    server.play(scenario)
    pieces: list[bytes] = []

    with httpx2.stream("POST", server.v1, timeout=DEADLINE) as response, pytest.raises(httpx2.HTTPError):
        deque(map(pieces.append, response.iter_bytes()), maxlen=0)

    assert b"".join(pieces) == b"".join(PACKETS)


def test_documents(server: Server) -> None:
    """HTML, JSON, nothing, compressed: whole answers that are no stream."""
    assert fetch(server, play.document("<html>")) == b"<html>"
    assert fetch(server, play.document({"a": 1})) == b'{"a": 1}'
    assert fetch(server, play.document("")) == b""
    assert fetch(server, play.gzip_document(b"<html>")) == b"<html>"
    assert fetch(server, play.gzipped(PACKETS)) == b"".join(PACKETS)
    assert gzip.decompress(play.gzip_document(b"x").body) == b"x"


def test_a_redirect_goes_to_another_origin(server: Server, other_server: Server) -> None:
    """Who follows it arrives there."""
    server.play(play.redirect(f"{other_server.v1}/chat/completions"))
    other_server.play(stream(chat_answer(["a"])))

    with httpx2.Client(follow_redirects=True) as client:
        assert client.post(server.v1, json={}).content == b"".join(chat_answer(["a"]))
    assert other_server.exchange().path == "/v1/chat/completions"


def test_scenarios_are_values() -> None:
    """They can be changed and added to without harm to the others."""
    one = stream([b"a"])

    assert one.then(b"b", Fin()).steps == (Send(b"a"), Send(b"b"), Fin())
    assert one.but(status=500).status == 500
    assert one == stream(b"a")
    assert (one.body, one.status) == (b"a", 200)
