"""Two servers as programs behind nginx, on one PostgreSQL and one Redis: one of them is killed in the middle."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from msgspec import Struct

from tests.conftest import ROOT
from tests.engines import DEADLINE, Nginx, Postgres, Redis, free_port, listening
from tests.web.streams import WORDS, eventually, halted, read
from tests.wire.chat import chat_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

TOKEN = "token-of-both-servers-0123456789"


class Team(Struct):
    """The two servers by their ports, and the one address that people know."""

    servers: dict[int, subprocess.Popen[bytes]]
    front: int
    open: list[HTTPConnection] = []

    def stream(self, method: str, path: str, body: Any = None, *, port: int = 0) -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", port or self.front, timeout=DEADLINE)
        self.open.append(connection)
        sent = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        return connection.getresponse()

    def ask(self, method: str, path: str, body: Any = None, *, port: int = 0) -> tuple[int, Any]:
        response = self.stream(method, path, body, port=port)
        data = response.read()
        return response.status, json.loads(data) if data.startswith((b"{", b"[")) else data

    def owner(self) -> int:
        """The port of the server that has a run under way."""
        return next(port for port in self.servers if self.ask("GET", "/api/health", port=port)[1]["runs"])


def started(port: int, config: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "streamchat", "serve", "--port", str(port), "--config", str(config)],
            env={**os.environ, "STREAMCHAT_SERVE_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=file,
        )


@pytest.fixture
def team(server: Server, postgres: Postgres, redis: Redis, tmp_path: Path) -> Iterator[Team]:
    ports = [free_port(), free_port()]
    with Nginx(*ports) as nginx:
        config = tmp_path / "team.toml"
        store = postgres.database()
        config.write_text(
            f'[providers.wire]\nkind = "openai"\nbase_url = "{server.v1}"\nretries = 0\n'
            f'[serve]\nstore = "{store}"\nruns = "{redis.url}"\nallow_host = ["127.0.0.1:{nginx.port}"]\n'
        )
        servers = {port: started(port, config, tmp_path / f"{port}.log") for port in ports}
        made = Team(servers, nginx.port)
        try:
            for port in ports:
                eventually(lambda port=port: listening(port), bool)
            yield made
            logs = "".join((tmp_path / f"{port}.log").read_text() for port in ports)
            assert "Traceback" not in logs
            assert store.partition("team:")[2].partition("@")[0] not in logs
        finally:
            for connection in made.open:
                connection.close()
            for process in servers.values():
                process.kill()
                process.wait()


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="no nginx on this machine")
def test_who_reads_goes_on_at_the_other_server_whatever_becomes_of_the_first(team: Team, server: Server) -> None:
    # begun at one, gone on with at the other, as the proxy likes
    server.play(stream(chat_answer(["one"])), stream(chat_answer(["two"])))
    first = team.stream("POST", "/api/chat", {"model": "wire/m", "input": "First?"})
    conversation = json.loads(read(first).partition(b"data: ")[2].partition(b"\n")[0])["conversation"]
    assert b'{"t":"two"}' in read(
        team.stream("POST", "/api/chat", {"model": "wire/m", "input": "Second?", "conversation": conversation})
    )
    for port in team.servers:
        document = team.ask("GET", f"/api/conversations/{conversation}", port=port)[1]
        assert [turn["answer"]["text"] for turn in document["turns"]] == ["one", "two"]

    # one of them is killed in the middle of an answer
    server.play(halted(WORDS, Event()))
    asked = {"model": "wire/m", "input": "Third?", "conversation": conversation}
    reading = team.stream("POST", "/api/chat", asked)
    run = reading.getheader("x-run-id")
    seen = read(reading, b"word2")
    owner = team.owner()
    (other,) = set(team.servers) - {owner}
    eventually(
        lambda: team.ask("GET", f"/api/conversations/{conversation}", port=other)[1]["run"], lambda id_: id_ == run
    )
    assert team.ask("POST", "/api/chat", asked, port=other)[0] == 409
    elsewhere = team.stream("GET", f"/api/runs/{run}/events", port=other)
    there = read(elsewhere, b"word2")
    came = "".join(WORDS[:4])
    eventually(
        lambda: team.ask("GET", f"/api/conversations/{conversation}", port=other)[1]["turns"][-1]["answer"]["text"],
        lambda text: text == came,
    )
    team.servers[owner].kill()
    team.servers[owner].wait()
    last = seen.rpartition(b"id: ")[2].partition(b"\n")[0].decode()
    resumed = read(team.stream("GET", f"/api/runs/{run}/events?after={last}"))

    name, data = resumed.strip().split(b"\n")[-2:]
    error = json.loads(data.removeprefix(b"data: "))
    assert name == b"event: error"
    assert (error["code"], error["retryable"], error["partial"]) == ("server_lost", True, True)
    assert there + read(elsewhere) == seen + resumed
    ids = [line for line in (seen + resumed).split(b"\n") if line.startswith(b"id: ")]
    assert ids == [b"id: %d" % number for number in range(len(ids))]

    # what came is kept, and the conversation is free
    document = team.ask("GET", f"/api/conversations/{conversation}")[1]
    assert document["run"] is None
    assert document["turns"][-1]["answer"]["text"] == came
    server.play(stream(chat_answer(["three"])))
    retried = {"model": "wire/m", "conversation": conversation, "parent": document["turns"][-1]["question"]["id"]}
    assert b"event: done" in read(team.stream("POST", "/api/chat", retried))
