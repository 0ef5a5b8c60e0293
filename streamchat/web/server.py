"""The server of `streamchat serve`: uvicorn, with an end of its own that leaves nobody without a word.

At the first signal no connection is taken any more and the runs get the drain time; what is left then ends with an
event `server_stopping` and its text kept. A second signal ends at once.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.logging import AccessFormatter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from streamchat.web.app import App
from streamchat.web.fastapi import PUSH, application

HEAD_SECONDS = 10.0
"""A client has this long for the head of a request."""
_BACKSTOP = 2
"""Seconds after the last event in which a reader may take it."""


class Protocol(HttpToolsProtocol):
    """A connection whose head comes in time, or ends: what opens many and says little on each holds nothing up."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_SECONDS, transport.close)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def on_headers_complete(self) -> None:
        self._in_time()
        super().on_headers_complete()
        if self.cycle is not None:
            self.scope["extensions"] = {PUSH: {"write": partial(_push, self.cycle)}}

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _push(cycle: RequestResponseCycle, data: bytes) -> bool:
    """A `reader.Push`: one chunk of the body, as the cycle would write it if it did not have to wait."""
    if cycle.disconnected or cycle.flow.write_paused or not cycle.chunked_encoding:
        return False
    cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
    return True


class Server(uvicorn.Server):
    """uvicorn's, but for how it ends."""

    def __init__(self, config: uvicorn.Config, app: App, drain: float) -> None:
        super().__init__(config)
        self._app, self._drain = app, drain
        self._ending: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM begin the end; the handlers that were there come back after it. In another thread than the
        main one there are no signals: `handle_exit` is called instead."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {each: signal.signal(each, self.handle_exit) for each in signals}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._ending is not None or self._app.hub.draining:
            self.force_exit = self.should_exit = True
            return
        self._app.hub.draining = True
        asyncio.get_running_loop().call_soon_threadsafe(self._begin_end)

    def _begin_end(self) -> None:
        self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        for server in self.servers:
            server.close()
        await self._app.drain(self._drain)
        self.should_exit = True


class _WithoutQuery(logging.Filter):
    """The log of requests has no words that somebody searched for."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) == 5:
            who, method, path, *rest = record.args
            record.args = (who, method, str(path).partition("?")[0], *rest)
        return True


def serve(
    app: App,
    listener: socket.socket,
    *,
    drain: float = 5.0,
    docs: bool = False,
    access_log: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal ends it. `listener` is bound already; `ready` is called when requests are answered."""
    if listener.family != getattr(socket, "AF_UNIX", None):
        # What is accepted inherits it. asyncio sees to it itself only where a socket names its protocol, and these do
        # not: every second write would wait 40 ms for the client's acknowledgement of the first.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = configured(app, docs=docs, access_log=access_log)

    _log(access=access_log)

    async def main() -> None:
        server = Server(config, app, drain)
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        if server.started:
            ready()
        await serving

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(main())


def configured(app: App, *, docs: bool = False, access_log: bool = False) -> uvicorn.Config:
    """uvicorn's settings for this app."""
    return uvicorn.Config(
        application(app, docs=docs),
        http=Protocol,
        ws="none",
        loop=_loop(),
        lifespan="on",
        access_log=access_log,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_BACKSTOP,
        timeout_keep_alive=30,
    )


def _log(*, access: bool) -> None:
    """What goes wrong, and a line for each request if that is wanted, on stderr."""
    said = logging.StreamHandler()
    said.setFormatter(logging.Formatter("streamchat: %(message)s"))
    logging.getLogger("uvicorn").addHandler(said)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    if access:
        asked = logging.StreamHandler()
        asked.setFormatter(AccessFormatter('%(asctime)s %(client_addr)s "%(request_line)s" %(status_code)s'))
        log = logging.getLogger("uvicorn.access")
        log.propagate = False
        log.setLevel(logging.INFO)
        log.addFilter(_WithoutQuery())
        log.addHandler(asked)


def _loop() -> str:
    try:
        import uvloop  # noqa: F401  # where there is none, the standard loop will do
    except ImportError:
        return "asyncio"
    return "uvloop"
