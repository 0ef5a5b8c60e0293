"""What the core costs over the bare SDK, per chunk and to the first token. Run by hand:

    python -m tests.bench.overhead

A server in another process plays the same answer to both. Each script is a whole process, alternately run; the
figures are medians of the pairs' ratios, CPU seconds as the operating system counts them, so that a busy machine
disturbs both alike.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from multiprocessing import Process, Queue
from typing import Any

from tests.wire.answers import chat_answer, messages_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

CHUNKS = 5000
RUNS = 7
DELTAS = [" word"] * CHUNKS

BARE = {
    "openai": """
import openai, sys
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="k")
for chunk in client.chat.completions.create(
    model="m", messages=[{"role": "user", "content": "x"}], stream=True, stream_options={"include_usage": True}
):
    if chunk.choices and chunk.choices[0].delta.content:
        sys.stdout.write(chunk.choices[0].delta.content)
        sys.stdout.flush()
""",
    "anthropic": """
import anthropic, sys
client = anthropic.Anthropic(base_url=sys.argv[1], api_key="k")
with client.messages.stream(model="m", max_tokens=99, messages=[{"role": "user", "content": "x"}]) as stream:
    for text in stream.text_stream:
        sys.stdout.write(text)
        sys.stdout.flush()
""",
}
TABLES = {
    "openai": ("-m", "vllm/m", "--base-url", "{url}/v1"),
    "anthropic": ("-m", "anthropic/m", "--base-url", "{url}"),
}


def commands(vendor: str, url: str) -> dict[str, list[str]]:
    """The dozen-line script and the whole program."""
    ours = [word.format(url=url) for word in TABLES[vendor]]
    return {
        "bare SDK": [sys.executable, "-c", BARE[vendor], url],
        "streamchat ask": [sys.executable, "-m", "streamchat", "ask", *ours, "x"],
    }


def serve(vendor: str, deltas: list[str], ready: "Queue[str]") -> None:
    answer = (messages_answer if vendor == "anthropic" else chat_answer)(deltas)
    scenario = stream([b"".join(answer)])
    with Server(*[scenario] * (4 * RUNS + 4)) as server:
        ready.put(server.url)
        time.sleep(600)


def run(command: list[str]) -> tuple[float, float]:
    """Seconds to the first byte, and CPU seconds of the whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=ENVIRONMENT)
    assert process.stdout is not None
    process.stdout.read(1)
    first = time.monotonic() - begun
    process.stdout.read()
    assert process.wait() == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return first, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


ENVIRONMENT = {**os.environ, "ANTHROPIC_API_KEY": "k", "STREAMCHAT_HISTORY_SAVE": "1"}


def measured(vendor: str, deltas: list[str]) -> dict[str, list[tuple[float, float]]]:
    ready: Queue[str] = Queue()
    server = Process(target=serve, args=(vendor, deltas, ready), daemon=True)
    server.start()
    both = commands(vendor, ready.get())
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in both}
    for number in range(RUNS + 1):
        for name, command in both.items():
            figures = run(command)
            if number:  # the first pair warms the caches
                found[name].append(figures)
    server.terminate()
    return found


def ratio(found: dict[str, list[tuple[float, float]]], place: int) -> float:
    pairs: Any = zip(found["streamchat ask"], found["bare SDK"], strict=True)
    return statistics.median(ours[place] / bare[place] for ours, bare in pairs)


def main() -> None:
    print(f"{CHUNKS} chunks, {RUNS} pairs of runs; medians\n")
    print(f"{'':12}{'first token, s':>26}{'CPU per chunk, µs':>28}")
    for vendor in BARE:
        short, long = measured(vendor, [" word"]), measured(vendor, DELTAS)
        for name in short:
            first = statistics.median(figures[0] for figures in short[name])
            base = statistics.median(figures[1] for figures in short[name])
            per_chunk = (statistics.median(figures[1] for figures in long[name]) - base) / CHUNKS * 1e6
            print(f"{vendor:12}{name:16}{first:10.2f}{per_chunk:28.0f}")
        starts = {name: statistics.median(f[1] for f in figures) for name, figures in short.items()}
        per = {name: statistics.median(f[1] for f in figures) - starts[name] for name, figures in long.items()}
        print(f"{'':12}{'ratio':16}{ratio(short, 0):10.2f}{per['streamchat ask'] / per['bare SDK']:28.2f}\n")


if __name__ == "__main__":
    main()
