"""Servers of the web side on loopback ports, for tests: gunicorn's workers, werkzeug, uvicorn; and who asks them."""

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from flask import Flask
from msgspec import Struct
from werkzeug.serving import make_server

from tests.conftest import ROOT
from tests.web.wsgi import TOKEN, ours

DEADLINE = 30.0
"""The longest that anything here is waited for, in seconds: a first request imports an SDK, on a busy machine too."""


class Came(Struct):
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reading:
    """An answer that is read as it comes."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._response = connection.getresponse()
        self.status = self._response.status
        self.headers = {name.lower(): value for name, value in self._response.getheaders()}
        self.body = b""

    def until(self, mark: bytes) -> bytes:
        """All that has come, up to this; or to the end."""
        deadline = time.monotonic() + DEADLINE
        while mark not in self.body and (data := self._response.read1(65536)):
            assert time.monotonic() < deadline, f"no {mark!r} in {self.body!r}"
            self.body += data
        return self.body

    def rest(self) -> bytes:
        """All of it."""
        self.body += self._response.read()
        self._connection.close()
        return self.body

    def leave(self) -> None:
        """Hang up."""
        self._response.close()
        self._connection.close()


class Site(Struct):
    """A server by its port."""

    port: int
    prefix: str = ""

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        given = {"Authorization": f"Bearer {TOKEN}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None:
            given = {"Content-Type": "application/json"} | given
        connection.request(method, self.prefix + path, data, {name: value for name, value in given.items() if value})
        return connection

    def read(self, method: str, path: str, body: Any = None, **headers: str) -> Reading:
        return Reading(self.send(method, path, body, **headers))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Came:
        reading = self.read(method, path, body, **headers)
        return Came(reading.status, reading.headers, reading.rest())


class Gunicorn(Site, kw_only=True):
    """One that is a process."""

    process: Any
    log: Path


@contextmanager
def gunicorn(home: Path, *options: str) -> Iterator[Gunicorn]:
    """gunicorn with these options, by the configuration that is in this home."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    log = home / f"gunicorn{listener.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--graceful-timeout", "8"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--no-control-socket", *options, "tests.web.wsgi:whole()"],
            pass_fds=[listener.fileno()],
            env={**environ(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            cwd=home,
            stdout=out,
            stderr=out,
        )
    try:
        with listener:
            port = listener.getsockname()[1]
        yield Gunicorn(port, process=process, log=log)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(DEADLINE)


@contextmanager
def werkzeug(app: Flask, prefix: str = "") -> Iterator[Site]:
    """Somebody's own Flask app, in threads of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Site(server.server_port, prefix)
    finally:
        server.shutdown()
        thread.join(DEADLINE)
        server.server_close()


@contextmanager
def fastapi(home: Path) -> Iterator[Site]:
    """The same by FastAPI and uvicorn, in a thread of this process."""
    from streamchat.web.fastapi import application

    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = uvicorn.Server(
        uvicorn.Config(application(ours(**environ(home))), log_level="warning", server_header=False)
    )
    thread = Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        yield Site(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(DEADLINE)


def environ(home: Path) -> dict[str, str]:
    """The variables of somebody whose home this is."""
    kinds = ("CONFIG", "DATA", "STATE", "CACHE")
    return {"HOME": str(home), "LANG": "C.UTF-8"} | {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in kinds}
