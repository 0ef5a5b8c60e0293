"""The server: a thread that listens and two for each connection, one that reads and one that plays."""

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from msgspec import Struct, field

from tests.wire.answers import models
from tests.wire.scenario import Fin, Raw, Repeat, Reset, Scenario, Send, Stall, Step, Wait, document

DEADLINE = 10.0
"""The longest that anything here is waited for, in seconds; only a failing test waits so long."""


TLS_HANDSHAKE = b"\x16"
"""The first byte of a client that expects TLS; it is answered as HTTP servers do."""


class Exchange(Struct, eq=False):
    """One request as it came, and what became of its answer."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    closed: threading.Event
    """The client has closed the connection."""
    played: threading.Event = field(default_factory=threading.Event)
    """Everything was sent: not set when the client left before."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """Plays one scenario for each request, in the order in which `play` was given them.

    What nothing was planned for is refused with status 418, so that a request too many shows. A GET of the list of
    models takes no scenario unless there is one in `routes`.
    """

    def __init__(self, *scenarios: Scenario) -> None:
        self.routes: dict[str, Scenario] = {}
        self.exchanges: list[Exchange] = []
        self._plan = list(scenarios)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._connections: list[_Connection] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="wire-server", daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The origin: what the Anthropic SDK calls the base URL."""
        return f"http://{self.host}"

    @property
    def v1(self) -> str:
        """What the OpenAI SDK calls the base URL."""
        return f"{self.url}/v1"

    def play(self, *scenarios: Scenario) -> None:
        """Plan the answers to the next requests."""
        with self._changed:
            self._plan += scenarios

    def forget(self) -> None:
        """Plan nothing more than what was asked for."""
        with self._changed:
            self._plan.clear()

    def exchange(self, number: int = 0, *, deadline: float = DEADLINE) -> Exchange:
        """The request of that number (from 0), as soon as it is there."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.exchanges) > number, deadline), "no such request came"
            return self.exchanges[number]

    def reset(self) -> None:
        """Break every connection, as a server does that is killed."""
        for connection in self._connections:
            connection.reset()

    @property
    def left(self) -> int:
        """How many planned answers nobody has asked for."""
        return len(self._plan)

    def close(self) -> None:
        """End everything, also what stalls."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE)
        for connection in self._connections:
            connection.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(_Connection(client, self))

    def _scenario(self, exchange: Exchange) -> Scenario:
        with self._changed:
            self.exchanges.append(exchange)
            self._changed.notify_all()
            route = self.routes.get(exchange.path)
            if route is not None:
                return route
            if exchange.method == "GET":
                return document(models(anthropic="anthropic-version" in exchange.headers))
            if self._plan:
                return self._plan.pop(0)
        headers = {"x-should-retry": "false"}
        return document({"error": {"message": "no scenario is left for this request"}}, status=418, headers=headers)


class _Connection:
    """One client's connection: `_read` fills the inbox until the client goes, `_serve` answers what is in it."""

    def __init__(self, client: socket.socket, server: Server) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.gone = threading.Event()
        self._socket = client
        self._server = server
        self._inbox = bytearray()
        self._arrived = threading.Condition()
        self._dropping = False
        self._threads = [
            threading.Thread(target=work, name=f"wire-{work.__name__}", daemon=True)
            for work in (self._read, self._serve)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._drop()
        for thread in self._threads:
            thread.join(DEADLINE)
        self._socket.close()

    # Reading

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            with self._arrived:
                if not data:
                    if not self._dropping:
                        self.gone.set()
                    self._arrived.notify_all()
                    return
                self._inbox += data
                self._arrived.notify_all()

    def _until(self, mark: bytes) -> bytes | None:
        with self._arrived:
            self._arrived.wait_for(lambda: mark in self._inbox or self._over())
            head, found, rest = self._inbox.partition(mark)
            if not found:
                return None
            self._inbox = rest
            return bytes(head)

    def _exactly(self, size: int, *, keep: bool = False) -> bytes | None:
        with self._arrived:
            self._arrived.wait_for(lambda: len(self._inbox) >= size or self._over())
            if len(self._inbox) < size:
                return None
            body = bytes(self._inbox[:size])
            if not keep:
                del self._inbox[:size]
            return body

    def _over(self) -> bool:
        return self.gone.is_set() or self._dropping

    def _request(self) -> Exchange | None:
        if self._exactly(1, keep=True) == TLS_HANDSHAKE:
            with contextlib.suppress(OSError):
                self._socket.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
                self._socket.shutdown(socket.SHUT_WR)
            return None
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        request, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = request.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = self._exactly(int(headers.get("content-length", "0")))
        return None if body is None else Exchange(method, path, headers, body, self.gone)

    # Playing

    def _serve(self) -> None:
        while (exchange := self._request()) is not None:
            scenario = self._server._scenario(exchange)
            try:
                alive = self._play(scenario, exchange)
            except OSError:
                self._wait_until_gone()
                return
            if not alive:
                return

    def _play(self, scenario: Scenario, exchange: Exchange) -> bool:
        """Whether the connection can take another request after this one."""
        if scenario.head:
            self._socket.sendall(_head(scenario, exchange))
        for step in scenario.steps:
            if self._over() or not self._step(step, scenario):
                if isinstance(step, Fin | Reset):
                    exchange.played.set()
                return False
        if scenario.framing == "chunked":
            self._socket.sendall(b"0\r\n\r\n")
        exchange.played.set()
        if scenario.framing == "close":
            self._socket.shutdown(socket.SHUT_WR)
            return False
        return True

    def _step(self, step: Step, scenario: Scenario) -> bool:
        """Play one; False where the connection is at its end."""
        match step:
            case Send(data):
                self._socket.sendall(_chunk(data) if scenario.framing == "chunked" else data)
            case Raw(data):
                self._socket.sendall(data)
            case Wait(gate):
                while not gate.wait(0.005):
                    if self._over():
                        return False
            case Stall():
                self._wait_until_gone()
                return False
            case Repeat(data, every, longest):
                until = time.monotonic() + longest
                while not self._over() and time.monotonic() < until:
                    self._socket.sendall(_chunk(data) if scenario.framing == "chunked" else data)
                    self.gone.wait(every)
                self._socket.shutdown(socket.SHUT_WR)
                return False
            case Fin():
                self._socket.shutdown(socket.SHUT_WR)
                return False
            case Reset():
                self.reset()
                return False
        return True

    def _wait_until_gone(self) -> None:
        with self._arrived:
            self._arrived.wait_for(self._over)

    def reset(self) -> None:
        """RST instead of FIN. The reader is woken first: a socket in use by `recv` would close only later."""
        self._drop()
        self._threads[0].join(DEADLINE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
        self.gone.set()

    def _drop(self) -> None:
        with self._arrived:
            self._dropping = True
            self._arrived.notify_all()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


def _head(scenario: Scenario, exchange: Exchange) -> bytes:
    try:
        reason = HTTPStatus(scenario.status).phrase
    except ValueError:
        reason = "Overloaded" if scenario.status == 529 else "Unknown"
    request_id = "request-id" if "anthropic-version" in exchange.headers else "x-request-id"
    headers = {"date": formatdate(time.time(), usegmt=True), "server": "wire", request_id: "req_011CWireServer"}
    if scenario.content_type is not None:
        headers["content-type"] = scenario.content_type
    if scenario.framing == "chunked":
        headers["transfer-encoding"] = "chunked"
    elif scenario.framing == "length":
        headers["content-length"] = str(len(scenario.body) if scenario.length is None else scenario.length)
    else:
        headers["connection"] = "close"
    lines = [f"HTTP/1.1 {scenario.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in (headers | dict(scenario.headers)).items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
