"""The background: asked for by the real program on a real terminal, and nothing of the answers is left."""

import re
import sys

import pytest

from tests.program import Program, run

ASK = ("ask", "-m", "replay/showcase", "--speed", "0", "-n", "-q", "Hi")
PATIENT = """
import time
from streamchat.views import background
background.BUDGET, begun = 60.0, time.monotonic()
print(background.background(), time.monotonic() - begun < 30, flush=True)
print(repr(input("next ")))
"""
"""Gives the terminal, which is the test, all the time that it may need, and says whether it has waited for that."""

SILENT = """
import select
from streamchat.views import background
waits, wait = [], select.select
select.select = lambda *args: waits.append(args[3]) or wait(*args)
print(background.background(), max(waits) <= 0.1)
"""
"""Says whether the terminal was given a tenth of a second at most."""


def answered(colour: bytes, *, env: dict[str, str | None] | None = None) -> str:
    """What the program takes the background for when the terminal says this, and what it then reads from keys."""
    with Program(
        terminal=(80, 24), env={"COLORFGBG": None, **(env or {})}, command=(sys.executable, "-c", PATIENT)
    ) as program:
        program.wait_for(b"\x1b]11;?\x1b\\\x1b[c")
        program.press(colour + b"\x1b[?62;22c")
        program.wait_for(b"next ")
        program.press(b"typed\r")
        return program.end().screen.decode().partition("\x1b[c")[2]


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        (b"\x1b]11;rgb:ffff/ffff/f0f0\x1b\\", "light"),
        (b"\x1b]11;rgb:fd/f6/e3\x07", "light"),
        (b"\x1b]11;rgb:0000/2b2b/3636\x1b\\", "dark"),
        (b"\x1b]11;rgba:1e1e/1e1e/2e2e/ffff\x1b\\", "dark"),
        (b"", "dark"),
    ],
)
def test_the_terminal_is_asked_and_no_byte_of_its_answer_is_left(colour: bytes, expected: str) -> None:
    screen = answered(colour)
    assert screen.lstrip().startswith(f"{expected} True")
    assert "'typed'" in screen
    assert "rgb" not in screen


def test_a_terminal_that_says_nothing_costs_a_tenth_of_a_second() -> None:
    done = run(terminal=(80, 24), stdin=b"", env={"COLORFGBG": None}, command=(sys.executable, "-c", SILENT))
    assert b"dark True" in done.screen


@pytest.mark.parametrize(
    "env",
    [
        {"COLORFGBG": "0;15"},
        {"TERM": "dumb", "COLORFGBG": None},
        {"NO_COLOR": "1", "COLORFGBG": None},
        {"STREAMCHAT_UI_CODE_THEME": "monokai", "COLORFGBG": None},
        {"STREAMCHAT_UI_THEME": "light", "COLORFGBG": None},
    ],
)
def test_it_is_not_asked_where_the_answer_is_known_or_of_no_account(env: dict[str, str | None]) -> None:
    assert b"\x1b]11" not in run(*ASK, terminal=(80, 24), env=env).screen


def test_it_is_not_asked_when_the_answer_goes_into_a_pipe() -> None:
    done = run(*ASK, terminal=(80, 24), tty=("stdin", "stderr"), env={"COLORFGBG": None})
    assert b"\x1b]11" not in done.screen + done.stdout


def test_code_has_the_colours_of_the_background() -> None:
    def colours(**env: str) -> set[bytes]:
        return set(re.findall(rb"\x1b\[[\d;]*m", run(*ASK, terminal=(80, 24), env=env).screen))

    light = colours(STREAMCHAT_UI_THEME="light")
    assert colours(STREAMCHAT_UI_THEME="dark") != light
    assert colours(COLORFGBG="0;15") == light
