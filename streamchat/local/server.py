"""The parent's side of the embedded model: start the child, wait for its address, end it, say why it ended.

`start` returns at once, so that the model loads while the parent imports what it needs to talk to it.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from streamchat.errors import ChatError, ConfigError, ProviderError
from streamchat.local.options import LocalOptions
from streamchat.local.weights import Weights, engine_line

CHILD = Path(__file__).with_name("child.py")
LIMIT = 20.0
"""Seconds that the child may take until it listens; a file of many gigabytes gets one more per 100 MB."""

_PATIENCE = 0.5
"""Seconds that a child may take to end, or to be seen as ended after its connection broke."""
_PREPARED = 8192
"""Characters of messages that go ahead: far less than a pipe takes from a parent that must not wait."""
_ILLEGAL_INSTRUCTION = (-getattr(signal, "SIGILL", 4), 0xC000001D)
_ELSEWHERE = "Any other provider works: streamchat ask --provider NAME, or a server such as Ollama."

_INHERITED = (
    "PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP",
    "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE",
    "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
    "SYSTEMROOT", "WINDIR", "APPDATA", "LOCALAPPDATA", "USERPROFILE",
)  # fmt: skip
"""All that the child gets of the environment, with the LC_ variables: what Python and a library need to be found."""


class LocalServer:
    """One child process. `url` and `key` are how to reach it, once `wait` has returned."""

    def __init__(
        self, weights: Weights, options: LocalOptions, *, program: Path = CHILD, inspect: bool = False
    ) -> None:
        """`program` is the script that the child runs; with `inspect` it tells at /slots what it is doing."""
        options.check()
        self.weights = weights
        self.key = secrets.token_urlsafe(24)
        self.url = ""
        self._options, self._program, self._inspect = options, program, inspect
        self._said: dict[str, Any] = {}
        self._log: deque[str] = deque(maxlen=20)
        self._spoke = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._readers: list[threading.Thread] = []
        self._started = 0.0
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._child is not None and not self._closed and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the child and return at once; a second call does nothing."""
        if self._child is not None:
            return
        self._started = time.monotonic()
        try:
            child = self._child = subprocess.Popen(
                # By its path and without the current directory on its path: it runs however streamchat was installed.
                [sys.executable, "-P", str(self._program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
                # A terminal's Ctrl-C and Ctrl-Z are for the parent.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as exc:
            raise ProviderError(f"the embedded model cannot be started: {exc.strerror or exc}") from exc
        # Without a close, too: the pipe's end would end the child, this also keeps it from being left as a zombie.
        weakref.finalize(self, _end, child)
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        self._read(_hear, child.stdout, self._said, self._spoke)
        self._read(_keep, child.stderr, self._log)
        self._tell(self._settings())

    def prepare(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Let the child read these messages as soon as it has loaded, because a request with them is on its way.

        Only before `wait`: what takes the parent a third of a second, to get an SDK ready, is not lost on the model.
        """
        if not self.url and sum(len(str(message)) for message in messages) < _PREPARED:
            self._tell(messages)

    def wait(self, limit: float = LIMIT) -> str:
        """Start if need be and block until the child listens: its URL. ConfigError or ProviderError if it does not."""
        self.start()
        longest = max(limit, self.weights.size / 100e6) if limit >= LIMIT else limit
        if not self._spoke.wait(max(0.0, self._started + longest - time.monotonic())):
            self.close()
            raise ProviderError(
                f"the embedded model did not start within {longest:.0f} s{self._last_words()}", _ELSEWHERE
            )
        if "url" not in self._said:
            raise self.trouble()
        self.url = self._said["url"]
        return self.url

    def ended(self) -> bool:
        """Whether the child is gone; a connection can break a moment before its process is seen to have ended."""
        if self._child is None or self._closed:
            return True
        try:
            self._child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            return False
        return True

    def trouble(self) -> ChatError:
        """Why the child has ended, in one line."""
        code = self._finish()
        path, detail = self.weights.path, self._said.get("detail", "")
        match self._said.get("error"):
            case "engine":
                why = "is not installed" if "No module named" in detail else f"cannot be loaded: {detail}"
                return ConfigError(f"the embedded model's engine {why}", f"Install it: {engine_line()}")
            case "weights":
                return ConfigError(
                    f"the embedded model cannot load {path}: {detail}",
                    "It may be damaged, or too new for this engine. Get the small model: streamchat local install",
                )
        if code in _ILLEGAL_INSTRUCTION:
            return ConfigError("the embedded model needs a processor with AVX2, and this one has none", _ELSEWHERE)
        return ProviderError(
            f"the embedded model stopped{self._last_words() or f' ({_how(code)})'}", "It starts again when asked again."
        )

    def close(self) -> None:
        """End the child; closing twice does nothing."""
        if self._child is not None and not self._closed:
            self._closed = True
            _end(self._child)
            self._finish()

    def _finish(self) -> int | None:
        """After the end: what the child said last is in, its pipes are closed. Its return code."""
        assert self._child is not None
        self._closed = self._closed or self.ended()
        _end(self._child)
        for reader in self._readers:
            reader.join(_PATIENCE)
        return self._child.returncode

    def _settings(self) -> dict[str, Any]:
        options = self._options
        return {
            "path": str(self.weights.path),
            "name": self.weights.name,
            "key": self.key,
            "context": options.context,
            "threads": options.working_threads,
            "parallel": options.parallel,
            "inspect": self._inspect,
        }

    def _tell(self, what: Any) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        with suppress(OSError):  # it may have ended already: `wait` finds out why
            self._child.stdin.write(json.dumps(what).encode() + b"\n")
            self._child.stdin.flush()

    def _read(self, how: Any, *what: Any) -> None:
        # Neither function knows the server, so that a forgotten one can be collected, and its child ended.
        reader = threading.Thread(target=how, args=what, daemon=True, name="embedded model")
        reader.start()
        self._readers.append(reader)

    def _last_words(self) -> str:
        return f" ({self._log[-1]})" if self._log else ""


def _hear(pipe: IO[bytes], said: dict[str, Any], spoke: threading.Event) -> None:
    """The child's one line on stdout, or its end."""
    with pipe:
        with suppress(ValueError):
            said.update(json.loads(pipe.readline() or b"{}"))
        spoke.set()


def _keep(pipe: IO[bytes], log: "deque[str]") -> None:
    """The last lines of the child's log, fit to be quoted; also what keeps the pipe from filling up."""
    with pipe:
        for raw in pipe:
            line = "".join(char for char in raw[:400].decode(errors="replace") if char.isprintable()).strip()
            if line:
                log.append(line[:200])


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End of its stdin is the child's sign to go; one that does not is killed."""
    if child.stdin and not child.stdin.closed:
        with suppress(OSError):
            child.stdin.close()
    try:
        child.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _how(code: int | None) -> str:
    """A return code in words."""
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name}: perhaps out of memory" if name == "SIGKILL" else name


def _environment() -> dict[str, str]:
    """No API key, no proxy and nothing else that is not needed."""
    kept = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("LC_")}
    # Without it an abort starts a debugger, which takes seconds and prints pages.
    return {**kept, "GGML_NO_BACKTRACE": "1"}
