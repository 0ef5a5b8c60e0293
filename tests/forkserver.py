"""A process in which the program is loaded already, and which forks a run of it for each that is asked for.

Loading is most of what a short run costs, and what the tests pay for thousands of times. A run that was forked goes
through `streamchat.__main__` as any other does; it only finds its modules imported. `tests.forks` asks for runs here.

Nothing but a socket leads in: with each byte on it come the descriptors of one run, its own line back first. The server
ends, with all that runs, when the other end of the socket is closed, however that came about.
"""

import contextlib
import gc
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import streamchat
from streamchat.firstuse import PACKAGES, defer

SDKS = ("openai", "anthropic")
LATE = (
    "asyncio",
    "concurrent.futures.thread",
    "ctypes",
    "encodings.idna",
    "prompt_toolkit.key_binding.bindings.search",
    "pygments.lexers.python",
    "rich._unicode_data.unicode17-0-0",
    "sqlite3",
    "typer._click.decorators",
)
"""What the program imports only when it comes to that."""

APART = ("streamchat.__main__", "streamchat.web", "streamchat.history.postgres", "streamchat.local.child")
"""What no run imports but those that begin as a program of their own, or that cost more than they are run."""


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    read = sorted(_noted(_load))
    _use()
    gc.collect()
    gc.freeze()  # for the runs to share: a look for garbage writes to every page that it looks at
    control.sendall(json.dumps(read).encode() + b"\n")
    order = _Server(control).serve()
    if order is not None:
        _become(order)
        runpy.run_module("streamchat", run_name="__main__", alter_sys=True)


def _load() -> None:
    """Import what the runs import, as they would."""
    defer(*PACKAGES)
    for name in (*_modules(), *SDKS):
        import_module(name)
    for name in LATE:
        with contextlib.suppress(ImportError):  # another release of a library may have it elsewhere
            import_module(name)


def _use() -> None:
    """The SDKs are loaded where they are used, which is the making of a client; this one's settings go with it."""
    import anthropic
    import openai

    openai.OpenAI(api_key="none", base_url="http://127.0.0.1:1").close()
    anthropic.Anthropic(api_key="none", base_url="http://127.0.0.1:1").close()


def _modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(streamchat.__path__, "streamchat."):
        if not f"{module.name}.".startswith(tuple(f"{name}." for name in APART)):
            yield module.name


def _noted(work: Any) -> set[str]:
    """The variables of the environment that anything asks for while this is done: a run that has others is loaded
    anew, for what was made of them here holds for every run."""
    noted: set[str] = set()
    kind = type(os.environ)
    plain = kind.__getitem__

    def noting(self: Any, name: str) -> str:
        noted.add(name)
        return plain(self, name)

    kind.__getitem__ = noting  # type: ignore[method-assign]
    try:
        work()
    finally:
        kind.__getitem__ = plain  # type: ignore[method-assign]
    return noted


class _Server:
    """Takes orders, forks, and tells how each run ended, which only the parent of a process gets to know."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._runs: dict[int, socket.socket] = {}
        self._woken, self._wake = socket.socketpair()
        self._selector = selectors.DefaultSelector()

    def serve(self) -> dict[str, Any] | None:
        """In the server: None, when nobody can ask any more. In each run: what it is to be."""
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno())
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the tests, not before them
        for source in (self._control, self._woken):
            self._selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    self._reap()
                    continue
                _, descriptors, _, _ = socket.recv_fds(self._control, 1, 4)
                if not descriptors:
                    self._end()
                    return None
                order = self._fork(*descriptors)
                if order is not None:
                    signal.signal(signal.SIGINT, interrupt)
                    return order

    def _fork(self, line: int, *streams: int) -> dict[str, Any] | None:
        """In the run, its order."""
        back = socket.socket(fileno=line)
        with back.makefile("rb") as source:
            order: dict[str, Any] = json.loads(source.readline())
        pid = os.fork()
        if pid:
            self._runs[pid] = back
            for number in streams:
                os.close(number)
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for other in (self._control, self._woken, self._wake, *self._runs.values()):
            other.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return {**order, "line": back}

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass
        while self._runs:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            _tell(self._runs.pop(pid), "status", os.waitstatus_to_exitcode(status))

    def _end(self) -> None:
        for pid in self._runs:
            os.kill(pid, signal.SIGKILL)


def _tell(line: socket.socket, what: str, number: int) -> None:
    """The last that comes from this side; who asked may have gone."""
    with line, contextlib.suppress(OSError):
        line.sendall(f"{what} {number}\n".encode())


def _become(order: dict[str, Any]) -> None:
    """All that a process gets from who starts it, and what the interpreter makes of it before the first line is run."""
    if order["terminal"]:
        os.setsid()
        os.close(os.open(order["terminal"], os.O_RDWR))
    os.chdir(order["cwd"])
    _tell(order["line"], "pid", os.getpid())  # whoever knows it can send signals, and they do what they would do
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    sys.path[0] = os.getcwd()
    sys.argv[1:] = order["args"]
    sys.orig_argv = [sys.executable, "-m", "streamchat", *order["args"]]
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = _stream(number, name, mode)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    gc.enable()


def _stream(number: int, name: str, mode: str) -> io.TextIOWrapper:
    """As the interpreter opens it; encoding and errors are by the environment, in which the two agree."""
    before = getattr(sys, f"__{name}__")
    binary = open(number, f"{mode}b", closefd=False)  # noqa: SIM115  # for as long as the run lasts
    binary.raw.name = f"<{name}>"
    text = io.TextIOWrapper(
        binary,
        encoding=before.encoding,
        errors=before.errors,
        newline=None if mode == "r" else "\n",
        line_buffering=name == "stderr" or binary.isatty(),
    )
    text.mode = mode  # type: ignore[attr-defined]
    return text


if __name__ == "__main__":
    main()
