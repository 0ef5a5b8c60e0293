"""The chat in other places: narrow, dumb, without colour, for a screen reader, resized, in tmux."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repl.person import Person
from tests.repl.test_chat import at, leave, questions
from tests.wire.answers import chat_answer
from tests.wire.scenario import Wait, stream
from tests.wire.server import Server

ANSWER = ["# Tides\n\nThe **sea** rises", " and falls.\n\n", "- once\n- twice\n"]


def test_a_screen_reader_gets_whole_lines_and_nothing_redrawn(server: Server) -> None:
    server.play(stream(chat_answer(ANSWER)), stream(chat_answer(["More."])), stream(chat_answer(["Last."])))
    with Person(*at(server), "--accessible") as person:
        person.sees("/help", "\n>")
        person.press("tides?\r")
        person.sees("Heading 1: Tides", "once")
        person.line()
        person.press("go on\r")
        person.sees("More.")
        person.line()
        person.press(b"a paste\rof two lines\r")
        person.sees("Last.")
        person.line()
        person.press("\x04")
        assert person.program.end().status == 0
    assert_nothing_is_redrawn(person.written)
    assert questions() == ["tides?", "go on", "a paste\nof two lines"]


def test_a_dumb_terminal_is_enough(server: Server) -> None:
    server.play(stream(chat_answer(["Half", " and whole."])))
    with Person(*at(server), env={"TERM": "dumb"}) as person:
        person.sees("/help", "\n>")
        person.press("hello\r")
        person.sees("Half and whole.")
        person.press("/undo\r")
        person.sees("went back 1")
        person.press("\x04")
        assert person.program.end().status == 0
    assert b"\x1b" not in person.written


def test_what_is_typed_while_an_answer_comes_is_kept_without_redrawing_too(server: Server) -> None:
    gate = threading.Event()
    answer = chat_answer(["One.\n\n", "Two."])
    server.play(
        stream(answer[:2], Wait(gate), answer[2:]), stream(chat_answer(["Three."])), stream(chat_answer(["Four."]))
    )
    with Person(*at(server), "--accessible") as person:
        person.sees("/help")
        person.press("first\r")
        person.sees("One.")
        person.press("second\ra draft")
        gate.set()
        person.sees("> second", "Three.", "> a draft")
        person.press(" that goes on\r")
        person.sees("Four.")
        person.press("\x04")
        assert person.program.end().status == 0
    assert questions() == ["first", "second", "a draft that goes on"]


def test_without_colour_there_is_none(server: Server) -> None:
    server.play(stream(chat_answer(ANSWER)))
    with Person(*at(server), env={"NO_COLOR": "1"}) as person:
        person.prompted()
        person.press("tides?\r")
        person.prompted("once")
        assert leave(person) == 0
    assert not [code for code in (b"[3%dm" % number for number in range(8)) if code in person.written]


def test_twenty_columns_are_enough(server: Server) -> None:
    gate = threading.Event()
    answer = chat_answer(ANSWER)
    server.play(stream(answer[:2], Wait(gate), answer[2:]))
    with Person(*at(server), size=(20, 12)) as person:
        person.prompted()
        person.press("a question that is longer than one row\r")
        person.sees("rises")
        person.press("and a draft that is longer than the row")
        assert person.sees("than the row")[-1] == "…onger than the row"
        gate.set()
        rows = person.prompted("twice", draft="and a draft that i")
        assert all(len(row) <= 20 for row in rows)
        person.press("\x03")
        assert leave(person) == 0


def test_a_resize_in_the_middle_of_an_answer_and_of_an_edit(server: Server) -> None:
    gate = threading.Event()
    answer = chat_answer([*ANSWER, "\nThe end."])
    server.play(stream(answer[:3], Wait(gate), answer[3:]))
    with Person(*at(server), size=(60, 20)) as person:
        person.prompted()
        person.press("tides?\r")
        person.sees("rises and falls")
        person.press("draft")
        person.sees("> draft")
        person.resize(50, 15)
        gate.set()
        person.prompted("The end.", draft="draft")
        person.resize(70, 24)
        person.press(" more")
        person.prompted(draft="draft more")
        rows = person.scrollback
        assert [row for row in rows if "The end." in row] == ["The end."]
        person.press("\x03")
        assert leave(person) == 0


# tmux: what a real terminal with a scrollback of its own makes of it


class Tmux:
    """A window of a tmux server of its own."""

    def __init__(self, socket: Path, columns: int, rows: int, command: str) -> None:
        self._call = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self.run("new-session", "-d", "-x", str(columns), "-y", str(rows), command)

    def run(self, *args: str) -> str:
        done = subprocess.run([*self._call, *args], capture_output=True, text=True, check=True, timeout=10)
        return done.stdout

    def press(self, *keys: str, literal: bool = True) -> None:
        self.run("send-keys", *(["-l"] if literal else []), *keys)

    def text(self) -> str:
        """Scrollback and screen."""
        return self.run("capture-pane", "-p", "-S", "-")

    def sees(self, *texts: str, gone: str = "\0") -> str:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            text = self.text()
            if all(each in text for each in texts) and gone not in text:
                return text
            time.sleep(0.02)  # tmux tells nobody when its screen changes
        raise AssertionError(f"{texts} never came:\n{text}")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[type[Tmux]]:
    socket = tmp_path / "tmux"
    yield lambda *args: Tmux(socket, *args)  # type: ignore[misc]
    subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_ten_turns_in_tmux_leave_everything_once_and_in_order(server: Server, tmux: type[Tmux]) -> None:
    """A stop, a queue, a rewind, another model and resizes among ten turns."""
    gates = [threading.Event() for _ in range(3)]

    def answer(number: int, *, gate: int | None = None) -> None:
        packets = chat_answer([f"Answer {number} begins.\n\n", f"Answer {number} ends."])
        server.play(stream(packets) if gate is None else stream(packets[:2], Wait(gates[gate]), packets[2:]))

    line = f"{sys.executable} -m streamchat chat --base-url {server.v1} --retries 0 -m vllm/m"
    window = tmux(60, 16, line)  # type: ignore[call-arg, arg-type]
    window.sees("vllm · m   /help", ">")

    def ask(number: int) -> None:
        answer(number)
        window.press(f"Question {number}")
        window.sees(f"> Question {number}")
        window.press("Enter", literal=False)
        window.sees(f"Answer {number} ends.")

    ask(1)
    ask(2)
    answer(3, gate=0)
    answer(4)
    window.press("Question 3")
    window.press("Enter", literal=False)
    window.sees("Answer 3 begins.")
    window.press("Question 4")  # the queue
    window.press("Enter", literal=False)
    window.sees("queued: Question 4")
    gates[0].set()
    window.sees("Answer 4 ends.")
    answer(5, gate=1)
    window.press("Question 5")
    window.press("Enter", literal=False)
    window.sees("Answer 5 begins.")
    window.run("resize-window", "-x", "48", "-y", "20")
    window.press("Escape", literal=False)  # the stop
    window.sees("interrupted")
    ask(6)
    window.run("resize-window", "-x", "72", "-y", "18")
    ask(7)
    window.press("Escape", literal=False)
    window.press("Escape", literal=False)  # the rewind
    window.sees("Go back to which question?")
    window.press("Enter", literal=False)
    window.sees("> Question 7", gone="Go back")
    answer(8)
    window.press(", again")
    window.press("Enter", literal=False)
    window.sees("Answer 8 ends.")
    window.press("/model vllm/other")
    window.press("Enter", literal=False)
    window.sees("asking vllm · other")
    ask(9)
    ask(10)
    text = window.text()
    rows = [row.rstrip() for row in text.split("\n")]
    for number in range(1, 11):
        assert rows.count(f"Answer {number} begins.") == 1, text
        assert rows.count(f"Answer {number} ends.") == (number != 5), text
    asked = [row for row in rows if row.startswith("> Question")]
    expected = [f"> Question {number}" for number in (1, 2, 3, 4, 5, 6, 7, 7, 9, 10)]
    assert asked == [*expected[:7], "> Question 7, again", *expected[8:]], text
    assert "queued" not in text
    window.press("C-d", literal=False)


def assert_nothing_is_redrawn(written: bytes) -> None:
    """No carriage return but at a line's end, no movement of the cursor, nothing erased."""
    assert not [code for code in (b"\x1b[A", b"\x1b[K", b"\x1b[J", b"\x1b[2K", b"\x1b[?25l") if code in written]
    assert b"\r" not in written.replace(b"\r\n", b"")
