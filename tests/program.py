"""Runs the real program, with pipes or on a terminal, and gives back all that a shell would see."""

import contextlib
import fcntl
import os
import pty
import select
import signal as signals
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from msgspec import Struct

from tests import forks

DEADLINE = 30.0
ALL = ("stdin", "stdout", "stderr")
OUTPUTS = ("stdout", "stderr", "screen")

STARTED = (sys.executable, "-m", "streamchat")

ACQUIRE = ': <>"$0" && exec "$@"'
"""For the shell: a session's leader that opens a terminal gets it as its own, then becomes the program."""


class Result(Struct, frozen=True):
    """How it ended: what came through the pipes and to the terminal; `status` is negative for a signal."""

    stdout: bytes
    stderr: bytes
    status: int
    screen: bytes = b""

    @property
    def out(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self) -> str:
        return self.stderr.decode("utf-8", "replace")


class Program:
    """A run under way. `tty` names the streams that are a terminal of that `(columns, rows)`; the others are pipes.

    The program itself is forked where it is loaded already (`tests.forks`); with `fresh`, which a test about the start
    asks for, or with a `command` of one's own, or where the environment says how to start, it is started.
    """

    def __init__(
        self,
        *args: str,
        stdin: bytes | int | None = None,
        terminal: tuple[int, int] | None = None,
        tty: Collection[str] = ALL,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | str | None = None,
        command: tuple[str, ...] | None = None,
        fresh: bool = False,
    ) -> None:
        self._changed = threading.Condition()
        self._output: dict[str, bytearray] = {name: bytearray() for name in OUTPUTS}
        self._readers: dict[str, threading.Thread] = {}
        self._writer: threading.Thread | None = None
        self._left = False
        self._master: IO[bytes] | None = None
        tty = tty if terminal else ()
        streams: dict[str, int] = dict.fromkeys(ALL, subprocess.PIPE)
        slave, own = -1, None
        if terminal is not None:
            master, slave = pty.openpty()
            self._master = os.fdopen(master, "r+b", buffering=0)
            self.resize(*terminal)
            streams |= dict.fromkeys(tty, slave)
            own = os.ttyname(slave)
        if isinstance(stdin, int):
            streams["stdin"] = stdin
        try:
            begin = _started if fresh or command else _forked
            self.process = begin((*(command or STARTED), *args), streams, _environment(env), cwd or os.getcwd(), own)
        finally:
            if slave >= 0:
                os.close(slave)
        if self._master is not None:
            self._follow("screen", master)
        for name, pipe in (("stdout", self.process.stdout), ("stderr", self.process.stderr)):
            if pipe is not None:
                self._follow(name, pipe.fileno())
        if isinstance(stdin, bytes):
            self._feed(stdin, typed="stdin" in tty)
        elif self.process.stdin is not None:
            self.process.stdin.close()

    def wait_for(self, text: bytes, *, deadline: float = DEADLINE) -> None:
        """Until this was written, wherever to."""

        def seen() -> bool:
            return any(text in written for written in self._output.values())

        with self._changed:
            self._changed.wait_for(lambda: seen() or self._ended(), deadline)
            assert seen(), f"{text!r} was not written, but {self._output}"

    def signal(self, number: int) -> None:
        """To the program alone."""
        self.process.send_signal(number)

    def press(self, keys: bytes) -> None:
        """On its terminal."""
        assert self._master is not None, "only a program on a terminal has keys"
        self._master.write(keys)

    def resize(self, columns: int, rows: int) -> None:
        """Its terminal; the system sends SIGWINCH."""
        assert self._master is not None, "only a terminal has a size"
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close_terminal(self) -> None:
        """As a person closes the window: the system sends SIGHUP, and nothing can be written any more."""
        assert self._master is not None, "only a program on a terminal has one"
        self._left = True
        self._readers["screen"].join(DEADLINE)
        self._master.close()

    def hang_up(self) -> None:
        """Stop reading: the pipe of stdout is closed."""
        assert self.process.stdout is not None, "stdout is no pipe"
        self._left = True
        self._readers["stdout"].join(DEADLINE)
        self.process.stdout.close()

    def end(self, *, timeout: float = DEADLINE) -> Result:
        """Wait until it has ended by itself."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running after {timeout} s; it had written {self._output}") from None
        self._close()
        return Result(status=status, **{name: bytes(written) for name, written in self._output.items()})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._close()

    def _follow(self, name: str, source: int) -> None:
        self._readers[name] = threading.Thread(target=self._read, args=(name, source), daemon=True)
        self._readers[name].start()

    def _read(self, name: str, source: int) -> None:
        while not (self._left and name in ("stdout", "screen")):
            if not select.select([source], [], [], 0.02)[0]:
                continue
            try:
                data = os.read(source, 65536)
            except OSError:  # nobody holds a terminal's other end any more
                data = b""
            with self._changed:
                self._output[name] += data
                self._changed.notify_all()
            if not data:
                return

    def _feed(self, data: bytes, *, typed: bool) -> None:
        if typed:
            self.press(data)
            return
        pipe = self.process.stdin
        assert pipe is not None

        def work() -> None:
            with contextlib.suppress(OSError), pipe:  # the program need not want it all
                pipe.write(data)

        self._writer = threading.Thread(target=work, daemon=True)
        self._writer.start()

    def _ended(self) -> bool:
        return not any(thread.is_alive() for thread in self._readers.values())

    def _close(self) -> None:
        for thread in (*self._readers.values(), self._writer):
            if thread is not None:
                thread.join(DEADLINE)
        for pipe in (self._master, self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def run(
    *args: str,
    timeout: float = DEADLINE,
    after: bytes | None = None,
    signal: int = signals.SIGINT,
    stdin: bytes | int | None = None,
    terminal: tuple[int, int] | None = None,
    tty: Collection[str] = ALL,
    env: Mapping[str, str | None] | None = None,
    cwd: Path | str | None = None,
    command: tuple[str, ...] | None = None,
    fresh: bool = False,
) -> Result:
    """Run it to its end. With `after`, the signal is sent once that text was written."""
    how: dict[str, Any] = {"env": env, "cwd": cwd, "command": command, "fresh": fresh}
    with Program(*args, stdin=stdin, terminal=terminal, tty=tty, **how) as program:
        if after is not None:
            program.wait_for(after)
            program.signal(signal)
        return program.end(timeout=timeout)


def _started(
    line: Sequence[str], streams: Mapping[str, int], env: Mapping[str, str], cwd: Path | str, terminal: str | None
) -> subprocess.Popen[bytes]:
    """The process of this command line, on the terminal of that name if any."""
    if terminal is not None:
        line = ["/bin/sh", "-c", ACQUIRE, terminal, *line]
    return subprocess.Popen(line, env=env, cwd=cwd, start_new_session=terminal is not None, **streams)


def _forked(
    line: Sequence[str], streams: Mapping[str, int], env: Mapping[str, str], cwd: Path | str, terminal: str | None
) -> subprocess.Popen[bytes] | forks.Forked:
    """The same of the program, forked, or started where its environment asks for that."""
    server = forks.server()
    if not server.fits(env):
        return _started(line, streams, env, cwd, terminal)
    return server.fork(line[len(STARTED) :], [streams[name] for name in ALL], env, os.fspath(cwd), terminal)


def _environment(changes: Mapping[str, str | None] | None) -> dict[str, str]:
    """The test's own environment with these changes; None takes a variable out."""
    merged: dict[str, str | None] = {**os.environ, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}
