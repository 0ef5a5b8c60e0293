"""Runs of the program that are forked from one in which it is loaded already: what `subprocess` is for those started.

There is one such server (`tests.forkserver`) for each process that runs tests, from the first run on.
"""

import atexit
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOADING = 60.0
"""The longest that the server takes to load the program, and to answer."""

STARTING = re.compile("PYTHON|LC_|LANG|LD_|DYLD_|MALLOC_|OPENSSL_|_PYTHON_")
"""The variables that the interpreter, the loader and the C libraries read when a process begins."""

HARMLESS = {"HOME"}
"""Read while the program is loaded, but for the place of a user's own site-packages only, which the tests have not."""


class Forked:
    """A run, with what the tests use of `subprocess.Popen`."""

    def __init__(self, line: socket.socket, mine: Sequence[int]) -> None:
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(number, mode) if number >= 0 else None
            for number, mode in zip(mine, ("wb", "rb", "rb"), strict=True)
        )
        self.returncode: int | None = None
        self._line = line
        self._said = b""
        self.pid = self._number("pid", LOADING)

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            try:
                self.returncode = self._number("status", timeout)
            except TimeoutError:
                raise subprocess.TimeoutExpired("streamchat", timeout or 0) from None
            self._line.close()
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _number(self, what: str, timeout: float | None) -> int:
        """The next that is said of this run, which is to be that."""
        end = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self._said:
            if not select.select([self._line], [], [], None if end is None else max(0, end - time.monotonic()))[0]:
                raise TimeoutError
            data = self._line.recv(256)
            if not data:
                self._line.close()
                raise RuntimeError(f"the fork server is gone; of the run it had said {self._said!r}")
            self._said += data
        said, _, self._said = self._said.partition(b"\n")
        name, number = said.decode().split()
        if name != what:
            raise RuntimeError(f"the run ended before it began, with {number}")
        return int(number)


class Server:
    """The process that forks, from this side."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._control, theirs = socket.socketpair()
        self._env = env
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forkserver", str(theirs.fileno())],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._control.settimeout(LOADING)
        with self._control.makefile("rb") as source:
            said = source.readline()
        if not said:
            raise RuntimeError("the fork server did not start; why is on stderr")
        self._read = set(json.loads(said)) - HARMLESS

    def fits(self, env: Mapping[str, str]) -> bool:
        """Whether a run with this environment would load the program as it was loaded here."""
        return self._start(env) == self._start(self._env)

    def fork(
        self, args: Sequence[str], streams: Sequence[int], env: Mapping[str, str], cwd: str, terminal: str | None
    ) -> Forked:
        """The run of `streamchat` with these arguments; its streams are descriptors, or `subprocess.PIPE`.

        With the name of a terminal, it leads a session of its own there.
        """
        mine, theirs, pipes = [-1, -1, -1], list(streams), []
        for number, stream in enumerate(streams):
            if stream == subprocess.PIPE:
                reading, writing = os.pipe()
                mine[number], theirs[number] = (reading, writing) if number else (writing, reading)
                pipes.append(theirs[number])
        line, far = socket.socketpair()
        order = json.dumps({"args": list(args), "env": dict(env), "cwd": cwd, "terminal": terminal})
        with far:
            socket.send_fds(self._control, [b"."], [far.fileno(), *theirs])
        for pipe in pipes:
            os.close(pipe)
        line.sendall(order.encode() + b"\n")
        return Forked(line, mine)

    def close(self) -> None:
        self._control.close()
        self._process.wait(LOADING)

    def _start(self, env: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in env.items() if name in self._read or STARTING.match(name)}


_lock = threading.Lock()
_clean: dict[str, str] = {}


def begin_with(env: Mapping[str, str]) -> None:
    """What every test begins with, and so does the server: not with what the first test that runs something changed."""
    if not _clean:
        _clean.update(env)


def server() -> Server:
    """The one of this process."""
    with _lock:
        return _server()


@cache
def _server() -> Server:
    made = Server(_clean or dict(os.environ))
    atexit.register(made.close)
    return made
