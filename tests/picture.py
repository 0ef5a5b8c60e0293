"""The README's picture: what the real program leaves on a terminal, as an SVG. `python -m tests.picture` draws it anew.

The program plays its own recording at the recording's pace; what a terminal would show is taken from a terminal
emulator, letter by letter, and drawn by Rich.
"""

import io
import os
import re
import tempfile
from pathlib import Path

import pyte
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.program import run

PICTURE = Path(__file__).parent.parent / ".assets" / "streamchat.svg"
COLUMNS, ROWS = 84, 200
QUESTION = "How do tides work?"
COMMAND = ("ask", "-m", "replay/showcase")
SHOWN = 50
"""Lines of the answer in the picture; the recording is longer."""

THEME = TerminalTheme(
    (30, 30, 46),
    (205, 214, 244),
    [(69, 71, 90), (243, 139, 168), (166, 227, 161), (249, 226, 175), (137, 180, 250), (245, 194, 231),
     (148, 226, 213), (186, 194, 222)],
    [(127, 132, 156), (243, 139, 168), (166, 227, 161), (249, 226, 175), (137, 180, 250), (245, 194, 231),
     (148, 226, 213), (205, 214, 244)],
)  # fmt: skip
NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")


def lines(*more: str) -> list[Text]:
    """What the program leaves on the terminal, a Text for each line, without empty ones at the end."""
    done = run(*COMMAND, *more, "-n", QUESTION, terminal=(COLUMNS, ROWS), env={"COLORFGBG": "15;0"}, timeout=60)
    assert done.status == 0, done.screen
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.ByteStream(screen).feed(done.screen)
    found = [_line(screen, row) for row in range(ROWS)]
    while found and not found[-1].plain.strip():
        found.pop()
    return found


def svg(shown: list[Text]) -> str:
    """The picture of these lines below the command that made them; nothing in it is fetched from elsewhere."""
    console = Console(record=True, width=COLUMNS, height=len(shown) + 2, file=io.StringIO(), legacy_windows=False)
    console.print(Text.assemble(("$ ", "green"), f'streamchat {" ".join(COMMAND)} "{QUESTION}"'))
    for line in shown:
        console.print(line, no_wrap=True, crop=True)
    drawn = console.export_svg(title="streamchat", theme=THEME, unique_id="streamchat")
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def picture(*more: str) -> str:
    """The picture as it is now."""
    return svg(lines(*more)[:SHOWN])


def _line(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[row][column]
        text.append(cell.data, _style(cell))
    text.rstrip()
    return text


def _style(cell: pyte.screens.Char) -> Style:
    return Style(
        color=_color(cell.fg), bgcolor=_color(cell.bg), bold=cell.bold, italic=cell.italics, underline=cell.underscore,
        reverse=cell.reverse, strike=cell.strikethrough,
    )  # fmt: skip


def _color(name: str) -> Color | None:
    if name == "default":
        return None
    bright = name.startswith("bright")
    base = name.removeprefix("bright")
    if base in NAMES:
        return Color.from_ansi(NAMES.index(base) + 8 * bright)
    return Color.parse(f"#{name}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        for name in [name for name in os.environ if name.startswith(("XDG_", "STREAMCHAT_"))]:
            del os.environ[name]
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(picture(), "utf-8")
