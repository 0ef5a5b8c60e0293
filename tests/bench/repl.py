"""Benchmarks of the chat, by hand: `python -m tests.bench.repl`.

From the start to a prompt that can be typed at; from a keystroke to its echo at the prompt and while 200 tokens per
second stream in; from Esc to the end of a stalled answer; memory and time per turn of a conversation of 1,000 turns.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.program import Program
from tests.repl.person import Person
from tests.wire.answers import chat_answer
from tests.wire.scenario import Stall, stream
from tests.wire.server import Server

RUNS = 10
KEYS = 200
TURNS = 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HOME": home, "XDG_STATE_HOME": home, "XDG_DATA_HOME": home, "XDG_CACHE_HOME": home}
        os.environ |= {"XDG_CONFIG_HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        start()
        first_answer()
        echo_idle()
        echo_streaming()
        stop()
        turns(home)


def start() -> None:
    """The prompt, on a terminal that answers as terminals do, and the first key echoed, beside Python and `--help`."""
    shown, ready, helped, floor = [], [], [], []
    for _ in range(RUNS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        floor.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "streamchat", "--help"], capture_output=True, check=True)
        helped.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        with Program(
            "chat", "-m", "openai/gpt-5", terminal=(80, 24), env={"OPENAI_API_KEY": "sk-bench"}, fresh=True
        ) as program:
            program.wait_for(b"\n> ")
            shown.append(time.perf_counter() - begun)
            program.press(b"x")
            program.wait_for(b"> x")
            ready.append(time.perf_counter() - begun)
            program.wait_for(b"\x1b[c")
            program.press(b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;22c")
    report("python -c pass", floor)
    report("--help", helped)
    report("prompt shown", shown)
    report("first key echoed", ready)


def first_answer() -> None:
    """The first token of the first answer, asked at once and after two seconds, from a server that does not wait."""
    for wait in (0.0, 2.0):
        times = []
        for _ in range(RUNS // 2):
            with (
                Server(stream(chat_answer(["Hello."]))) as server,
                Person("-m", "vllm/m", "--base-url", server.v1, fresh=True) as person,
            ):
                person.prompted()
                time.sleep(wait)
                begun = time.perf_counter()
                person.press("hello\r")
                person.program.wait_for(b"Hello.")
                times.append(time.perf_counter() - begun)
        report(f"first token, asked {wait:.0f} s after the prompt", times)


def echo_idle() -> None:
    """From a key to its echo at the prompt."""
    with Person("-m", "echo", fresh=True) as person:
        person.prompted()
        report("echo at the prompt", echoes(person, KEYS), worst=True)


def echo_streaming() -> None:
    """From a key to its echo below an answer that grows by 200 tokens a second."""
    with tempfile.TemporaryDirectory() as folder:
        tokens = [" word" if index % 12 else ".\n\nThe **next** paragraph" for index in range(200 * 60)]
        lines = [json.dumps({"type": "text", "text": text, "at": index / 200}) for index, text in enumerate(tokens)]
        recording = Path(folder, "long.jsonl")
        recording.write_text("\n".join(lines))
        with Person("-m", f"replay/{recording}", fresh=True) as person:
            person.prompted()
            person.press("go\r")
            person.sees("word word")
            report("echo while 200 tokens/s stream in", echoes(person, KEYS), worst=True)


def echoes(person: Person, count: int) -> list[float]:
    """Seconds from each key to the first byte that shows it."""
    random.seed(7)
    times = []
    output = person.program._output["screen"]
    for index in range(count):
        char = chr(0x4E00 + index).encode()  # one that nothing else on the screen has
        time.sleep(random.uniform(0.02, 0.06))
        begun = time.perf_counter()
        place = len(output)
        person.program.press(char)
        with person.program._changed:
            person.program._changed.wait_for(lambda char=char, place=place: char in output[place:], 5)
        times.append(time.perf_counter() - begun)
        person.rows  # noqa: B018  # the emulator answers what it is asked
    return times


def stop() -> None:
    """From Esc to the closed connection of a stalled answer, and to the prompt."""
    closed, prompt = [], []
    for _ in range(RUNS):
        with (
            Server(stream(chat_answer(["Half"])[:2], Stall())) as server,
            Person("-m", "vllm/m", "--base-url", server.v1, fresh=True) as person,
        ):
            person.prompted()
            person.press("hello\r")
            person.sees("Half")
            begun = time.perf_counter()
            person.press("\x1b")
            server.exchange(0).closed.wait(5)
            closed.append(time.perf_counter() - begun)
            person.program.wait_for(b"interrupted")
            prompt.append(time.perf_counter() - begun)
    report("Esc to the closed connection", closed, worst=True)
    report("Esc to the answer's end on the screen", prompt, worst=True)


def turns(home: str) -> None:
    """A conversation of a thousand turns: each turn's time, and the memory, on the way."""
    with Person("-m", "replay/reasoning", "--speed", "0", size=(80, 24), fresh=True) as person:
        person.prompted()
        base = memory(person.program.process.pid)
        output = person.program._output["screen"]
        times = []
        for number in range(TURNS):
            begun = time.perf_counter()
            place = len(output)
            person.press(f"turn {number}\r")
            with person.program._changed:
                person.program._changed.wait_for(lambda place=place: b"\x1b[6n" in output[place:], 10)
            times.append(time.perf_counter() - begun)
            person.rows  # noqa: B018
        grown = memory(person.program.process.pid)
    report("turns 1 to 100", times[:100])
    report("turns 901 to 1000", times[-100:])
    print(f"memory: {base / 1024:.1f} MB at the first prompt, {grown / 1024:.1f} MB after {TURNS} turns")
    begun = time.perf_counter()
    with Person("-m", "replay/reasoning", "-c", fresh=True) as person:
        person.prompted()
        print(f"resumed after {time.perf_counter() - begun:.2f} s")


def memory(pid: int) -> int:
    """Resident, in kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def report(what: str, times: list[float], *, worst: bool = False) -> None:
    """Median and, for what a person feels, the 99th percentile, in milliseconds."""
    line = f"{what}: {statistics.median(times) * 1000:.0f} ms"
    if worst:
        line += f", p99 {sorted(times)[int(len(times) * 0.99) - 1] * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms"
    print(line, flush=True)


if __name__ == "__main__":
    main()
