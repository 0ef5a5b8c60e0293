"""Terminals and people of every kind: no colours, no redrawing, a bell at the end, by the real program on a pty."""

import re
import signal
from typing import Any

import pytest

from tests.cli.person import config, seen
from tests.program import Program, Result, run
from tests.wire.answers import chat_answer, openai_error_body
from tests.wire.scenario import Stall, document, stream
from tests.wire.server import Server

SHOWCASE = ("ask", "-m", "replay/showcase", "--opt", "speed=0", "Tides?")
COLOUR = re.compile(rb"\x1b\[[0-9;]*[34][0-9](;[0-9]+)*m")
MOVE = re.compile(rb"\x1b\[[0-9;]*[ABCDGHJKf]|\x1b\[\?2026")


def shown(*args: str, env: dict[str, str] | None = None, tty: Any = ("stdin", "stdout", "stderr")) -> Result:
    return run(*SHOWCASE, *args, terminal=(80, 24), env=env, tty=tty)


def test_colours_are_there_unless_nobody_wants_them() -> None:
    assert COLOUR.search(shown().screen)
    assert not COLOUR.search(shown(env={"NO_COLOR": "1"}).screen)
    assert not COLOUR.search(shown("--color", "never").screen)
    assert COLOUR.search(shown("--color", "always", env={"NO_COLOR": "1"}).screen), "the flag is stronger"


def test_no_color_loses_nothing_else() -> None:
    plain, colored = (seen(shown("-q", env=env)) for env in ({"NO_COLOR": "1"}, {}))

    assert plain == colored


def test_force_color_colours_what_is_rendered_and_no_pipe() -> None:
    """Text into a pipe is the model's, whatever the environment says."""
    force = {"FORCE_COLOR": "1"}

    assert COLOUR.search(run(*SHOWCASE, "--format", "markdown", env=force).stdout)
    assert not COLOUR.search(run(*SHOWCASE, "--format", "markdown").stdout)
    assert b"\x1b" not in run(*SHOWCASE, env=force).stdout


def test_a_dumb_terminal_gets_no_escape_sequence() -> None:
    screen = shown(env={"TERM": "dumb"}).screen

    assert b"\x1b" not in screen
    assert screen.count(b"Why the sea comes and goes") == 1


@pytest.mark.parametrize("how", ["flag", "variable", "setting"])
def test_accessible_writes_each_line_once(how: str) -> None:
    """No cursor movement, no spinner, every letter of the answer a single time."""
    if how == "setting":
        config("[ui]\naccessible = true\n")
    screen = shown(*(["--accessible"] if how == "flag" else []), env={"ACCESSIBLE": "1"} if how == "variable" else {})

    assert not MOVE.search(screen.screen)
    assert not set(screen.screen.decode()) & set("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
    assert screen.screen.count(b"the difference") + screen.screen.count(b"The difference") == 1
    assert screen.screen.decode().splitlines()[-1].startswith("replay · showcase")


# a bell at the end


def notified(
    server: Server, *args: str, model: str = "m", tty: Any = ("stdin", "stdout", "stderr"), **env: str
) -> Result:
    server.play(stream(chat_answer(["Done."])))
    return run(
        *("ask", "-m", f"vllm/{model}", "--base-url", server.v1, "Go", *args), terminal=(80, 24), tty=tty, env=env
    )


def test_nothing_is_rung_unasked_or_too_soon(server: Server) -> None:
    assert b"\a" not in notified(server).screen
    config('[ui]\nnotify = "bell"\n')
    assert b"\a" not in notified(server).screen, "it did not take ten seconds"


def test_a_bell_rings_when_the_answer_is_there(server: Server) -> None:
    config('[ui]\nnotify = "bell"\nnotify_after = 0\n')
    screen = notified(server).screen

    assert screen.count(b"\a") == 1 and screen.index(b"Done.") < screen.index(b"\a")


def test_it_rings_on_stderr_when_the_answer_goes_into_a_pipe(server: Server) -> None:
    config('[ui]\nnotify = "bell"\nnotify_after = 0\n')
    result = notified(server, tty=("stdin", "stderr"))

    assert (result.stdout, result.screen) == (b"Done.\n", b"\a")
    server.play(stream(chat_answer(["Done."])))
    assert run("ask", "-m", "vllm/m", "--base-url", server.v1, "Go") == Result(b"Done.\n", b"", 0)


@pytest.mark.parametrize(
    ("env", "sequence"),
    [
        ({}, "\x1b]9;{} has answered\x1b\\"),
        ({"VTE_VERSION": "7600"}, "\x1b]777;notify;streamchat;{} has answered\x1b\\"),
        ({"TERM": "foot"}, "\x1b]777;notify;streamchat;{} has answered\x1b\\"),
        ({"TMUX": "/tmp/x"}, "\x1bPtmux;\x1b\x1b]9;{} has answered\x1b\x1b\\\x1b\\"),
        ({"TERM": "dumb"}, "\a"),
    ],
    ids=str,
)
def test_a_notification_is_one_that_the_terminal_knows(server: Server, env: dict[str, str], sequence: str) -> None:
    """What the model is called cannot steer the terminal."""
    config('[ui]\nnotify = "desktop"\nnotify_after = 0\n')
    screen = notified(server, model="a;b\x1b]0;c\ad", **env).screen.decode()

    assert sequence.format("a,b␛]0,c␇d") in screen
    assert "\x1b]0;" not in screen


def test_a_failure_is_announced_and_an_interruption_is_not(server: Server) -> None:
    config('[ui]\nnotify = "desktop"\nnotify_after = 0\n')
    args = ("ask", "-m", "vllm/m", "--base-url", server.v1, "--retries", "0", "Go")
    server.play(document(openai_error_body("no", "x"), status=400))
    assert b"\x1b]9;m has answered: failed" in run(*args, terminal=(80, 24)).screen

    server.play(stream(chat_answer(["begun"], finish=None, usage=None, done=False), Stall()))
    with Program(*args, terminal=(80, 24)) as program:
        program.wait_for(b"begun")
        program.signal(signal.SIGINT)
        assert b"\x1b]9;" not in program.end().screen


@pytest.mark.parametrize("name", ["dumb", "unknown", "no-such-terminal", "vt52", "linux"])
def test_whatever_the_terminal_calls_itself_the_answer_is_there_once(name: str) -> None:
    result = run("ask", "-m", "replay/showcase", "--speed", "0", "?", terminal=(60, 20), env={"TERM": name})

    assert (result.status, result.err) == (0, "")
    assert result.screen.count(b"Why the sea comes and goes") == 1
    assert result.screen.count(b"introduction to tides") == 1
    assert name not in ("dumb", "unknown") or b"\x1b" not in result.screen
