"""Every figure of speed in one table, beside the peers, from one run:

    python -m tests.bench.speed [--envs DIR] [--runs N] [--local BIN]

DIR keeps the environments (streamchat's from this checkout, the peers' from their registries), so that a second run
takes five minutes; without it they are made anew. BIN is the directory of a streamchat with the extra `local`, whose
model this person has installed: it is typed at, too, while the model loads. Ratios are medians of the rounds' ratios.
The table is Markdown.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from streamchat.paths import files
from tests.bench import startup, tokens
from tests.bench.keys import echoes
from tests.bench.startup import Spent, current, ratio, served, settled
from tests.bench.tokens import Row

ECHOED = 4
"""Chats that are typed into while they load."""
PARTS = """
import os, sys, sysconfig
from importlib.metadata import distributions
files = code = 0
names = {each.metadata["Name"] for each in distributions(path=[sysconfig.get_path("purelib")])} - {"pip", "setuptools"}
for each in distributions(path=[sysconfig.get_path("purelib")]):
    for file in each.files or () if each.metadata["Name"] in names else ():
        if (path := each.locate_file(file)).exists():
            size = os.stat(path).st_size
            files, code = (files, code + size) if path.suffix == ".pyc" else (files + size, code)
print(len(names), files, code)
"""
"""Counts what an environment has: packages, bytes of theirs, bytes of what Python compiled of them."""


def starts(found: dict[str, list[Spent]]) -> Iterator[Row]:
    for one, other, goal in startup.GOALS:
        wall = ratio(found, one, other, lambda spent: spent.until)
        if wall is not None:
            yield Row(f"{one} / {other}", f"{_ms(found[one])} / {_ms(found[other])} ms", wall, goal)


def _ms(spent: list[Spent]) -> str:
    return f"{statistics.median(each.until for each in spent) * 1e3:.0f}"


def typed(commands: dict[str, list[str]], environment: dict[str, str]) -> Iterator[Row]:
    """Keys at a prompt behind which an SDK is loaded, or the embedded model."""
    for name, command in commands.items():
        times = sorted(seconds * 1e3 for _ in range(ECHOED) for seconds in echoes(command, environment))
        told = f"p50 {statistics.median(times):.0f}, worst {times[-1]:.0f} ms"
        yield Row(f"key to echo while {name} loads, p99, ms", told, times[int(len(times) * 0.99) - 1], 30.0)


def installed(bin_: Path) -> Iterator[Row]:
    said = subprocess.run([bin_ / "python", "-c", PARTS], capture_output=True, text=True, check=True)
    count, files, code = map(int, said.stdout.split())
    yield Row("base install: packages", f"{count - 1} and streamchat", count, 30)
    yield Row("base install: MB", f"and {code / 1e6:.0f} MB of bytecode", files / 1e6, 70)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=Path, help="where the environments are, or are to be made")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--local", type=Path, help="where a streamchat with the extra `local` is")
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        envs = (chosen.envs or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        bin_ = current(envs)
        sections = {
            "Start": starts(startup.compared(stack, envs, chosen.runs)),
            "Typing": _typing(stack, bin_, chosen.local),
            "Tokens and memory": tokens.measured(envs, bin_, chosen.runs),
            "Install": installed(bin_),
        }
        print("| | measured | figure | at most |\n| --- | --- | --- | --- |")
        missed = 0
        for heading, rows in sections.items():
            print(f"| **{heading}** | | | |")
            for row in rows:
                missed += not row.met
                print(
                    f"| {row.what} | {row.told} | {row.figure:.2f} | {row.goal:g}{'' if row.met else ', missed'} |",
                    flush=True,
                )
        print(f"\n{missed} missed; python {sys.version.split()[0]}; {chosen.runs} rounds", file=sys.stderr)


def _typing(stack: contextlib.ExitStack, bin_: Path, local: Path | None) -> Iterator[Row]:
    url = stack.enter_context(served())
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    program = str(bin_ / "streamchat")
    commands = {
        "openai": [program, "chat", "-m", "vllm/m", "--base-url", f"{url}/v1"],
        "anthropic": [program, "chat", "-m", "anthropic/m", "--base-url", url],
    }
    if local is not None:
        weights, config = next((files().data / "models").glob("*.gguf")), home / "config.toml"
        config.write_text(f"[local]\nmodel = '{weights}'\n")
        commands["the embedded model"] = [str(local / "streamchat"), "chat", "-m", "local", "--config", str(config)]
    yield from typed(commands, settled(home, url))


if __name__ == "__main__":
    main()
