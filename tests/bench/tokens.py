"""What an answer costs while it comes: processor time per token, memory, and the delay from the socket to the screen.

    python -m tests.bench.tokens [--envs DIR] [--runs N]

Beside the dozen-line script with the same SDK, from the same environment (see `tests.bench.startup`). A server in
another process sends as fast as it is read; for the delay, this process sends 100 tokens a second and reads the
terminal itself. Processor time and memory are what the operating system counted for the whole process; a start (an
answer of one token) is subtracted. Use the ratios.
"""

import argparse
import contextlib
import os
import pty
import select
import socket
import statistics
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator
from multiprocessing import Process, Queue
from pathlib import Path

from msgspec import Struct

from tests.bench.overhead import BARE
from tests.bench.startup import current, settled
from tests.wire.answers import chat_answer, messages_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

TOKENS = 25_000
RATE = 100.0
DELAYED = 400
"""Tokens whose delay is measured."""
BIG = 10_000_000
LONG = 200_000
"""Tokens of an answer of 1 MB."""
PARAGRAPH = 60
ANSWERS = {"one": 1, "many": TOKENS, "tenth": LONG // 10, "long": LONG}
VENDORS = {
    "openai": (chat_answer, ["-m", "vllm/m", "--base-url", "{url}/{answer}/v1"]),
    "anthropic": (messages_answer, ["-m", "anthropic/m", "--base-url", "{url}/{answer}"]),
}


class Row(Struct, frozen=True):
    """A figure beside its goal, which is the most that it may be."""

    what: str
    told: str
    figure: float
    goal: float

    def __str__(self) -> str:
        return f"{self.what:52}{self.told:>24}{self.figure:9.2f}{self.goal:8.2f}{'' if self.met else '  missed'}"

    @property
    def met(self) -> bool:
        return self.figure <= self.goal


class Spent(Struct, frozen=True):
    """Processor seconds, and the most memory, in bytes."""

    cpu: float
    memory: int


# The server


def tokens(count: int) -> list[str]:
    """That many, in paragraphs."""
    return ["\n\n" if number % PARAGRAPH == 0 else " tide" for number in range(1, count + 1)]


def serve(ready: "Queue[str]") -> None:
    """Each answer under a base path of its own; packets of 64 KB, as a fast server's arrive."""
    answers = {name: tokens(count) for name, count in ANSWERS.items()}
    answers["big"] = [" tide" * 39 + "\n\nAnd" for _ in range(BIG // 200)]
    with Server() as server:
        for name, deltas in answers.items():
            for path, answer in (("/v1/chat/completions", chat_answer), ("/v1/messages", messages_answer)):
                if name in ("one", "many") or answer is chat_answer:
                    body = b"".join(answer(deltas))
                    pieces = [body[start : start + 65536] for start in range(0, len(body), 65536)]
                    server.routes[f"/{name}{path}"] = stream(pieces)
        ready.put(server.url)
        time.sleep(3600)


@contextlib.contextmanager
def served() -> Iterator[str]:
    ready: Queue[str] = Queue()
    server = Process(target=serve, args=(ready,), daemon=True)
    server.start()
    yield ready.get(timeout=120)
    server.terminate()


# Whole processes


def run(command: list[str], environment: dict[str, str], *, terminal: bool = False) -> Spent:
    """Run it to its end, reading all that it writes."""
    master, slave = pty.openpty() if terminal else os.pipe()
    if terminal:
        termios.tcsetwinsize(master, (24, 80))
    process = subprocess.Popen(
        command, stdin=slave if terminal else subprocess.DEVNULL, stdout=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    with contextlib.suppress(OSError):  # a terminal that nobody holds any more
        while os.read(master, 1 << 20):
            pass
    os.close(master)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, command
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


class Bench:
    """The commands, and how often each is run."""

    def __init__(self, bin_: Path, url: str, home: Path, runs: int) -> None:
        self.bin, self.url, self.runs = bin_, url, runs
        self.environment = settled(home, url)

    def command(self, who: str, vendor: str, answer: str) -> list[str]:
        if who == "bare":
            return [str(self.bin / "python"), "-c", BARE[vendor], f"{self.url}/{answer}"]
        options = [word.format(url=self.url, answer=answer) for word in VENDORS[vendor][1]]
        return [str(self.bin / "streamchat"), "ask", "--quiet", *options, "x"]

    def spent(self, *wanted: tuple[str, str, str]) -> list[Spent]:
        """The medians of these (who, vendor, answer), run in turns; `who` is bare, pipe or terminal."""
        found: list[list[Spent]] = [[] for _ in wanted]
        for number in range(self.runs + 1):
            for place, (who, vendor, answer) in enumerate(wanted):
                spent = run(self.command(who, vendor, answer), self.environment, terminal=who == "terminal")
                if number:
                    found[place].append(spent)
        return [
            Spent(statistics.median(each.cpu for each in runs), int(statistics.median(each.memory for each in runs)))
            for runs in found
        ]


def per_token(bench: Bench, vendor: str) -> Iterator[Row]:
    whos = ("bare", "pipe", "terminal")
    both = bench.spent(*((who, vendor, answer) for answer in ("one", "many") for who in whos))  # in turns: one weather
    starts, ends = both[: len(whos)], both[len(whos) :]
    each = {who: (end.cpu - start.cpu) / TOKENS for who, start, end in zip(whos, starts, ends, strict=True)}
    for who, goal in (("bare", 1.0), ("pipe", 0.35), ("terminal", 1.0)):
        yield Row(f"{vendor}: CPU per token, {who}", f"{each[who] * 1e6:.0f} µs", each[who] / each["bare"], goal)
    for who, spent in zip(whos[1:], starts[1:], strict=True):
        told = f"{spent.memory / 1e6:.0f} MB, bare {starts[0].memory / 1e6:.0f} MB"
        yield Row(f"{vendor}: peak memory, {who}", told, spent.memory / starts[0].memory, 1.05)


def flat(bench: Bench, who: str) -> Iterator[Row]:
    """A token of 1 MB beside one of 0.1 MB: about ten times it if the cost of a token grew with the answer."""
    one, tenth, whole = bench.spent(*((who, "openai", answer) for answer in ("one", "tenth", "long")))
    short, long = (tenth.cpu - one.cpu) / (LONG // 10), (whole.cpu - one.cpu) / LONG
    yield Row(f"CPU per token of 1 MB beside 0.1 MB, {who}", f"{long * 1e6:.1f} µs", long / short, 1.2)


def memory(bench: Bench) -> Iterator[Row]:
    small, big = bench.spent(("pipe", "openai", "one"), ("pipe", "openai", "big"))
    more = big.memory - small.memory
    yield Row("10 MB answer adds, in times its size", f"{more / 1e6:.0f} MB", more / BIG, 3.0)


# From the socket to the screen


def delays(bench: Bench, *options: str) -> list[float]:
    """Seconds from sending each token to reading it from the terminal."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        words = [f" t{number:04}" if number % PARAGRAPH else f"\n\nt{number:04}" for number in range(1, DELAYED + 50)]
        packets = chat_answer(words)
        command = [str(bench.bin / "streamchat"), "ask", *options, "-m", "vllm/m", "--base-url", url, "x"]
        master, slave = pty.openpty()
        termios.tcsetwinsize(master, (24, 80))
        process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=bench.environment, start_new_session=True
        )
        os.close(slave)
        client, _ = listener.accept()
        with client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while b"}" not in client.recv(65536):
                pass
            client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            found = _sent(client, master, packets, words)
        process.wait()
        os.close(master)
    return found


def _sent(client: socket.socket, screen: int, packets: list[bytes], words: list[str]) -> list[float]:
    """Send packets at the rate, and read the terminal meanwhile; the delays of the words behind the first ones."""
    waiting: dict[bytes, float] = {}
    found: list[float] = []
    came = b""
    begun = time.monotonic()
    for number, packet in enumerate(packets):
        while (left := begun + number / RATE - time.monotonic()) > 0 or (number == len(packets) - 1 and waiting):
            if not select.select([screen], [], [], max(0.0, left))[0] and left < -5:
                break
            came = came[-16:] + (os.read(screen, 65536) if select.select([screen], [], [], 0)[0] else b"")
            now = time.monotonic()
            for word in [word for word in waiting if word in came]:
                found.append(now - waiting.pop(word))
        text = next((word for word in words if word.strip().encode() in packet), None)
        if text is not None and number > 40:
            waiting[text.strip().encode()] = time.monotonic()
        client.sendall(packet)
    return found


def delay(bench: Bench, name: str, options: tuple[str, ...], goals: tuple[float, float]) -> Iterator[Row]:
    runs = [delays(bench, *options) for _ in range(max(3, bench.runs // 2))]
    for percent, goal in zip((50, 99), goals, strict=True):
        each = [statistics.quantiles(run_, n=100)[percent - 1] * 1e3 for run_ in runs]
        told = f"{statistics.median(each):.1f} ms, least {min(each):.1f}"
        yield Row(f"socket to screen, {name}, p{percent}, ms", told, statistics.median(each), goal)


def measured(envs: Path, bin_: Path, runs: int) -> Iterator[Row]:
    """All of it. `envs` is only where a home for the programs is made."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=envs)))
        bench = Bench(bin_, stack.enter_context(served()), home, runs)
        for vendor in VENDORS:
            yield from per_token(bench, vendor)
        yield from delay(bench, "rendered", (), (8, 25))
        yield from delay(bench, "raw", ("--raw",), (3, 3))
        bench.runs = min(3, runs)  # seconds each
        yield from memory(bench)
        bench.runs = max(5, runs)  # the shorter of the two answers takes as long as the start beside it
        for who in ("pipe", "terminal"):
            yield from flat(bench, who)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--envs", type=Path, help="where streamchat's environment is, or is to be made")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        envs = (chosen.envs or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        bin_ = current(envs)
        print(f"{'':52}{'':24}{'ratio':>9}{'goal':>8}")
        for row in measured(envs, bin_, chosen.runs):
            print(row, flush=True)


if __name__ == "__main__":
    main()
