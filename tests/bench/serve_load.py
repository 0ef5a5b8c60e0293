"""Many readers at once, as a program: `python -m tests.bench.serve_load PORT PATH MODEL STREAMS SECONDS HOW`.

Prints one line when all have asked and one, as JSON, when they are done: tokens, delays, when each left. HOW is
`read` (for so many seconds, or to the end with 0) or `leave` (all at once, by hanging up, after so many seconds).
"""

import asyncio
import json
import re
import sys
import time
from typing import Any

TOKEN = "sk-a-token-that-nobody-guesses"
_STAMP = re.compile(rb"(\d+\.\d{6}) ")


class Reader(asyncio.Protocol):
    """One reader of one stream, which parses nothing but the times in it."""

    transport: asyncio.Transport

    def __init__(self, request: bytes, seen: "Seen") -> None:
        self._request, self._seen = request, seen
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        seen = self._seen
        now = time.monotonic()
        words = data.count(b"word ")
        stamps = _STAMP.findall(data)
        seen.tokens += words + len(stamps)
        if seen.counting:
            seen.delays += [now - float(stamp) for stamp in stamps]
        if data.endswith(b"0\r\n\r\n") and not self.over.done():
            self.over.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)


class Seen:
    """What came of it all."""

    def __init__(self) -> None:
        self.tokens = 0
        self.delays: list[float] = []
        self.counting = False


async def main(port: int, path: str, model: str, streams: int, seconds: float, how: str) -> None:
    loop = asyncio.get_running_loop()
    said = [{"role": "user", "content": "Hi"}]
    body = json.dumps({"message": "Hi", "model": f"up/{model}", "messages": said, "stream": True}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {TOKEN}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode()
    seen, readers = Seen(), []
    for _ in range(streams):
        _, reader = await loop.create_connection(lambda: Reader(head + body, seen), "127.0.0.1", port)
        readers.append(reader)
        await asyncio.sleep(0.002)
    print("asked", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    seen.counting, before = True, seen.tokens
    if seconds:
        await asyncio.sleep(seconds)
    else:
        await asyncio.wait([reader.over for reader in readers])
    left: list[float] = []
    result: dict[str, Any] = {"tokens": seen.tokens - before, "delays": seen.delays}
    if how == "leave":
        for reader in readers:
            left.append(time.monotonic())
            reader.transport.close()
    print(json.dumps({**result, "left": left}), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    port, path, model, streams, seconds, how = sys.argv[1:]
    asyncio.run(main(int(port), path, model, int(streams), float(seconds), how))
