"""The real server for the page's tests: `streamchat serve` as a program, whose provider is the loopback server of tests/wire."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import Any

from tests.wire.answers import chat_answer
from tests.wire.scenario import Scenario, Stall, Wait, stream
from tests.wire.server import Exchange, Server

TOKEN = "a-token-of-the-tests-alone"
MODEL = "openai/gpt-5-mini"
DEADLINE = 15.0


class Serving:
    """One server, which may be killed and started again at the same address."""

    def __init__(self, home: Path, *, grace: float = 30.0, names: Iterable[str] = (), provider: Server | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.provider = provider or Server()
        self._home = home
        self._names = [argument for name in names for argument in ("--allow-host", name)]
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self._config = home / "config.toml"
        self._config.write_text(
            f'[defaults]\nmodel = "{MODEL}"\nretries = 0\n[providers.openai]\nbase_url = "{self.provider.v1}"\n'
            f"[serve]\nper_minute = 0\ngrace = {grace}\ndrain = 0.1\n"
        )
        self.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def address(self) -> str:
        """The page, with what lets a browser in."""
        return f"{self.origin}/#token={TOKEN}"

    def start(self) -> None:
        """Until it answers."""
        folders = {f"XDG_{name}_HOME": str(self._home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamchat", "serve", "--port", str(self._port), "--config", str(self._config)]
            + self._names,
            env={"PATH": os.environ["PATH"], "HOME": str(self._home), "LANG": "C.UTF-8", **folders, "STREAMCHAT_SERVE_TOKEN": TOKEN, "OPENAI_API_KEY": "sk-of-the-tests"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/#token=", line):
                self._port = int(found.group(1))
                self._drain = threading.Thread(target=self._process.stdout.read, daemon=True)
                self._drain.start()
                return
        raise AssertionError(f"the server did not start: {said}")

    def kill(self) -> None:
        """At once, as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._drain.join(DEADLINE)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def close(self) -> None:
        """End both servers."""
        self.kill()
        self.provider.close()


class Asked:
    """The requests that reach the provider in one test; answers are planned in their order."""

    def __init__(self, provider: Server) -> None:
        self._provider = provider
        self._before = len(provider.exchanges)
        provider.forget()

    def plan(self, *scenarios: Scenario) -> None:
        self._provider.play(*scenarios)

    def exchange(self, number: int = 0) -> Exchange:
        """The request of that number, as soon as it is there. Whatever is asked besides (lists of models) does not count."""
        deadline = time.monotonic() + DEADLINE
        while len(self.all) <= number:
            assert time.monotonic() < deadline, "no such request came"
            time.sleep(0.005)
        return self.all[number]

    @property
    def all(self) -> list[Exchange]:
        return [each for each in self._provider.exchanges[self._before :] if each.method == "POST"]


def answer(text: str, **fields: Any) -> Scenario:
    """A whole answer, in deltas of a few letters."""
    return stream(chat_answer(re.findall(r"(?s).{1,24}", text), **fields))


def held(before: str, gate: Event, after: str = "", **fields: Any) -> Scenario:
    """An answer that stops in the middle until the gate is opened."""
    packets = chat_answer([before, after], **fields)
    until = 2 + len(fields.get("reasoning", ()))
    return stream(packets[:until], Wait(gate), packets[until:])


def endless(text: str) -> Scenario:
    """An answer that never ends by itself."""
    return stream(chat_answer([text])[:2], Stall())
