"""The real server in a thread: uvicorn, the router, the guard, on a port of its own."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from msgspec import Struct

from streamchat.config import load
from streamchat.sse import Decoder, Frame
from streamchat.web.app import App
from streamchat.web.fastapi import application
from streamchat.web.guard import Guard, hosts_of
from streamchat.web.limits import Limits
from streamchat.web.server import Protocol

TOKEN = "token-of-the-tests-0123456789"
DEADLINE = 20.0


class Got(Struct):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def frames(self) -> list[Frame]:
        return Decoder().feed(self.body)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The events with their data."""
        return [(frame.event, json.loads(frame.data)) for frame in self.frames]


class Site:
    """A server under test. `config` is the text of its configuration."""

    def __init__(
        self,
        *,
        config: str = "",
        limits: Limits | None = None,
        cors: frozenset[str] = frozenset(),
        home: Path,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.config = home / "serve.toml"
        self.config.write_text(config)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as `server.serve` has it
        self.port: int = self._listener.getsockname()[1]
        self.guard = Guard(TOKEN, hosts=hosts_of(self.port), cors=cors)
        self._settings, self._limits = load(config=self.config, environ=environ, nearby=False), limits
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = TOKEN,
    ) -> tuple[HTTPConnection, HTTPResponse]:
        """A request whose answer is read as it comes."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        sent = {} if token is None else {"authorization": f"Bearer {token}"}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None:
            sent["content-type"] = "application/json"
        connection.request(method, path, data, {**sent, **(headers or {})})
        return connection, connection.getresponse()

    def ask(self, method: str, path: str, body: Any = None, **how: Any) -> Got:
        """A request and its whole answer."""
        connection, response = self.open(method, path, body, **how)
        try:
            kept = {name.lower(): value for name, value in response.getheaders()}
            return Got(response.status, kept, response.read())
        finally:
            connection.close()

    def on_loop(self, work: Any) -> Any:
        """Run this coroutine where the server runs."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(DEADLINE)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(DEADLINE)
        self._listener.close()

    def _serve(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.app = App(self._settings, guard=self.guard, limits=self._limits)
        config = uvicorn.Config(
            application(self.app), http=Protocol, ws="none", log_level="warning", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._listener]))
        while not self._server.started:
            await asyncio.sleep(0.002)
        self._ready.set()
        await serving
