"""The live view in tmux, as it is used: sizes that change in the middle, keys that interrupt, what is left."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.views.documents import CORPUS
from tests.views.emulator import tmux

PROGRAM = """
import sys, time
from rich.segment import Segment
from streamchat.views.live import LiveMarkdown, print_markdown

def status(width):
    return [Segment("status")]

how, pause, path = sys.argv[1:]
text = open(path, encoding="utf-8", newline="").read()
if how == "once":
    print_markdown(text)
else:
    try:
        with LiveMarkdown(status=status) as live:
            for start in range(0, len(text), 6):
                live.feed(text[start:start + 6])
                time.sleep(float(pause))
    except KeyboardInterrupt:
        print("interrupted")
print("THE END", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path / "text.md"


def command(text: Path, how: str, pause: float = 0.0) -> str:
    program = [sys.executable, str(text.parent / "program.py"), how, str(pause), str(text)]
    return "env TERM=tmux-256color COLORTERM= " + shlex.join(program)


def ended(lines: list[str]) -> bool:
    return "THE END" in lines


@pytest.mark.parametrize("name", ["everything", "scripts", "languages"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (33, 7)])
def test_what_is_left_is_what_printing_leaves(name: str, width: int, height: int, text: Path) -> None:
    text.write_text(CORPUS[name], encoding="utf-8", newline="")
    left = []
    for how in ("once", "live"):
        with tmux(width, height, command(text, how)) as terminal:
            terminal.wait(ended)
            left.append((terminal.lines(), terminal.lines(joined=True)))

    assert left[0] == left[1]


@pytest.mark.parametrize("sizes", [((80, 24), (60, 24), (100, 30)), ((100, 20), (70, 30), (90, 12), (120, 40))])
def test_a_change_of_size_in_the_middle_doubles_and_loses_nothing(
    sizes: tuple[tuple[int, int], ...], text: Path
) -> None:
    words = [f"w{number}" for number in range(600)]
    text.write_text("\n\n".join(" ".join(words[start : start + 30]) for start in range(0, 600, 30)), encoding="utf-8")
    with tmux(*sizes[0], command(text, "live", 0.003)) as terminal:
        for number, size in enumerate(sizes[1:], 1):
            terminal.wait(lambda lines, mark=f"w{150 * number}": any(mark in line for line in lines))  # type: ignore[misc]
            terminal.resize(*size)
        lines = terminal.wait(ended)

    assert re.findall(r"\bw\d+", " ".join(lines)) == words
    assert "status" not in " ".join(lines)


def test_an_interruption_leaves_what_had_come(text: Path) -> None:
    text.write_text("# Title\n\n" + "and on " * 2000, encoding="utf-8")
    with tmux(80, 24, command(text, "live", 0.005)) as terminal:
        terminal.wait(lambda lines: any("and on and on" in line for line in lines))
        terminal.keys("C-c")
        lines = terminal.wait(ended)

    assert lines[0].strip() == "Title"
    assert lines[-2:] == ["interrupted", "THE END"]
    assert "status" not in lines
