"""Leaving, stopping, resuming and the end of the server, before an upstream that is paid for as long as it is open."""

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamchat.chat import Chat, Message
from streamchat.providers.base import Endpoint
from streamchat.providers.echo import Provider as Echo
from streamchat.pump import AsyncStream
from streamchat.web import server as serving_module
from streamchat.web.encoding import Native
from streamchat.web.run import Run
from tests.web.leaving import DEADLINE, TOKEN, Answering, Serving, asked, configuration, serving, until
from tests.web.upstream import upstream

pytest.importorskip("fastapi", reason="the extra `web` is not installed")

STREAMS = 50


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server for the tests that leave it as it was."""
    with serving(tmp_path_factory.mktemp("served")) as started:
        yield started


@pytest.fixture
def garbage() -> Iterator[None]:
    """These are done without the garbage collector: nothing may be left to it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def question(model: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}], "model": f"up/{model}", **fields}


def simply(model: str) -> dict[str, Any]:
    return {"message": "Hi", "model": f"up/{model}"}


# Leaving


@pytest.mark.parametrize(
    ("model", "seen", "readers"),
    [
        pytest.param("paced-50-100000", 3, STREAMS, id="in flow"),
        pytest.param("unpaced-1000000", 20, 12, id="under load"),
        pytest.param("silent-3", 1, STREAMS, id="while it is silent"),
        pytest.param("mute", 0, STREAMS, id="before the first token"),
    ],
)
@pytest.mark.parametrize(("path", "ask"), [("/stream", simply), ("/api/chat", question)], ids=["simple", "native"])
@pytest.mark.usefixtures("garbage")
def test_who_leaves_closes_the_upstream(
    served: Serving, model: str, seen: int, readers: int, path: str, ask: Any
) -> None:
    """Many readers at once, whatever the model is at: every connection to the provider is closed."""
    source = served.upstream
    asked_before, closed_before = source.asked, len(source.closed)

    async def leave() -> None:
        async with AsyncExitStack() as stack:
            answers = [await stack.enter_async_context(asked(served.port, path, ask(model))) for _ in range(readers)]
            await asyncio.gather(*(read(answer, seen) for answer in answers if seen))
            await until(lambda: source.asked == asked_before + readers, "all have asked")
        await until(lambda: len(source.closed) == closed_before + readers, "all upstreams are closed")

    asyncio.run(leave())

    assert len(served.app.hub) == 0


async def read(answer: Answering, events: int) -> None:
    """So many events, and nothing more."""
    await answer.head()
    body = b""
    while body.count(b"\n\n") < events:
        body += await answer.piece()


def test_who_comes_back_in_time_finds_the_answer_going_on(tmp_path: Path) -> None:
    """Leaving starts a timer; reading again ends it; the rest is what was not read, and Stop ends it for good."""

    async def rounds(served: Serving) -> None:
        async with asked(served.port, "/api/chat", question("paced-50-100000")) as answer:
            await answer.head()
            run = answer.headers["x-run-id"]
            last = ids(await answer.until(b"event: token"))[-1]
        await until(lambda: not found(served, run).readers, "the reader is gone")
        assert found(served, run)._timer is not None
        async with asked(served.port, f"/api/runs/{run}/events", headers={"Last-Event-ID": str(last)}) as again:
            await again.head()
            assert again.status == 200
            assert ids(await again.until(b"event: token"))[0] == last + 1
            assert found(served, run)._timer is None
            async with asked(served.port, f"/api/runs/{run}", method="DELETE") as stop:
                await stop.head()
                assert stop.status == 202
            rest = await again.rest()
        assert json.loads(rest.rpartition(b"data: ")[2])["code"] == "stopped"
        assert again.ended
        await until(lambda: len(served.upstream.closed) == 1, "the upstream is closed")

    with serving(tmp_path, grace=600.0) as served:
        asyncio.run(rounds(served))


def test_who_does_not_come_back_in_time_has_left(tmp_path: Path) -> None:
    """The timer is what ends it."""

    async def leave(served: Serving) -> None:
        async with asked(served.port, "/api/chat", question("silent-3")) as answer:
            await answer.head()
            await answer.until(b"event: token")
        await until(lambda: served.upstream.closed, "the upstream is closed")

    with serving(tmp_path, grace=0.05) as served:
        asyncio.run(leave(served))


def found(served: Serving, run: str) -> Run:
    there = served.app.hub.find(run)
    assert there is not None
    return there


def ids(body: bytes) -> list[int]:
    return [int(line[4:]) for line in body.split(b"\n") if line.startswith(b"id: ")]


# Resuming


@pytest.fixture(scope="module")
def whole(served: Serving) -> tuple[str, bytes]:
    """A run that has ended, and all of its stream."""

    async def read() -> tuple[str, bytes]:
        async with asked(served.port, "/api/chat", question("unpaced-40")) as answer:
            await answer.head()
            return answer.headers["x-run-id"], await answer.rest()

    return asyncio.run(read())


@given(cut=st.integers(min_value=0, max_value=20_000))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_resuming_gives_exactly_the_rest(served: Serving, whole: tuple[str, bytes], cut: int) -> None:
    """Wherever the stream was cut, in the middle of an event too: what was whole and what comes then are all of it."""
    run, stream = whole
    kept = (
        stream[: stream.rfind(b"\n\n", 0, cut % (len(stream) + 1)) + 2]
        if b"\n\n" in stream[: cut % (len(stream) + 1)]
        else b""
    )
    headers = {"Last-Event-ID": str(ids(kept)[-1])} if kept else {}

    async def resume() -> bytes:
        async with asked(served.port, f"/api/runs/{run}/events", headers=headers) as answer:
            await answer.head()
            return await answer.rest()

    assert kept + asyncio.run(resume()) == stream


# Before the first byte


@pytest.mark.parametrize(("status", "told", "code"), [(401, 502, "auth"), (429, 429, "rate_limited")])
def test_a_refusal_before_the_first_byte_is_a_real_status(served: Serving, status: int, told: int, code: str) -> None:
    """Not a stream that begins with status 200."""

    async def ask() -> tuple[int, bytes, dict[str, str]]:
        async with asked(served.port, "/api/chat", question(f"refused-{status}")) as answer:
            await answer.head()
            return answer.status, await answer.piece(), answer.headers

    there, body, headers = asyncio.run(ask())

    assert (there, json.loads(body)["error"]["code"]) == (told, code)
    assert "The reason why." in json.loads(body)["error"]["message"]
    assert status != 429 or headers["retry-after"] == "7200"


def test_a_silent_provider_does_not_keep_the_stream_closed(served: Serving) -> None:
    """After a second the reader gets its headers and `start`, and hears from the model when there is something."""

    async def ask() -> bytes:
        async with asked(served.port, "/api/chat", question("mute")) as answer:
            await answer.head()
            assert answer.status == 200
            return await answer.piece()

    assert b"event: start" in asyncio.run(ask())


# Who reads slowly, who says little


def test_who_has_stopped_reading_holds_nothing_but_a_place(served: Serving) -> None:
    """The answer goes on without it, to its end; what waits for it is in the log once and in no queue."""

    async def stop_reading() -> None:
        async with asked(served.port, "/api/chat", question("wide-3000")) as stopped:
            await stopped.head()
            run = found(served, stopped.headers["x-run-id"])
            stopped.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: run.ended, "the run has ended though nobody reads")
            reader = run.readers[0]
            assert reader.place < len(run.log)
            assert not reader.waiting
            stopped.writer.transport.resume_reading()  # type: ignore[attr-defined]
            rest = await stopped.rest()
        assert ids(rest) == list(range(len(run.log)))

    asyncio.run(stop_reading())


def test_a_head_that_does_not_come_in_time_is_not_waited_for(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that never begins nor one that trickles, nor the next one on a connection that was used."""
    monkeypatch.setattr(serving_module, "HEAD_SECONDS", 0.1)

    async def trickle(first: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(first)
        async with asyncio.timeout(DEADLINE):
            said = await reader.read()
        writer.close()
        return said

    health = b"GET /api/health HTTP/1.1\r\nhost: test\r\n\r\n"
    assert asyncio.run(trickle(b"")) == b""
    assert asyncio.run(trickle(b"GET /api/health HTTP/1.1\r\nhost: te")) == b""
    monkeypatch.setattr(serving_module, "HEAD_SECONDS", 1)  # here the first head is to come in time
    assert asyncio.run(trickle(health + b"GET /")).count(b"HTTP/1.1 200") == 1


# What is wrong with us


class Broken(Native):
    """A bug in the middle of an answer."""

    def events(self, batch: Any) -> Any:
        raise RuntimeError("insides of the server")


def test_a_bug_ends_the_answer_and_tells_nothing_of_its_insides(capsys: pytest.CaptureFixture[str]) -> None:
    """One `error` event with the code `internal`; the line for who runs the server is in its log."""

    async def run() -> bytes:
        stream = AsyncStream(Echo(Endpoint("echo")), Chat("echo", (Message("user", "Hi"),)))
        broken = Run(stream, Broken({"run": "r"}, priced=lambda _: None))
        reader = broken.join()
        broken.begin()
        return b"".join([frames async for frames in pieces(reader)])

    body = asyncio.run(run())

    assert json.loads(body.rpartition(b"data: ")[2])["code"] == "internal"
    assert b"insides" not in body
    assert "insides of the server" in capsys.readouterr().err


async def pieces(reader: Any) -> AsyncIterator[bytes]:
    while data := await reader.read():
        yield data


# The end of the server


def test_the_end_of_the_server_leaves_nobody_without_a_word(tmp_path: Path) -> None:
    """SIGTERM: after the drain time each of fifty readers has an `error` event and a body that ends, and the process
    is gone."""
    drain = 0.2
    with upstream() as source:
        config = configuration(tmp_path, source.url)
        process = subprocess.Popen(
            [sys.executable, "-m", "streamchat", "serve", "--port", "0", "--drain", str(drain), "--config", config],
            env={**os.environ, "STREAMCHAT_SERVE_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "http://" in line)
            port = int(line.partition("127.0.0.1:")[2].partition("/")[0])
            ends, gone = asyncio.run(readers(port, process))
        finally:
            process.kill()
            rest = process.communicate()[0]

    assert [json.loads(end.rpartition(b"data: ")[2])["code"] for end in ends] == ["server_stopping"] * STREAMS
    assert drain <= gone < drain + 5  # the figure is the benchmark's; here it is that nothing waits for a backstop
    assert "Traceback" not in rest
    assert process.returncode in (0, -signal.SIGTERM)


async def readers(port: int, process: "subprocess.Popen[str]") -> tuple[list[bytes], float]:
    host = f"127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        answers = [
            await stack.enter_async_context(asked(port, "/api/chat", question("paced-20-100000"), host=host))
            for _ in range(STREAMS)
        ]
        for answer in answers:
            await answer.head()
            await answer.until(b"event: token")
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        ends = await asyncio.gather(*(answer.rest() for answer in answers))
        await asyncio.to_thread(process.wait, DEADLINE)
        return ends, time.monotonic() - begun
