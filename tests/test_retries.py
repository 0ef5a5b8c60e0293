"""When a request is sent again: as a pure decision, and by the real program against a server that refuses first."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat import retries
from streamchat.chat import Reply
from streamchat.errors import AuthError, BusyError, ChatError, NetworkError
from streamchat.events import Retry, Text
from streamchat.library import astream, stream
from streamchat.retries import LONGEST, again
from tests.program import Program, run
from tests.wire.answers import chat_answer, chat_error, openai_error_body
from tests.wire.scenario import document, reset_before_answer
from tests.wire.scenario import stream as streamed
from tests.wire.server import Server

BUSY = openai_error_body("Slow down.", "rate_limit_exceeded")
OVERLOADED = chat_error("Overloaded.", "overloaded_error")


def busy(after: str = "0") -> object:
    return document(BUSY, status=429, headers={"Retry-After": after})


@given(st.integers(1, 20), st.integers(0, 20), st.one_of(st.none(), st.floats(0, 1e6)), st.floats(0, 1))
def test_tries_are_bounded_in_number_and_time(tried: int, retries: int, wish: float | None, chance: float) -> None:
    retry = again(BusyError("busy", retry_after=wish), Reply(), tried=tried, retries=retries, jitter=lambda: chance)

    assert (retry is None) == (tried > retries or (wish is not None and wish > LONGEST))
    if retry is not None:
        assert 0 <= retry.wait <= LONGEST and 2 <= retry.attempt <= retry.attempts == retries + 1
        assert wish is None or abs(retry.wait - wish) < 0.01, "the provider's wish is obeyed"


def test_what_has_been_shown_is_never_asked_for_again() -> None:
    reply = Reply()
    reply.add(Text("word"))

    assert again(BusyError("busy"), reply, tried=1, retries=9) is None


@pytest.mark.parametrize("error", [AuthError("no"), ChatError("no"), NetworkError("no such name")])
def test_what_will_not_pass_by_itself_is_not_tried_again(error: ChatError) -> None:
    assert again(error, Reply(), tried=1, retries=9) is None


@pytest.mark.parametrize("first", [busy(), document(BUSY, status=503, headers={"Retry-After": "0"})])
def test_a_refusal_is_tried_again_and_said(server: Server, first: object) -> None:
    server.play(first, streamed(chat_answer(["Hi"])))  # type: ignore[arg-type]
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "hello")

    assert (result.out, result.status) == ("Hi\n", 0), result.err
    assert "trying again" in result.err and "2 of 3" in result.err


def test_an_error_event_before_the_first_word_is_tried_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_FIRST", 0.01)
    server.play(streamed([OVERLOADED]), reset_before_answer(), streamed(chat_answer(["Hi"])))
    events = list(stream("hello", model="vllm/m", base_url=server.v1).events())

    assert [type(event).__name__ for event in events] == ["Retry", "Retry", "Text", "Usage", "Stop"]
    assert [event.attempt for event in events if isinstance(event, Retry)] == [2, 3]


async def _collect(url: str) -> list[str]:
    return [type(event).__name__ async for event in astream("hello", model="vllm/m", base_url=url).events()]


def test_the_async_pump_decides_the_same(server: Server) -> None:
    import asyncio

    server.play(busy(), streamed(chat_answer(["Hi"])))  # type: ignore[arg-type]

    assert asyncio.run(_collect(server.v1)) == ["Retry", "Text", "Usage", "Stop"]


def test_an_error_event_after_a_word_is_not_tried_again(server: Server) -> None:
    packets = chat_answer(["word"])
    server.play(streamed([*packets[:2], OVERLOADED]), streamed(chat_answer(["again"])))
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "hello")

    assert (result.out, result.status, server.left) == ("word\n", 4, 1)


def test_a_wish_of_hours_is_told_and_not_slept_through(server: Server) -> None:
    server.play(busy("7200"))  # type: ignore[arg-type]
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "hello", timeout=20)

    assert result.status == 4
    assert "7200 s" in result.err or "2 h" in result.err


def test_ctrl_c_ends_the_wait(server: Server) -> None:
    server.play(busy("50"))  # type: ignore[arg-type]
    with Program("ask", "-m", "vllm/m", "--base-url", server.v1, "hello") as program:
        program.wait_for(b"trying again in 50 s")
        program.signal(signal.SIGINT)
        result = program.end(timeout=10)

    assert result.status == -signal.SIGINT and b"Traceback" not in result.stderr
