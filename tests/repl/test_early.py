"""The prompt before the chat is loaded: keys are seen at once, and none is lost, whatever it is.

What is to be loaded is held back by a fifo that is opened when the test has seen enough. It is looked at again and
again: a signal that comes just before a call that waits for ever would find nobody to hear it.
"""

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.repl.person import Person

HELD = """
import os, select, sys
sys.argv[0] = "streamchat"
class Held:
    def find_spec(self, name, path, target=None):
        if name.startswith({module!r}):
            sys.meta_path.remove(self)
            gate = os.open({gate!r}, os.O_RDONLY | os.O_NONBLOCK)
            while not select.select([gate], [], [], 0.05)[0]:
                pass
            os.close(gate)
sys.meta_path.insert(0, Held())
from streamchat.__main__ import main
main()
"""


class Gate:
    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)

    def open(self) -> None:
        os.close(os.open(self.path, os.O_WRONLY))


@contextmanager
def chatting(place: Path, *args: str, module: str = "prompt_toolkit", **how: object) -> Iterator[tuple[Person, Gate]]:
    """A chat in which that module is not loaded before the gate is opened."""
    gate = Gate(place / "gate")
    code = HELD.format(module=module, gate=str(gate.path))
    with Person("-c", code, "chat", "-m", "echo", *args, chat=False, command=(sys.executable,), **how) as person:
        yield person, gate


def test_what_is_typed_before_the_editor_is_loaded_is_seen_and_asked(tmp_path: Path) -> None:
    with chatting(tmp_path) as (person, gate):
        person.sees("echo", "/help", "\n> ".rstrip())
        person.press("Wie spät")
        person.sees("> Wie spät")
        person.press("\x7f\x7fät ist es?")
        person.sees("> Wie spät ist es?")
        gate.open()
        person.prompted(draft="Wie spät ist es?")
        person.press("\r")
        person.sees("Wie spät ist es?", "echo · ")


def test_the_prompt_stands_there_before_the_settings_are_read(tmp_path: Path) -> None:
    with chatting(tmp_path, module="streamchat.config") as (person, gate):
        person.sees(">")
        person.press("early")
        rows = person.sees("> early")
        gate.open()
        person.prompted("/help", draft="early")

    assert not any("/help" in row for row in rows)


@pytest.mark.parametrize(
    ("keys", "draft"),
    [
        (b"ab\x1b[Dc", "acb"),
        (b"one two\x17three", "one three"),
        (b"\x1b[200~pasted\rlines\x1b[201~", "pasted\n  lines"),
        ("日本".encode() + b"\x01x", "x日本"),
        (b"w" * 100 + b"\x15short", "short"),
    ],
)
def test_only_the_editor_says_what_keys_mean(tmp_path: Path, keys: bytes, draft: str) -> None:
    with chatting(tmp_path) as (person, gate):
        person.sees("/help")
        person.press(keys)
        gate.open()
        person.sees(*(f"> {draft}".split("\n")))


def test_a_paste_of_which_half_has_come_before_the_editor_is_one_paste(tmp_path: Path) -> None:
    with chatting(tmp_path) as (person, gate):
        person.sees("/help")
        person.press("x")
        person.sees("> x")
        person.press("\x1b[200~ear")
        gate.open()
        person.program.wait_for(b"\x1b[6n")  # the editor is there; a terminal answers behind what is pasted
        person.press("ly\rand late\x1b[201~")
        person.sees("> xearly", "  and late")


def test_lines_that_were_entered_before_are_asked_one_after_the_other(tmp_path: Path) -> None:
    with chatting(tmp_path) as (person, gate):
        person.sees("/help")
        person.press(b"first\rsecond\r\x04")
        gate.open()
        said = person.program.end()
    text = said.screen.decode()

    assert said.status == 0
    assert text.index("first") < text.rindex("second") and text.count("echo · ") >= 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(tmp_path: Path, number: int) -> None:
    with chatting(tmp_path) as (person, _):
        assert person.program._master is not None
        person.sees("/help")
        person.press("typed")
        person.sees("typed")
        person.program.signal(number)
        status = person.program.process.wait(10)
        mode = termios.tcgetattr(person.program._master)[3]
        said = person.program.end()

    assert status == -number
    assert mode & termios.ECHO and mode & termios.ICANON
    assert said.screen.endswith(b"\x1b[J")


def test_an_error_stands_where_the_prompt_was() -> None:
    with Person("--provider", "nobody", fresh=True) as person:
        said = person.program.end()
        rows = person.rows

    assert said.status == 2
    assert rows[0].startswith("streamchat: ") and not any(row.startswith(">") for row in rows)


def test_a_question_to_the_person_takes_the_place_of_the_prompt(tmp_path: Path) -> None:
    with Person(fresh=True) as person:
        rows = person.sees("[Y/n]")
        person.press("n\n")
        said = person.program.end()

    assert said.status == 2 and not any(row.startswith(">") for row in rows)
    assert b"[Y/n] n" in said.screen  # the terminal shows what is typed, as it did before


def test_notices_stand_above_the_prompt(tmp_path: Path) -> None:
    (tmp_path / ".streamchat.toml").write_text('system = "Be brief."\n')
    with Person("-m", "echo", cwd=tmp_path, fresh=True) as person:
        rows = person.prompted("/help")

    shown = [row.partition(" ")[0] for row in rows if row]
    assert shown[0] == "streamchat:" and shown.count(">") == 1 and shown.index(">") > shown.index("echo")


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_no_early_prompt(term: str) -> None:
    with Person("-m", "echo", env={"TERM": term}, fresh=True) as person:
        person.line()

        assert b"\x1b" not in person.written


def test_accessible_by_the_settings_gets_what_was_typed(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[ui]\naccessible = true\n")
    with chatting(tmp_path, "--config", str(config), module="streamchat.repl.lines") as (person, gate):
        person.press("hello")
        person.sees("/help", gone="hello")
        gate.open()
        person.sees("> hello")
        person.press("\r")
        person.sees("echo")
