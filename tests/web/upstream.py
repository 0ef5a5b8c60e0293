"""A provider on loopback for many streams at once, which knows when each of its connections was closed.

It speaks OpenAI Chat. The model's name says how it answers: `paced-20-400` at 20 tokens a second, 400 of them;
`unpaced-400` as fast as it is read, `wide-400` in long words; `silent-3` falls silent after three; `mute` says nothing;
`refused-429` refuses. Each token of a paced answer is the time at which it was sent.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n"
    b"x-request-id: req_1\r\n\r\n"
)
_BEFORE, _AFTER = (
    part.encode()
    for part in json.dumps(
        {
            "id": "chatcmpl-CfZ4k2bQm7yTzS0",
            "object": "chat.completion.chunk",
            "created": 1782000000,
            "model": "gpt-5-mini-2025-08-07",
            "service_tier": "default",
            "system_fingerprint": "fp_50906f2aac",
            "choices": [{"index": 0, "delta": {"content": "\0"}, "logprobs": None, "finish_reason": None}],
            "usage": None,
            "obfuscation": "q7Xw2",
        },
        separators=(",", ":"),
    ).split('\\u0000')
)  # fmt: skip
_END = (
    b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b'data: {"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":9,"total_tokens":10}}\n\n',
    b"data: [DONE]\n\n",
)
_TICK = 0.005


def token(text: bytes) -> bytes:
    """One delta, as one chunk of the body."""
    return _chunk(b"data: %b%b%b\n\n" % (_BEFORE, text, _AFTER))


class Upstream:
    """The provider. It belongs to the loop that `start` is called in."""

    def __init__(self) -> None:
        self.asked = 0
        """Requests that have come whole."""
        self.closed: list[float] = []
        """When the connections that had asked were closed by the other side, by the monotonic clock."""
        self.sent = 0
        self.port = 0
        self.speaking: dict[Connection, float] = {}
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), "127.0.0.1", 0, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]
        self._ticker = loop.create_task(self._tick())

    def stop(self) -> None:
        assert self._server is not None and self._ticker is not None
        self._ticker.cancel()
        self._server.close()

    async def _tick(self) -> None:
        while True:
            now = time.monotonic()
            for connection, due in list(self.speaking.items()):
                if due <= now:
                    self.speaking[connection] = max(due + connection.every, now - 1)
                    connection.say(b"%.6f " % now)
            await asyncio.sleep(_TICK)


class Connection(asyncio.Protocol):
    """One request after another, each answered as its model's name says."""

    transport: asyncio.Transport

    def __init__(self, upstream: Upstream) -> None:
        self.every = 0.0
        self._upstream = upstream
        self._inbox = b""
        self._answering = self._paused = False
        self._left = 0
        self._fast = False
        self._word = b"word "

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._inbox += data
        head, found, rest = self._inbox.partition(b"\r\n\r\n")
        if not found:
            return
        length = next((int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length:")), 0)  # fmt: skip
        if len(rest) >= length:
            self._inbox = rest[length:]
            self._answer(json.loads(rest[:length])["model"])

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.speaking.pop(self, None)
        if self._answering:
            self._upstream.closed.append(time.monotonic())
        self._answering = self._fast = False

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._hurry()

    def say(self, text: bytes) -> None:
        """One token more, or the end."""
        if self._left <= 0:
            self._end()
            return
        self._left -= 1
        self._upstream.sent += 1
        self.transport.write(token(text))

    def _answer(self, model: str) -> None:
        self._upstream.asked += 1
        self._answering = True
        kind, *numbers = model.split("-")
        if kind == "refused":
            self._refuse(int(numbers[0]))
        elif kind != "mute":
            self.transport.write(_HEAD + token(b""))
            self._left = int(numbers[-1])
        if kind == "paced":
            self.every = 1 / int(numbers[0])
            self._upstream.speaking[self] = time.monotonic() + self.every * (self._upstream.asked % 50) / 50
        elif kind in ("unpaced", "wide"):
            self._fast = True
            self._word = b"word " * (800 if kind == "wide" else 1)
            self._hurry()
        elif kind == "silent":
            while self._left:
                self.say(b"word ")

    def _hurry(self) -> None:
        for _ in range(8):
            if not self._fast or self._paused:
                return
            self.say(self._word)
        asyncio.get_running_loop().call_soon(self._hurry)

    def _end(self) -> None:
        self._upstream.speaking.pop(self, None)
        self._answering = self._fast = False
        self.transport.write(b"".join(map(_chunk, _END)) + b"0\r\n\r\n")

    def _refuse(self, status: int) -> None:
        self._answering = False
        body = b'{"error":{"message":"The reason why.","type":"some_error"}}'
        head = b"HTTP/1.1 %d No\r\ncontent-type: application/json\r\nretry-after: 7200\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@contextmanager
def upstream() -> Iterator[Upstream]:
    """One in a thread of its own."""
    loop = asyncio.new_event_loop()
    started = Upstream()
    loop.run_until_complete(started.start())
    thread = threading.Thread(target=loop.run_forever, name="upstream", daemon=True)
    thread.start()
    try:
        yield started
    finally:
        loop.call_soon_threadsafe(started.stop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def _main() -> None:
    """As a program: prints its port; a line on stdin asks what it has seen, as JSON."""
    started = Upstream()
    await started.start()
    print(started.port, flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps({"asked": started.asked, "closed": started.closed, "sent": started.sent}), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
