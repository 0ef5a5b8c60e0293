"""The child process: how it lives, how it ends, and what is said when it does not live."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from streamchat.errors import ChatError, ConfigError, ProviderError
from streamchat.local.options import LocalOptions
from streamchat.local.server import LocalServer
from streamchat.local.weights import Weights

DEADLINE = 20.0
"""The longest that anything here is waited for, in seconds; only a failing test waits so long."""

PRETENDERS = {
    "no instruction": ("os.kill(os.getpid(), signal.SIGILL)", ConfigError, "needs a processor with AVX2"),
    "no engine": (
        """print('{"error": "engine", "detail": "No module named xllamacpp"}')""",
        ConfigError,
        "engine is not installed",
    ),
    "broken engine": (
        """print('{"error": "engine", "detail": "GLIBC_2.99 not found"}')""",
        ConfigError,
        "engine cannot be loaded: GLIBC_2.99 not found",
    ),
    "bad file": (
        """print('{"error": "weights", "detail": "too new"}'); sys.exit(1)""",
        ConfigError,
        "cannot load /nowhere/m.gguf: too new",
    ),
    "last words": (
        r"""sys.stderr.write('one\n\x1b]0;two\x07 words\n\n'); sys.exit(3)""",
        ProviderError,
        "stopped (]0;two words)",
    ),
    "silence": ("sys.exit(3)", ProviderError, "stopped (exit code 3)"),
    "abort": ("os.abort()", ProviderError, "stopped (SIGABRT)"),
    "memory": ("os.kill(os.getpid(), signal.SIGKILL)", ProviderError, "perhaps out of memory"),
    "rubbish": ("print('hello')", ProviderError, "stopped (exit code 0)"),
}
"""Children that fail: their code, the error, and what is in it."""


@pytest.fixture
def pretend(tmp_path: Path) -> Callable[[str], LocalServer]:
    """A server whose child runs this code instead."""

    def make(code: str) -> LocalServer:
        script = tmp_path / "child.py"
        script.write_text(f"import os, signal, sys, time\nsettings = sys.stdin.readline()\n{code}\n")
        return LocalServer(Weights(Path("/nowhere/m.gguf"), "m", 1), LocalOptions(threads=1), program=script)

    return make


@pytest.mark.parametrize("name", PRETENDERS)
def test_what_went_wrong_is_one_line(pretend: Callable[[str], LocalServer], name: str) -> None:
    code, kind, words = PRETENDERS[name]
    server = pretend(code)
    with pytest.raises(ChatError) as caught:
        server.wait()
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert not server.alive


def test_a_child_that_never_speaks_is_ended(pretend: Callable[[str], LocalServer]) -> None:
    server = pretend("sys.stderr.write('still loading\\n'); sys.stderr.flush(); time.sleep(60)")
    server.start()
    until(lambda: bool(server._log))
    with pytest.raises(ProviderError, match=r"did not start within 1 s \(still loading\)"):
        server.wait(1)
    assert not server.alive


def test_it_knows_no_key_and_reads_no_current_directory(
    pretend: Callable[[str], LocalServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pass@proxy")
    Path("json.py").write_text("raise SystemExit('the current directory was read')")
    server = pretend(
        "import json\n"
        "print(json.dumps({'url': ' '.join([*sorted(os.environ), *sys.argv])}), flush=True)\n"
        "sys.stdin.read()"
    )
    known = server.wait()
    server.close()
    assert "GGML_NO_BACKTRACE" in known
    assert "PATH" in known
    assert "KEY" not in known
    assert "PROXY" not in known
    assert server.key not in known


@pytest.mark.parametrize("options", [{"context": 1}, {"threads": -1}, {"parallel": 0}, {"max_tokens": 0}], ids=str)
def test_what_would_abort_the_engine_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        LocalServer(Weights(Path("/nowhere/m.gguf"), "m", 1), LocalOptions(**options))  # type: ignore[arg-type]


@pytest.mark.local
def test_a_damaged_file_is_named(weights: Weights, tmp_path: Path) -> None:
    file = tmp_path / "half.gguf"
    with weights.path.open("rb") as whole:
        file.write_bytes(whole.read(1 << 20))
    with pytest.raises(ConfigError, match=r"cannot load .*half\.gguf"):
        LocalServer(Weights(file, "half", 1 << 20), LocalOptions()).wait()


@pytest.mark.local
def test_it_goes_when_it_is_closed_or_forgotten(weights: Weights) -> None:
    closed, forgotten = LocalServer(weights, LocalOptions()), LocalServer(weights, LocalOptions())
    closed.wait()
    forgotten.start()
    pids = [server.pid for server in (closed, forgotten)]
    closed.close()
    closed.close()
    del forgotten
    assert not any(runs(pid) for pid in pids)


@pytest.mark.local
@pytest.mark.parametrize("loaded", [True, False], ids=["loaded", "loading"])
def test_it_goes_when_its_parent_is_killed(models: Path, loaded: bool) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path\n"
            "from streamchat.local.options import LocalOptions; from streamchat.local.server import LocalServer\n"
            "from streamchat.local.weights import find\n"
            f"options = LocalOptions(models=Path({str(models)!r}))\n"
            "server = LocalServer(find(options), options); server.start()\n"
            f"{'server.wait()' if loaded else ''}\n"
            "print(server.pid, flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert runs(pid)
        parent.kill()
    until(lambda: not runs(pid))


@pytest.mark.local
def test_the_terminals_signals_are_not_for_it(weights: Weights) -> None:
    server = LocalServer(weights, LocalOptions())
    server.wait()
    assert server.pid is not None
    assert os.getsid(server.pid) != os.getsid(0)
    os.kill(server.pid, signal.SIGINT)
    with urllib.request.urlopen(f"{server.url}/health", timeout=5) as response:
        assert response.status == 200
    assert server.alive
    server.close()


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not done():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def runs(pid: int | None) -> bool:
    """Whether the process is there and is no zombie that nobody fetches."""
    status = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(done.stdout.strip()) and not done.stdout.strip().startswith("Z")
