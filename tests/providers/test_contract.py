"""The contract of every provider that stands on an SDK: the same for each wire format and for both pumps."""

import asyncio
import contextlib
import gc
import secrets
import threading
from collections.abc import Awaitable, Callable

import pytest

from streamchat.chat import Reply
from streamchat.errors import AuthError, ChatError, ConfigError, CutError, StalledError
from streamchat.events import Event, Reasoning, Stop, Text, Usage
from streamchat.providers.base import Secret
from streamchat.pump import AsyncStream, Reading, Stream
from tests.providers.asking import KEY, PUMPS, QUESTION, Pump, ask, provider, url_of
from tests.wire.answers import FORMATS, MESSAGES, Format
from tests.wire.case import DELTAS, KEPT, WHOLE, begun
from tests.wire.scenario import Stall, Wait, document, gzipped, stream
from tests.wire.server import DEADLINE, Server

each_format = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
each_pump = pytest.mark.parametrize("pump", PUMPS)


@each_format
@each_pump
def test_an_answer_is_text_then_usage_then_stop(server: Server, form: Format, pump: Pump) -> None:
    """The deltas as they were sent, the figures in our terms, and the stop as the very last."""
    server.play(stream(form.answer(DELTAS, usage=(12, 5))))

    seen = ask(form, server, pump)

    assert [event for event in seen.events if isinstance(event, Text)] == [Text(delta) for delta in DELTAS]
    assert seen.events[-1] == Stop("stop")
    written = 0 if form is MESSAGES else None
    thought = None if form is MESSAGES else 0
    assert seen.reply.usage == Usage(12, 5, cached_tokens=4, cache_write_tokens=written, reasoning_tokens=thought)
    assert (seen.reply.text, seen.reply.stop_reason, seen.reply.detail) == (WHOLE, "stop", None)
    assert (seen.reply.provider, seen.reply.model) == ("wire", "a-model")
    assert seen.reply.first_token is not None
    assert 0 < seen.reply.first_token <= seen.reply.elapsed
    assert server.exchange().path == form.path


@each_format
@each_pump
def test_reasoning_is_no_part_of_the_answer(server: Server, form: Format, pump: Pump) -> None:
    """It comes before the text, as events of its own."""
    server.play(stream(form.thinking(["Let me ", "think."], DELTAS)))

    seen = ask(form, server, pump)

    assert [event for event in seen.events if isinstance(event, Reasoning | Text)] == [
        Reasoning("Let me "),
        Reasoning("think."),
        *(Text(delta) for delta in DELTAS),
    ]
    assert (seen.reply.reasoning, seen.reply.text) == ("Let me think.", WHOLE)


@each_format
def test_a_delta_is_given_before_the_next_one_comes(server: Server, form: Format) -> None:
    """Nothing is held back: the first word is there while the provider still thinks about the second."""
    packets = form.answer(DELTAS)
    at = next(number for number, packet in enumerate(packets) if DELTAS[0].encode() in packet) + 1
    gate = threading.Event()
    server.play(stream(packets[:at], Wait(gate), packets[at:]))

    with Stream(provider(form, url_of(form, server)), QUESTION, own=True) as answer:
        tokens = iter(answer)
        assert next(tokens) == DELTAS[0]
        gate.set()
        assert list(tokens) == DELTAS[1:]


# Cuts


def read(form: Format, data: bytes) -> tuple[list[Event], ChatError | None, Reply]:
    """What a stream of these bytes gives, without a network."""
    reply = Reply()
    source = provider(form, "http://127.0.0.1")
    reading = Reading(source.wire(QUESTION), source.endpoint, {"content-type": "text/event-stream"}, reply)
    events: list[Event] = []
    try:
        taken, wrong = reading.take(data)
        events += taken
        if wrong is not None:
            raise wrong
        if not reading.ended:
            events += reading.close()
    except ChatError as error:
        return events, error, reply
    return events, None, reply


def said_it_was_the_end(form: Format, whole: list[bytes], size: int) -> bool:
    """Whether so many bytes of the stream hold the event in which the provider says why it stopped."""
    marks = {"chat": b'"finish_reason":"stop"', "responses": b'"response.completed"', "messages": b'"stop_reason":"end'}
    sizes = [len(b"".join(whole[: number + 1])) for number in range(len(whole))]
    ends = (end for end, packet in zip(sizes, whole, strict=True) if marks[form.name] in packet)
    return size >= next(ends)


@each_format
def test_a_cut_answer_is_never_taken_for_a_whole_one(form: Format) -> None:
    """At whichever byte the stream ends: before the provider's own stop reason it is a CutError that keeps the text."""
    packets = form.answer(DELTAS)
    whole = b"".join(packets)

    for size in range(len(whole)):
        events, error, reply = read(form, whole[:size])
        assert WHOLE.startswith(reply.text)
        if said_it_was_the_end(form, packets, size):
            assert (error, reply.text) == (None, WHOLE)
        else:
            assert isinstance(error, CutError), f"cut after {size} bytes: {events}"
            assert reply.stop_reason is None or reply.stop_reason != "stop"


@each_format
@each_pump
def test_a_cut_between_two_events_is_an_error_that_keeps_the_text(server: Server, form: Format, pump: Pump) -> None:
    """Through the SDK, which says nothing about it."""
    packets = form.answer(DELTAS)
    last = next(n for n in range(len(packets) + 1) if said_it_was_the_end(form, packets, len(b"".join(packets[:n]))))

    for count in range(last):
        server.play(stream(packets[:count]))
        seen = ask(form, server, pump)
        assert isinstance(seen.error, CutError)
        assert seen.error.exit_code == 5
        assert seen.error.reply is seen.reply
        assert seen.reply.stop_reason == "network"
        assert seen.text == seen.reply.text
        assert WHOLE.startswith(seen.text)


@each_format
@each_pump
def test_a_server_without_stop_reasons_can_be_allowed(server: Server, form: Format, pump: Pump) -> None:
    """Where the provider's table says so, the end of the stream is the end of the answer."""
    server.play(stream(form.answer(DELTAS, **form.endless)))

    seen = ask(form, server, pump, stop_reason_optional=True)

    assert (seen.error, seen.text, seen.stops) == (None, WHOLE, [Stop("stop")])


@each_format
@each_pump
def test_a_stall_ends_after_the_time_out(server: Server, form: Format, pump: Pump) -> None:
    """The connection is given up, and with it the model's work; the text stays."""
    server.play(stream(begun(form), Stall()))

    seen = ask(form, server, pump, idle_timeout=0.2)

    assert isinstance(seen.error, StalledError)
    assert seen.error.reply is not None
    assert seen.error.reply.text == KEPT
    assert server.exchange().closed.wait(DEADLINE)


@each_format
@pytest.mark.parametrize("packed", [False, True])
def test_who_reads_slowly_gets_all_of_it(server: Server, form: Format, packed: bool) -> None:
    """More than is held for who does not read, left lying for longer than the silence that is borne."""
    words = [secrets.token_hex(20_000) for _ in range(40)]
    packets = form.answer(words)
    server.play(gzipped(packets) if packed else stream(packets))

    async def main() -> str:
        source = provider(form, url_of(form, server), idle_timeout=0.3)
        read = []
        async for delta in AsyncStream(source, QUESTION):
            if not read:
                await asyncio.sleep(0.5)  # its own time
            read.append(delta)
        await source.aclose()
        return "".join(read)

    assert asyncio.run(main()) == "".join(words)


@each_format
@each_pump
def test_the_time_of_who_reads_is_no_silence_of_the_provider(server: Server, form: Format, pump: Pump) -> None:
    """Only that it is alive has come when the reader is back."""
    packets = form.answer(DELTAS)
    half = 1 + next(place for place, packet in enumerate(packets) if DELTAS[0].encode() in packet)
    begins, goes_on = threading.Event(), threading.Event()
    alive = [b": alive\n\n"]
    server.play(stream(packets[:half], Wait(begins), alive, Wait(goes_on), alive, packets[half:]))

    def own_time() -> None:
        if not begins.is_set():
            begins.set()
            threading.Event().wait(0.5)
            goes_on.set()

    seen = ask(form, server, pump, idle_timeout=0.3, then=own_time)

    assert (seen.error, seen.text) == (None, WHOLE)


# Leaving early


def leave_by_break(answer: Stream) -> None:
    for _ in answer:
        break


def leave_by_close(answer: Stream) -> None:
    next(iter(answer))
    answer.close()


def leave_by_with(answer: Stream) -> None:
    with answer:
        next(answer.events())


def leave_by_error(answer: Stream) -> None:
    with contextlib.suppress(ZeroDivisionError), answer:
        for _ in answer:
            raise ZeroDivisionError


@each_format
@pytest.mark.parametrize("leave", [leave_by_break, leave_by_close, leave_by_with, leave_by_error])
def test_leaving_early_closes_the_connection(server: Server, form: Format, leave: Callable[[Stream], None]) -> None:
    """However the reader goes, and though the provider stays for the next question; what came is kept."""
    server.play(stream(begun(form), Stall()))
    source = provider(form, url_of(form, server))
    answer = Stream(source, QUESTION)

    leave(answer)

    assert server.exchange().closed.wait(DEADLINE)
    source.close()
    assert not server.exchange().played.is_set()
    assert answer.reply.stop_reason == "interrupted"
    assert KEPT.startswith(answer.reply.text)


Leave = Callable[[AsyncStream], Awaitable[None]]


async def aleave_by_with(answer: AsyncStream) -> None:
    async with answer:
        async for _ in answer:
            break


async def aleave_by_aclose(answer: AsyncStream) -> None:
    async for _ in answer:
        await answer.aclose()


async def aleave_by_cancel(answer: AsyncStream) -> None:
    """While it waits for the next token, as a web server does when its client is gone."""

    async def reader() -> None:
        async with answer:
            async for _ in answer:
                arrived.set()

    arrived = asyncio.Event()
    task = asyncio.create_task(reader())
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@each_format
@pytest.mark.parametrize("leave", [aleave_by_with, aleave_by_aclose, aleave_by_cancel])
def test_leaving_early_closes_the_connection_in_async(server: Server, form: Format, leave: Leave) -> None:
    """The same for a program that awaits, cancellation included."""
    server.play(stream(begun(form), Stall()))

    async def main() -> AsyncStream:
        source = provider(form, url_of(form, server))
        answer = AsyncStream(source, QUESTION)
        await leave(answer)
        assert await asyncio.to_thread(server.exchange().closed.wait, DEADLINE)
        await source.aclose()
        return answer

    answer = asyncio.run(main())
    assert not server.exchange().played.is_set()
    assert answer.reply.stop_reason == "interrupted"
    assert KEPT.startswith(answer.reply.text)


@each_format
def test_a_connection_that_breaks_when_its_answer_is_read_is_no_news(server: Server, form: Format) -> None:
    """It waits for the next question; asyncio would log what nobody asks about."""
    server.play(stream(form.answer(DELTAS)), stream(form.answer(DELTAS)))
    logged: list[dict[str, object]] = []

    async def main() -> list[str]:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: logged.append(what))
        source = provider(form, url_of(form, server), retries=1)
        answers = ["".join([delta async for delta in AsyncStream(source, QUESTION)])]
        await asyncio.to_thread(server.reset)
        answers.append("".join([delta async for delta in AsyncStream(source, QUESTION)]))
        await source.aclose()
        return answers

    assert asyncio.run(main()) == [WHOLE] * 2
    gc.collect()
    assert not logged


@each_format
def test_a_stream_that_is_never_read_asks_nothing(server: Server, form: Format) -> None:
    """Pull, never push: no request goes out before the first event is wanted."""
    with Stream(provider(form, url_of(form, server)), QUESTION, own=True):
        pass

    assert server.exchanges == []


@each_format
@each_pump
def test_the_key_goes_where_keys_go_and_nowhere_else(server: Server, form: Format, pump: Pump) -> None:
    """In the one header; not in the path or the body."""
    server.play(stream(form.answer(DELTAS)))
    ask(form, server, pump)

    sent = server.exchange()
    assert [name for name, value in sent.headers.items() if KEY in value] in (["authorization"], ["x-api-key"])
    assert KEY not in sent.path
    assert KEY.encode() not in sent.body


@each_format
@each_pump
def test_a_key_that_the_server_quotes_back_is_not_shown(server: Server, form: Format, pump: Pump) -> None:
    """Neither in the refusal of a request nor in an error inside the stream."""
    said = f"Incorrect API key provided: {KEY}."
    server.play(
        document(form.error_body(said, "authentication_error"), status=401),
        stream(begun(form), form.error(said, "authentication_error")),
    )

    for _ in range(2):
        seen = ask(form, server, pump)
        assert isinstance(seen.error, AuthError)
        assert "Incorrect API key provided" in seen.error.message
        assert KEY not in f"{seen.error!r} {seen.error} {seen.error.hint} {seen.reply.detail}"


@each_format
@each_pump
@pytest.mark.parametrize("between", ["\n", "\x01", "\u00e9"], ids=["newline", "control", "accent"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(
    server: Server, form: Format, pump: Pump, between: str
) -> None:
    """As one that was copied over the end of a line: what refuses it further down quotes it."""
    seen = ask(form, server, pump, api_key=Secret(f"sk-first{between}second"))

    assert isinstance(seen.error, AuthError)
    told = f"{seen.error!r} {seen.error} {seen.error.hint} {seen.reply.detail}"
    assert "the API key has characters that no key has" in told
    assert seen.error.message.count("wire") == 1, "the provider is named once"
    assert "first" not in told and "second" not in told
    assert server.exchanges == []


@each_format
@each_pump
@pytest.mark.parametrize("between", ["\n", "\u00e9"], ids=["newline", "accent"])
def test_a_header_that_cannot_be_sent_is_named_and_its_value_not_shown(
    server: Server, form: Format, pump: Pump, between: str
) -> None:
    """It may hold a secret, and the key is not to blame."""
    seen = ask(form, server, pump, headers={"X-Team": f"first{between}second"})

    assert isinstance(seen.error, ConfigError)
    told = f"{seen.error!r} {seen.error} {seen.error.hint} {seen.reply.detail}"
    assert "the header 'X-Team' has characters that no header has" in told
    assert "first" not in told and "key" not in told
    assert server.exchanges == []
