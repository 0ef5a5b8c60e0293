"""The real app under the real server, in a thread of its own, before an upstream that knows who has left it."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamchat.config import load
from streamchat.web.app import App
from streamchat.web.guard import Guard
from streamchat.web.server import Server, configured
from tests.web.upstream import Upstream, upstream

TOKEN = "a-token-that-nobody-guesses"
LIMITS = {"concurrent": 2000, "concurrent_per_user": 2000, "per_minute": 0, "grace": 0.0}
DEADLINE = 20.0
"""Seconds that anything here is waited for; only a failing test waits so long."""


class Serving(Struct, eq=False):
    """A server and what it asks."""

    app: App
    server: Server
    upstream: Upstream
    port: int
    loop: asyncio.AbstractEventLoop


def configuration(folder: Path, url: str, **limits: Any) -> Path:
    """A configuration file whose default provider is at this address."""
    path = folder / "serve.toml"
    path.write_text(
        '[defaults]\nprovider = "up"\nmodel = "mute"\n[providers.up]\nkind = "openai"\n'
        f'base_url = "{url}"\n[history]\nsave = false\n[serve]\n'
        + "".join(f"{name} = {value}\n" for name, value in (LIMITS | limits).items())
    )
    return path


@contextmanager
def serving(folder: Path, **limits: Any) -> Iterator[Serving]:
    """Both, for as long as the block lasts."""
    with upstream() as source:
        settings = load(config=configuration(folder, source.url, **limits), nearby=False)
        started = threading.Event()
        found: list[Serving] = []

        async def main() -> None:
            app = App(settings, guard=Guard(TOKEN, hosts=frozenset(("test",)), any_port=True))
            server = Server(configured(app), app, drain=0.0)
            listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
            task = asyncio.ensure_future(server.serve(sockets=[listener]))
            while not server.started and not task.done():
                await asyncio.sleep(0.005)
            if not task.done():
                port = listener.getsockname()[1]
                found.append(Serving(app, server, source, port, asyncio.get_running_loop()))
            started.set()
            await task

        thread = threading.Thread(target=asyncio.run, args=(main(),), name="serving", daemon=True)
        thread.start()
        assert started.wait(DEADLINE) and found
        try:
            yield found[0]
        finally:
            found[0].loop.call_soon_threadsafe(found[0].server.handle_exit, 15, None)
            thread.join(DEADLINE)


class Answering:
    """An answer that is being read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.ended = False
        """Whether the body came to its end by its own framing."""
        self._reader = reader

    async def head(self) -> None:
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}

    async def piece(self) -> bytes:
        """The next piece of the body; b"" at its end."""
        if "content-length" in self.headers:
            self.ended = True
            return await self._reader.readexactly(int(self.headers.pop("content-length")))
        size = int((await self._reader.readuntil(b"\r\n")).strip() or b"0", 16) if not self.ended else 0
        data = await self._reader.readexactly(size + 2) if not self.ended else b"\r\n"
        self.ended = self.ended or not size
        return data[:-2]

    async def until(self, mark: bytes) -> bytes:
        """The body up to the piece in which this is."""
        body = b""
        while mark not in body:
            piece = await self.piece()
            assert piece, f"the body ended without {mark!r}: {body[-500:]!r}"
            body += piece
        return body

    async def rest(self) -> bytes:
        """The whole body, or what is left of it."""
        body = b""
        while piece := await self.piece():
            body += piece
        return body


@asynccontextmanager
async def asked(
    port: int,
    path: str,
    body: Any = None,
    *,
    method: str = "",
    host: str = "test",
    headers: Mapping[str, str] = {},
) -> AsyncIterator[Answering]:
    """One request, sent; leaving the block hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method or ('GET' if body is None else 'POST')} {path} HTTP/1.1",
        f"host: {host}",
        f"authorization: Bearer {TOKEN}",
    ]
    lines += ["content-type: application/json", f"content-length: {len(data)}"] if data else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + data)
    try:
        yield Answering(reader, writer)
    finally:
        writer.transport.abort()


async def until(true: Any, what: str) -> None:
    """Until this holds."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not true():
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"never came true: {what}") from None
