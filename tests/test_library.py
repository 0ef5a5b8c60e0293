"""streamchat from Python: what the package offers, its documented examples, and that leaving closes the connection."""

import asyncio
import doctest
import gc
import inspect
import tracemalloc
from typing import Any, assert_type

import pytest

import streamchat
from streamchat import library
from streamchat.chat import Reply
from streamchat.events import Stop, Text
from streamchat.pump import AsyncStream, Stream
from tests.wire.answers import chat_answer
from tests.wire.scenario import Repeat, Stall, stream
from tests.wire.server import Server


def test_the_public_names_are_these_and_all_are_there() -> None:
    assert sorted(streamchat.__all__) == sorted(
        [
            *("stream", "astream", "Stream", "AsyncStream", "Chat", "Message", "Options", "Reply", "__version__"),
            *("Event", "Text", "Reasoning", "Usage", "Stop", "Retry"),
            *("ChatError", "UsageError", "ConfigError", "AuthError", "BusyError", "NetworkError", "StalledError"),
            *("ProviderError", "UnknownModelError", "CutError", "IncompleteError"),
        ]
    )
    assert all(getattr(streamchat, name) is not None for name in streamchat.__all__)
    assert dir(streamchat) == sorted(streamchat.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        streamchat.nonsense  # noqa: B018


@pytest.mark.parametrize("module", [streamchat, library])
def test_the_documented_examples_do_what_they_say(module: Any) -> None:
    found = doctest.testmod(module)

    assert found.attempted > 0 and found.failed == 0


def test_the_function_is_never_hidden_by_a_module_of_its_name() -> None:
    """Importing everything leaves `streamchat.stream` what it is documented to be."""
    import streamchat.pump
    import streamchat.session

    assert inspect.isfunction(streamchat.stream) and inspect.isfunction(streamchat.astream)
    assert_type(streamchat.stream("x", model="echo"), Stream)
    assert_type(streamchat.astream("x", model="echo"), AsyncStream)


def ask(server: Server, **how: Any) -> Stream:
    return streamchat.stream("hello", model="vllm/m", base_url=server.v1, **how)


def test_tokens_are_the_deltas_and_the_reply_grows_with_them(server: Server) -> None:
    server.play(stream(chat_answer(["Hel", "lo"], reasoning=["hm"], usage=(3, 2))))
    answer, seen = ask(server, system="brief", temperature=0.5), []
    for token in answer:
        seen.append(token)
        assert answer.reply.text == "".join(seen)

    assert seen == ["Hel", "lo"]
    reply = answer.reply
    assert (reply.reasoning, reply.stop_reason, reply.usage.input_tokens, reply.usage.output_tokens) == (
        "hm",
        "stop",
        3,
        2,
    )
    assert reply.first_token is not None and 0 < reply.first_token <= reply.elapsed
    sent = server.exchange().json
    assert (sent["messages"][0]["content"], sent["temperature"], sent["stream"]) == ("brief", 0.5, True)


def test_an_answer_that_has_ended_takes_no_longer_when_it_is_closed() -> None:
    answer = streamchat.stream("x", model="echo")
    list(answer)
    elapsed = answer.reply.elapsed
    answer.close()
    assert (answer.reply.elapsed, answer.reply.stop_reason) == (elapsed, "stop")


def test_whether_a_long_answer_is_empty_is_asked_without_a_copy_of_it() -> None:
    reply = Reply()
    for _ in range(20):
        reply.add(Text("\n" + "word" * 25_000 + "\n"))
    reply.add(Stop("stop"))
    tracemalloc.start()
    try:
        assert reply.shortage is None
        assert tracemalloc.get_traced_memory()[1] < 10_000  # bytes, of 2,000,000
    finally:
        tracemalloc.stop()


def test_events_are_everything_and_the_stop_is_the_last(server: Server) -> None:
    server.play(stream(chat_answer(["Hi"], reasoning=["hm"])))
    kinds = [type(event).__name__ for event in ask(server).events()]

    assert kinds == ["Reasoning", "Text", "Usage", "Stop"]


def test_a_whole_conversation_can_be_given(server: Server) -> None:
    server.play(stream(chat_answer(["Hi"])))
    turns = [streamchat.Message("user", "a"), streamchat.Message("assistant", "b"), streamchat.Message("user", "c")]
    list(streamchat.stream(turns, model="vllm/m", base_url=server.v1))

    assert [message["content"] for message in server.exchange().json["messages"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "prompt", [[{"role": "user", "content": "Hi"}], b"Hi", ["Hi"]], ids=["dicts", "bytes", "texts"]
)
@pytest.mark.parametrize("asking", [streamchat.stream, streamchat.astream])
def test_what_is_no_conversation_is_refused_where_it_is_given(asking: Any, prompt: Any) -> None:
    """As other libraries take it: not by an AttributeError from inside a provider, when the answer is wanted."""
    with pytest.raises(TypeError, match=r"streamchat\.Message"):
        asking(prompt, model="echo")


@pytest.mark.parametrize("way", ["break", "close", "with", "error in the loop"])
def test_leaving_early_closes_the_connection_at_once(server: Server, way: str) -> None:
    """Without the garbage collector's help, and with the stream still held."""
    server.play(stream(chat_answer(["a", "b"])[:2], Stall()))
    answer = ask(server)
    gc.disable()
    try:
        match way:
            case "break":
                for _ in answer:
                    break
            case "close":
                next(iter(answer))
                answer.close()
            case "with":
                with answer:
                    next(iter(answer))
            case _:
                with pytest.raises(ZeroDivisionError):
                    max(1 // len(token[:0]) for token in answer)
        assert server.exchange().closed.wait(10)
    finally:
        gc.enable()
    assert (answer.reply.text, answer.reply.stop_reason) == ("a", "interrupted")


@pytest.mark.parametrize("way", ["async with", "aclose", "cancelled"])
def test_leaving_early_closes_the_connection_in_async_too(server: Server, way: str) -> None:
    server.play(stream(chat_answer(["a", "b"])[:2], Stall()))
    answer = streamchat.astream("hello", model="vllm/m", base_url=server.v1)

    async def leave() -> None:
        async with answer:
            async for _ in answer:
                break

    async def close() -> None:
        events = answer.events()
        async for _ in events:
            break
        await answer.aclose()

    async def cancelled() -> None:
        async def read() -> None:
            async for _ in answer:
                started.set()

        started = asyncio.Event()
        task = asyncio.create_task(read())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run({"async with": leave, "aclose": close, "cancelled": cancelled}[way]())
    assert server.exchange().closed.wait(10)
    assert (answer.reply.text, answer.reply.stop_reason) == ("a", "interrupted")


def test_an_error_carries_what_had_come(server: Server) -> None:
    server.play(stream(chat_answer(["some ", "words"])[:3]))
    with pytest.raises(streamchat.CutError) as caught:
        list(ask(server))

    assert caught.value.reply is not None
    assert (caught.value.reply.text, caught.value.reply.stop_reason) == ("some words", "network")


def test_keep_alives_alone_are_a_stall(server: Server) -> None:
    """A connection that only says that it is alive ends after the time-out, with what had come."""
    packets = chat_answer(["some words", "never sent"])[:2]
    server.play(stream(packets, Repeat(b": keep-alive\n\n", every=0.05)))
    with pytest.raises(streamchat.StalledError, match="keep-alives") as caught:
        list(ask(server, idle_timeout=0.4))

    assert caught.value.reply is not None and caught.value.reply.text == "some words"


def test_what_lies_in_the_current_directory_has_no_say(server: Server, tmp_path: Any) -> None:
    """A program that uses the package must not be steered by where it is started."""
    from pathlib import Path

    Path(".streamchat.toml").write_text('system = "hostile"\n')
    Path(".env").write_text("OPENAI_API_KEY=theirs\n")
    server.play(stream(chat_answer(["Hi"])))
    list(ask(server))

    assert [message["role"] for message in server.exchange().json["messages"]] == ["user"]
    with pytest.raises(streamchat.AuthError):
        streamchat.stream("hello", model="openai/m")
