"""What a stream costs to serve, beside the usual way and LiteLLM's proxy: prints a table from one run.

    python -m tests.bench.serve [--litellm DIR] [--rounds N]

Upstream, server and readers are processes of their own, all on loopback. Processor time is what the operating system
counted for the server's process; the rounds of two servers alternate. Use the ratios. With `--litellm` its proxy is
measured too, from an environment in DIR that is made there when it is not.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.bench.serve_load import TOKEN

STREAMS = 50
RATE = 20
ENDLESS = 10_000_000
STEPS = (25, 50, 100, 150, 200, 300, 400, 600, 800, 1200, 1600)
BOUND = 0.1
"""Seconds that the slowest of a hundred tokens may be late."""
CASES = {
    "in flow": (f"paced-{RATE}-{ENDLESS}", 0),
    "under load, 50 others staying": (f"paced-{RATE}-{ENDLESS}", 50),
    "silent": ("silent-3", 0),
    "before the first token": ("mute", 0),
    "each as fast as it can": (f"unpaced-{ENDLESS}", 0),
}
"""What those that leave were reading, and how many others go on reading at the steady rate."""
CONFIG = """
[defaults]
provider = "up"
model = "mute"
[providers.up]
kind = "openai"
base_url = "{url}"
[history]
save = false
[serve]
concurrent = 5000
concurrent_per_user = 5000
per_minute = 0
"""


class Talking:
    """A process that is told a line and says one."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def ask(self) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.said()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Serving(Struct):
    """One server under measurement."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    path: str = "/stream"

    @property
    def cpu(self) -> float:
        """Seconds on a processor, of all threads, to the nanosecond: the ticks of `stat` are a tenth of an answer."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    @property
    def memory(self) -> int:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Measured(Struct):
    cpu: float
    tokens: int
    delays: list[float]

    @property
    def per_token(self) -> float:
        return self.cpu / max(1, self.tokens)

    @property
    def late(self) -> float:
        return share(self.delays, 0.99)


def share(values: list[float], part: float) -> float:
    """The value below which this part of them is."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("inf")


# The parts


@contextmanager
def server(name: str, url: str, home: Path, litellm: Path | None = None) -> Iterator[Serving]:
    """One, ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "HOME": str(home), "STREAMCHAT_SERVE_TOKEN": TOKEN, "LITELLM_MASTER_KEY": TOKEN}
    if name == "streamchat":
        config = home / "config.toml"
        config.write_text(CONFIG.format(url=url))
        command = [sys.executable, "-m", "streamchat", "serve", "--port", str(port), "--drain", "0.2"]
        command += ["--config", str(config)]
    elif name == "usual":
        command = [sys.executable, "-m", "tests.bench.serve_peer", str(port), url]
    else:
        assert litellm is not None
        config = home / "litellm.yaml"
        config.write_text(
            f"model_list:\n  - model_name: 'up/*'\n    litellm_params:\n      model: 'openai/*'\n"
            f"      api_base: {url}\n      api_key: none\n"
        )
        command = [
            str(litellm / "bin" / "litellm"),
            "--config",
            str(config),
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
        ]
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 90
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((home / f"{name}.log").read_text()[-500:]) from None
                time.sleep(0.05)
        yield Serving(name, port, process, "/stream" if name != "litellm" else "/v1/chat/completions")
    finally:
        process.kill()
        process.wait()


@contextmanager
def readers(to: Serving, model: str, streams: int, seconds: float, how: str = "read") -> Iterator[Talking]:
    load = Talking("tests.bench.serve_load", to.port, to.path, model, streams, seconds, how)
    try:
        load.said()
        yield load
    finally:
        load.end()


def measure(to: Serving, model: str, streams: int, seconds: float) -> Measured:
    """Processor time, tokens and delays while they read."""
    with readers(to, model, streams, seconds) as load:
        if seconds:
            time.sleep(0.5)
        before = to.cpu
        seen = json.loads(load.ask())
        return Measured(to.cpu - before, seen["tokens"], seen["delays"])


# What is measured


class Pair(Struct):
    """What both spent in each round, in the same seconds of a machine that others use too."""

    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))


def pairs(both: list[Serving], spent: Callable[[Serving], float], rounds: int) -> Pair:
    ours, theirs = both
    rows = [(spent(ours), spent(theirs)) for _ in range(rounds)]
    return Pair([row[0] for row in rows], [row[1] for row in rows])


def warm(*servers: Serving) -> None:
    """Until each keeps up with the steady load: LiteLLM's proxy goes on loading for a while after it listens."""
    for to in servers:
        until = time.monotonic() + 60
        while measure(to, f"paced-{RATE}-{ENDLESS}", STREAMS, 1).tokens < 0.8 * STREAMS * RATE:
            if time.monotonic() > until:
                break


def paced(to: Serving) -> float:
    """Processor seconds for each token of a steady load."""
    return measure(to, f"paced-{RATE}-{ENDLESS}", STREAMS, 3).per_token


def unpaced(to: Serving) -> float:
    """The same for whole answers as fast as they can be had, with their requests."""
    before = to.cpu
    with readers(to, "unpaced-1500", 10, 0) as load:
        load.ask()
    return (to.cpu - before) / 15_000


def held(to: Serving) -> tuple[int, float]:
    """The most streams, step by step, and how late the slowest of a hundred tokens was."""
    best = (0, float("inf"))
    for streams in STEPS:
        seen = measure(to, f"paced-{RATE}-{ENDLESS}", streams, 3)
        if seen.late > BOUND or seen.tokens < streams * RATE * 3 * 0.95:
            return best
        best = (streams, seen.late)
    return best


def memory(to: Serving, streams: int = 400) -> float:
    """KiB that a server grows by for each stream that is open, after its first twenty."""
    with readers(to, "silent-3", 20, 0.5):
        time.sleep(1)
        before = to.memory
        with readers(to, "silent-3", streams, 0.5):
            time.sleep(2)
            return (to.memory - before) / streams / 1024


def closing(to: Serving, upstream: Talking, model: str, others: int) -> tuple[float, float, float]:
    """Milliseconds from the leaving to the upstream's end, p50 and p99, and how many were closed after two seconds. Who
    leaves has been asked for."""
    before = json.loads(upstream.ask())["asked"]
    with ExitStack() as stack:
        if others:
            stack.enter_context(readers(to, f"paced-{RATE}-{ENDLESS}", others, 60))
        load = stack.enter_context(readers(to, model, STREAMS, 0.5, "leave"))
        until = time.monotonic() + 10
        while json.loads(upstream.ask())["asked"] < before + others + STREAMS and time.monotonic() < until:
            time.sleep(0.05)
        left = sorted(json.loads(load.ask())["left"])
        time.sleep(2)
        closed = sorted(each for each in json.loads(upstream.ask())["closed"] if each > left[0])
    time.sleep(1)
    took = [(end - begun) * 1000 for begun, end in zip(left, closed, strict=False)]
    return share(took, 0.5), share(took, 0.99), len(took) / STREAMS


def stopping(to: Serving) -> float:
    """Seconds from SIGTERM to the end of the process, over the drain time."""
    with readers(to, f"paced-{RATE}-{ENDLESS}", STREAMS, 1):
        begun = time.monotonic()
        to.process.send_signal(signal.SIGTERM)
        to.process.wait(20)
        return time.monotonic() - begun - 0.2


def environment(folder: Path) -> Path:
    """LiteLLM's own."""
    if not (folder / "bin" / "litellm").exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", "litellm[proxy]"], check=True)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--litellm", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    home = Path(tempfile.mkdtemp())
    upstream = Talking("tests.web.upstream")
    url = f"http://127.0.0.1:{int(upstream.said())}/v1"
    try:
        report(url, home, upstream, chosen)
    finally:
        upstream.end()
        shutil.rmtree(home, ignore_errors=True)


def report(url: str, home: Path, upstream: Talking, chosen: Any) -> None:
    with server("streamchat", url, home) as ours, server("usual", url, home) as usual:
        both = [ours, usual]
        print("| measured | streamchat | the usual way | ratio | goal |\n| --- | --- | --- | --- | --- |", flush=True)
        warm(ours, usual)
        row("CPU per token, 50 streams at 20/s, µs", pairs(both, paced, chosen.rounds), "0.25")
        row("CPU per token, unpaced, µs", pairs(both, unpaced, chosen.rounds), "0.035")
        counts = {to.name: held(to) for to in both}
        ratio = counts["streamchat"][0] / max(1, counts["usual"][0])
        texts = [f"{count} (p99 {late * 1000:.0f} ms)" for count, late in counts.values()]
        line("streams held, p99 < 100 ms", *texts, f"{ratio:.1f} x", "8 x")
        for name, (model, others) in CASES.items():
            ends = [closing(to, upstream, model, others) for to in both]
            texts = [f"{p50:.1f} / {p99:.1f} ms, {part:.0%}" for p50, p99, part in ends]
            line(f"closed after leaving, {name}: p50 / p99, share", *texts, "", "25 ms, 100%")
        line("end after SIGTERM, beyond the drain time", f"{stopping(ours):.2f} s", "", "", "0.3 s")
    with server("streamchat", url, home) as ours, server("usual", url, home) as usual:
        line("memory per stream, KiB", f"{memory(ours):.1f}", f"{memory(usual):.1f}", "", "25")
    if chosen.litellm:
        with server("streamchat", url, home) as ours, server("litellm", url, home, environment(chosen.litellm)) as peer:
            warm(ours, peer)
            row("CPU per token against LiteLLM's proxy, µs", pairs([ours, peer], paced, chosen.rounds), "0.1")


def row(name: str, found: Pair, goal: str) -> None:
    ours, theirs = statistics.median(found.ours) * 1e6, statistics.median(found.theirs) * 1e6
    line(name, f"{ours:.1f}", f"{theirs:.1f}", f"{found.ratio:.3f}", goal)


def line(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
