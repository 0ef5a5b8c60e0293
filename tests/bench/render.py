"""Measures the live view in a real terminal, beside other ways of showing streamed Markdown.

    python -m tests.bench.render [--peer NAME=PYTHON ...] [--quick]

Words go to a child through a pipe, one hundred a second; the child shows them on a pseudo-terminal of 80 by 24, and
what it writes there is read and timed. Peers are given as the interpreter of an environment in which they are
installed (`aider`, `sgpt`, `clai`, `streamdown`, `textual`); those that are not given are said to be absent.
Use the ratios within one run, not the figures of different ones.
"""

import argparse
import fcntl
import os
import pty
import re
import resource
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

import pyte

CHILDREN = Path(__file__).parent / "render_children.py"
OURS = ("one-shot Rich", "one-shot", "streamchat", "with the panel", "print", "Rich Live")
PEERS = ("aider", "sgpt", "clai", "streamdown", "textual")
RATE = 100
TAIL = 300  # words that are timed
PATIENCE = 20  # seconds until the words begin, if a child never has done with what came before


class Run(NamedTuple):
    """What one child needed: processor time in seconds, bytes written, and the delays of its words in milliseconds."""

    cpu: float
    written: int
    delays: list[float]
    missing: int


def run(name: str, python: str, before: str, words: list[str], *, rate: float, limit: float = 45) -> Run:
    """Show a text at once and then words at a rate; each word is looked for in what comes out."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", "PYTHONUNBUFFERED": "1"}
    spent = _children()
    child = subprocess.Popen(
        [python, str(CHILDREN), name], stdin=subprocess.PIPE, stdout=slave, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(slave)
    assert child.stdin is not None
    pipe = child.stdin.fileno()
    os.set_blocking(pipe, False)
    queue = before.encode()
    sent: dict[str, float] = {}
    came: list[tuple[float, bytes]] = []
    begun = time.monotonic()
    next_at, index, open_pipe = begun, 0, True
    while time.monotonic() - begun < limit:
        now = time.monotonic()
        quiet = now - max(begun + 2.0, came[-1][0] if came else begun) > 1.0 or now - begun > PATIENCE
        if not queue and open_pipe and (index or quiet):
            next_at = next_at if index else now
            if index < len(words) and now >= next_at:
                queue = f"{words[index]} ".encode()
                sent[words[index].rstrip(".\n")] = now
                index += 1
                next_at += 1 / rate
            elif index == len(words):
                child.stdin.close()
                open_pipe = False
        wait = max(0.0, min(0.01, next_at - time.monotonic())) if open_pipe and index else 0.01
        readable, writable, _ = select.select([master], [pipe] if open_pipe and queue else [], [], wait)
        if writable:
            try:
                queue = queue[os.write(pipe, queue[:4096]) :]
            except BrokenPipeError:  # it ended by itself
                break
        if readable:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            came.append((time.monotonic(), data))
        elif child.poll() is not None:
            break
    if child.poll() is None:
        child.kill()
    child.wait()
    os.close(master)
    cpu = _children() - spent
    first = min(sent.values(), default=begun)
    found = seen(came, first)
    delays = [1000 * (found[word] - at) for word, at in sent.items() if word in found]
    written = sum(len(data) for at, data in came if before or at >= first)  # not what a spinner does until then
    return Run(cpu, written, delays, len(sent) - len(delays))


def seen(came: list[tuple[float, bytes]], since: float) -> dict[str, float]:
    """When each word was on the screen for the first time."""
    screen = pyte.Screen(80, 24)
    stream = pyte.ByteStream(screen)
    found: dict[str, float] = {}
    for at, data in came:
        stream.feed(data)
        if at >= since:
            for word in re.findall(r"q\d+z", "".join(screen.display)):  # one that is broken at the edge, too
                found.setdefault(word, at)
    return found


def _children() -> float:
    """The processor time of all children that ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def corpus(size: int) -> str:
    """Answers as they come, again and again up to a size."""
    files = sorted((Path(__file__).parent.parent / "views" / "corpus").glob("*.md"))
    text = "\n\n".join(path.read_text(encoding="utf-8") for path in files if path.stem != "hostile") + "\n\n"
    cut = (text * (size // len(text) + 1))[:size].rpartition("\n\n")[0] + "\n\n"
    return cut if cut.count("```") % 2 == 0 else f"{cut}```\n\n"  # words are to be wrapped, which code is not


def prose(words: int) -> list[str]:
    """Words that can be told apart, in sentences and paragraphs."""
    return [f"q{n}z" + ("." if n % 12 == 11 else "") + ("\n\n" if n % 60 == 59 else "") for n in range(words)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    options.add_argument("--quick", action="store_true", help="not after 200 KB")
    given = options.parse_args()
    peers = dict(peer.split("=", 1) for peer in given.peer)
    places = dict.fromkeys(OURS, sys.executable) | {name: peers[name] for name in PEERS if name in peers}
    words = prose(TAIL)
    for size in (0, 2_000) if given.quick else (0, 2_000, 200_000):
        before = corpus(size) if size else ""
        print(f"\n{size // 1000} KB at once, then {TAIL} words at {RATE} a second")
        print(f"{'':16}{'CPU s':>8}{'bytes':>12}{'p50 ms':>9}{'p99 ms':>9}{'unseen':>8}")
        for name, python in places.items():
            show(name, run(name, python, before, words, rate=RATE))
    print("absent:", ", ".join(name for name in PEERS if name not in peers) or "none")


def show(name: str, found: Run) -> None:
    delays = sorted(found.delays)
    p50 = f"{statistics.median(delays):.1f}" if delays else "-"
    p99 = f"{delays[int(len(delays) * 0.99) - 1]:.1f}" if delays else "-"
    print(f"{name:16}{found.cpu:8.2f}{found.written:12,}{p50:>9}{p99:>9}{found.missing:>8}", flush=True)


if __name__ == "__main__":
    main()
