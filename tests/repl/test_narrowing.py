"""A window that is made narrower breaks the rows of the draft in it anew: the draft stands there once all the same.

Where the screen is not full yet, tmux pushes the first rows into the scrollback for those that are new, and there
nothing can be removed: on the screen there is one draft in any case.
"""

import re
import sys
from pathlib import Path

import pytest

from tests.repl.window import Window, needs_tmux

WORDS = " ".join(f"word{number:02}" for number in range(9))
LONG = " ".join(f"word{number:02}" for number in range(24))
WIDE = "".join(f"日本word{number:02}" for number in range(14))


@needs_tmux
@pytest.mark.parametrize("key", ["C-e", "C-a"])
@pytest.mark.parametrize(
    ("filled", "draft", "sizes"),
    [
        (0, WORDS, [(40, 24)]),
        (0, LONG, [(39, 20), (23, 12)]),
        (30, WORDS, [(40, 24), (20, 24)]),
        (30, LONG, [(39, 20), (23, 12), (80, 24), (31, 24)]),
        (30, WIDE, [(41, 24), (28, 24)]),
    ],
)
def test_a_draft_stands_there_once(
    key: str, filled: int, draft: str, sizes: list[tuple[int, int]], tmp_path: Path
) -> None:
    before = "; ".join(f"echo line{number}" for number in range(filled)) or "true"
    command = f"sh -c '{before}; exec {sys.executable} -m streamchat chat -m echo'"
    with Window(tmp_path / "tmux", 80, 24, command) as window:
        window.prompted("/help")
        window.type(draft)
        window.sees(draft[-6:])
        window.type("", key)
        window.points_at("" if key == "C-e" else draft[:6])
        for size in sizes:
            window.resize(*size)
            window.type("#")
            window.sees("#")
            window.type("", "BSpace")
            window.sees(gone="#")
            window.points_at("" if key == "C-e" else draft[:6])
        text = window.text(scrollback=filled > 0)
    rows = [row.rstrip() for row in text.split("\n")]

    assert [row for row in rows if row.startswith("line")] == [f"line{number}" for number in range(filled)], text
    assert re.findall(r"word\d\d", "".join(text.split())) == re.findall(r"word\d\d", draft), text


@needs_tmux
@pytest.mark.parametrize("back", [0, 20])
@pytest.mark.parametrize("filled", [0, 30])
def test_what_is_typed_below_an_answer_stands_there_once_wherever_its_cursor_is(
    filled: int, back: int, tmp_path: Path
) -> None:
    """Tmux keeps what is erased from the first row of the screen on."""
    before = "; ".join(f"echo line{number}" for number in range(filled)) or "true"
    command = f"sh -c '{before}; exec {sys.executable} -m streamchat chat -m echo --opt delay=60'"
    draft = WORDS[:57]
    with Window(tmp_path / "tmux", 60, 14, command) as window:
        window.prompted("/help")
        window.type("ask", "Enter")
        window.sees("waiting")
        window.type(draft, *["Left"] * back)
        window.points_at(draft[-back:] if back else "")
        for size in ((20, 14), (15, 14)):
            window.resize(*size)
            window.type("#")
            window.sees("#")
            window.type("", "BSpace")
            window.sees(gone="#")
        text = window.text()

    assert "word01" not in text and len(re.findall(r"…", text)) == 1, text
