"""How soon the first word stands there, and how soon help and completion do. Run by hand:

    python -m tests.bench.startup [--envs DIR] [--runs N]

Every program runs from an environment of its own, compiled, made in DIR (a throwaway directory unless it is given):
streamchat from this checkout and the peers that install; those that do not are named. A server in another process
answers at once. In each round every command runs once; figures are medians, ratios are medians of the rounds' ratios,
so that a busy machine disturbs both sides alike. Compare ratios, not milliseconds, between two machines.
"""

import argparse
import contextlib
import os
import pty
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from multiprocessing import Process, Queue
from pathlib import Path

from msgspec import Struct

from tests.bench.overhead import BARE
from tests.wire.answers import chat_answer, messages_answer, responses_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

ROOT = Path(__file__).parent.parent.parent
WORD = b"Neapolitan"
"""What is waited for: no program says it by itself."""
WITH = {"shell-gpt": ("click",)}
"""What a package needs and does not name."""
PEERS = {"llm": "llm", "shell-gpt": "sgpt", "clai": "clai", "gptme": "gptme", "codex": "codex"}
"""Packages (codex: of npm) and the commands that they install."""
LONGEST = 60.0


class Timed(Struct, frozen=True):
    """A command to be timed: until the word stands there or, without one, until it has ended; `terminal` or a pipe."""

    name: str
    command: list[str]
    word: bytes = b""
    terminal: bool = False
    stays: bool = False
    """Does not end by itself: a chat."""
    plain: bool = False
    """Without loading on first use."""


class Spent(Struct, frozen=True):
    """Seconds until what was waited for, and processor seconds of the whole process."""

    until: float
    cpu: float


# Environments


def make(envs: Path, package: str) -> Path | None:
    """The commands' directory of a package's own environment, made if it is not there; None if it does not install."""
    where = envs / package
    if package == "streamchat" and not _is_current(where):
        shutil.rmtree(where, ignore_errors=True)
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if package == "codex":
            if not (where / "node_modules/.bin/codex").exists():
                where.mkdir(parents=True, exist_ok=True)
                subprocess.run(["npm", "install", "--silent", "@openai/codex"], cwd=where, check=True, timeout=600)
            return where / "node_modules" / ".bin"
        if not (where / "bin" / PEERS.get(package, package)).exists():
            subprocess.run([sys.executable, "-m", "venv", where], check=True)
            pip = [str(where / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            wanted = [str(ROOT) if package == "streamchat" else package, *WITH.get(package, ())]
            subprocess.run([*pip, *wanted], check=True, timeout=900)
            if package == "streamchat":
                shutil.copy(ROOT / "pyproject.toml", where)
        return where / "bin"
    return None


def _is_current(where: Path) -> bool:
    """Whether it was made from what the checkout says it needs."""
    with contextlib.suppress(OSError):
        return (where / "pyproject.toml").read_bytes() == (ROOT / "pyproject.toml").read_bytes()
    return False


def renew(envs: Path) -> None:
    """The checkout as it is now, in the environment that is already there."""
    python = envs / "streamchat" / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, check=True
    )
    there = Path(site.stdout.decode().strip()) / "streamchat"
    shutil.rmtree(there)
    shutil.copytree(ROOT / "streamchat", there, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([python, "-m", "compileall", "-q", there], check=True)


def current(envs: Path) -> Path:
    """The commands' directory of streamchat's own environment, with the checkout as it is now."""
    bin_ = make(envs, "streamchat")
    assert bin_, "streamchat itself does not install"
    renew(envs)
    return bin_


# The server


def serve(ready: "Queue[str]") -> None:
    words = [WORD.decode(), " tide."]
    with Server() as server:
        server.routes = {
            "/v1/chat/completions": stream([b"".join(chat_answer(words))]),
            "/v1/messages": stream([b"".join(messages_answer(words))]),
            "/v1/responses": stream([b"".join(responses_answer(words))]),
        }
        ready.put(server.url)
        time.sleep(3600)


@contextlib.contextmanager
def served() -> Iterator[str]:
    ready: Queue[str] = Queue()
    server = Process(target=serve, args=(ready,), daemon=True)
    server.start()
    yield ready.get(timeout=30)
    server.terminate()


# What is timed


def ours(bin_: Path, url: str) -> list[Timed]:
    python, program = str(bin_ / "python"), str(bin_ / "streamchat")
    openai = [program, "ask", "-m", "vllm/m", "--base-url", f"{url}/v1", "x"]
    anthropic = [program, "ask", "-m", "anthropic/m", "--base-url", url, "x"]
    timed = [
        Timed("python -c pass", [python, "-c", "pass"]),
        Timed("--version", [program, "--version"]),
        Timed("--help", [program, "--help"]),
        Timed("ask --help", [program, "ask", "--help"]),
        Timed("chat: prompt", [program], word=b"> ", terminal=True, stays=True),
        Timed("usage error", [program, "ask", "--bogus"]),
        Timed("completion of an option", [program, "completion", "--words", "--", "ask", "--mo"]),
        Timed("completion of a model", [program, "completion", "--words", "--", "ask", "-m", "gp"]),
    ]
    for vendor, command in (("openai", openai), ("anthropic", anthropic)):
        timed += [
            Timed(f"{vendor}: bare SDK", [python, "-c", BARE[vendor], url], word=WORD),
            Timed(f"{vendor}: ask, pipe", command, word=WORD),
            Timed(f"{vendor}: ask, terminal", command, word=WORD, terminal=True),
            Timed(f"{vendor}: ask, plain imports", command, word=WORD, plain=True),
        ]
    return timed


def peer(package: str, bin_: Path, url: str) -> list[Timed]:
    program = str(bin_ / PEERS[package])
    provider = (
        f'model_providers.there={{name="there",base_url="{url}/v1",env_key="OPENAI_API_KEY",wire_api="responses"}}'
    )
    asking = {
        "llm": ["-m", "there", "--no-log", "x"],
        "shell-gpt": ["--model", "m", "--no-md", "--no-functions", "--no-cache", "x"],
        "clai": ["-m", "openai-chat:m", "x"],
        "gptme": ["--non-interactive", "-m", "local/m", "--tools", "none", "x"],
        "codex": ["exec", "--skip-git-repo-check", "-c", provider, "-c", 'model_provider="there"', "-m", "m", "x"],
    }[package]
    return [
        Timed(f"{package}: first word", [program, *asking], word=WORD),
        Timed(f"{package} --version", [program, "--version"]),
        Timed(f"{package} --help", [program, "--help"]),
    ]


def settled(home: Path, url: str) -> dict[str, str]:
    """The environment of all of them: an empty home with what the peers need to find the server."""
    llm = home / "llm"
    llm.mkdir()
    (llm / "extra-openai-models.yaml").write_text(
        f'- model_id: there\n  model_name: m\n  api_base: "{url}/v1"\n  api_key_name: there\n'
    )
    (llm / "keys.json").write_text('{"there": "k"}')
    foreign = ("PYTHON", "XDG_", "STREAMCHAT_", "OPENAI_", "ANTHROPIC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {
        **kept, "HOME": str(home), "TERM": "xterm-256color", "COLUMNS": "80", "LLM_USER_PATH": str(llm),
        "OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "OPENAI_BASE_URL": f"{url}/v1", "API_BASE_URL": f"{url}/v1",
        "OPENAI_API_BASE": f"{url}/v1", "DEFAULT_MODEL": "m", "CODEX_HOME": str(home),
    }  # fmt: skip


# Timing


def run(timed: Timed, environment: dict[str, str]) -> Spent | None:
    """None if the word never came."""
    master, slave = pty.openpty() if timed.terminal else os.pipe()
    if timed.terminal:
        termios.tcsetwinsize(master, (24, 80))
    environment = {**environment, "STREAMCHAT_PLAIN_IMPORTS": "1" if timed.plain else ""}
    begun = time.monotonic()
    process = subprocess.Popen(
        timed.command, stdin=slave if timed.terminal else subprocess.DEVNULL, stdout=slave, stderr=slave,
        env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    came, there = b"", None
    while time.monotonic() < begun + LONGEST and select.select([master], [], [], 1 + LONGEST)[0]:
        try:
            more = os.read(master, 65536)
        except OSError:  # a terminal that nobody holds any more
            more = b""
        came += more
        if there is None and timed.word and timed.word in came:
            there = time.monotonic() - begun
        if not more or (there is not None and timed.stays):
            break
    if timed.stays or time.monotonic() >= begun + LONGEST:
        process.kill()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0  # it was waited for, with its figures
    os.close(master)
    until = there if timed.word else time.monotonic() - begun
    return None if until is None else Spent(until, usage.ru_utime + usage.ru_stime)


def measured(timed: list[Timed], environment: dict[str, str], runs: int) -> dict[str, list[Spent]]:
    found: dict[str, list[Spent]] = {each.name: [] for each in timed}
    for number in range(runs + 1):
        for each in timed:
            spent = run(each, environment)
            if spent and number:  # the first round warms the caches
                found[each.name].append(spent)
    return found


def ratio(found: dict[str, list[Spent]], one: str, other: str, figure: Callable[[Spent], float]) -> float | None:
    pairs = list(zip(found.get(one, ()), found.get(other, ()), strict=False))
    return statistics.median(figure(first) / figure(second) for first, second in pairs) if pairs else None


GOALS = [
    ("openai: ask, pipe", "openai: bare SDK", 0.5),
    ("openai: ask, terminal", "openai: bare SDK", 0.5),
    ("anthropic: ask, pipe", "anthropic: bare SDK", 0.5),
    ("anthropic: ask, terminal", "anthropic: bare SDK", 0.5),
    *(
        (f"openai: ask, {where}", f"{peer}: first word", most)
        for peer, most in (("codex", 0.8), ("llm", 0.4), ("shell-gpt", 1.0), ("clai", 1.0), ("gptme", 1.0))
        for where in ("pipe", "terminal")
    ),
    ("--version", "python -c pass", 1.5),
    ("--help", "python -c pass", 4.0),
    ("ask --help", "python -c pass", 4.0),
    ("chat: prompt", "python -c pass", 10.0),
    ("usage error", "python -c pass", 4.0),
    ("completion of an option", "python -c pass", 6.0),
    ("completion of a model", "python -c pass", 6.0),
    *((f"{mine}", f"{package} {mine}", 1.0) for mine in ("--version", "--help") for package in PEERS),
    ("openai: ask, pipe", "openai: ask, plain imports", 1.0),
    ("anthropic: ask, pipe", "anthropic: ask, plain imports", 1.0),
]
"""What, against what, and the most that it may be."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--envs", type=Path, help="where the environments are, or are to be made")
    parser.add_argument("--runs", type=int, default=7)
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        envs = chosen.envs or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = compared(stack, envs.resolve(), chosen.runs)
    for name, spent in found.items():
        until = [each.until * 1e3 for each in spent]
        cpu = [each.cpu * 1e3 for each in spent]
        told = (
            f"{statistics.median(until):9.0f} ms{statistics.median(cpu):9.0f} ms CPU" if spent else "   did not answer"
        )
        print(f"{name:32}{told}")
    print(f"\n{'against':58}{'ratio':>7}{'CPU':>7}{'goal':>7}")
    for one, other, goal in GOALS:
        wall = ratio(found, one, other, lambda spent: spent.until)
        cpu_ = ratio(found, one, other, lambda spent: spent.cpu)
        if wall is not None and cpu_ is not None:
            print(f"{one + '  /  ' + other:58}{wall:7.2f}{cpu_:7.2f}{goal:7.2f}{'' if wall <= goal else '  missed'}")


def compared(stack: contextlib.ExitStack, envs: Path, runs: int) -> dict[str, list[Spent]]:
    here = current(envs)
    url = stack.enter_context(served())
    timed = ours(here, url)
    for package in PEERS:
        bin_ = make(envs, package)
        timed += peer(package, bin_, url) if bin_ else []
        if not bin_:
            print(f"absent: {package} does not install here")
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    return measured(timed, settled(home, url), runs)


if __name__ == "__main__":
    main()
