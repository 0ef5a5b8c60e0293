"""The chat in other places: narrow, dumb, without colour, for a screen reader, resized."""

import threading

import pytest

from tests.program import Program
from tests.repl.person import ANSWERED, Person
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


@pytest.mark.parametrize("rows", [10, 6, 4])
def test_one_of_several_can_be_chosen_in_a_low_window(rows: int) -> None:
    with Person("-m", "echo", size=(60, rows)) as person:
        person.prompted()
        for question in ("first", "second", "third", "fourth"):
            person.press(f"/new\r{question}\r")
            person.prompted(ANSWERED)
        person.press("/resume\r")
        person.sees("Go on with:", "fourth")
        person.press("first")
        person.sees("Go on with: first", "first  ·", gone="fourth  ·")
        person.press("\r")
        person.prompted('"content": "first"' if rows > 6 else "")
        person.press("\x1b\x1b")
        person.sees("Go back to which question?", "> first")
        person.press("\x1b")
        person.prompted()
        assert leave(person) == 0


def test_what_the_chat_says_is_broken_between_words() -> None:
    with Person("-m", "echo", size=(24, 20)) as person:
        person.prompted()
        person.press("/help model\r")
        rows = person.prompted("or choose")
        assert leave(person) == 0
    said = rows[rows.index("> /help model") + 1 :]
    assert said[: said.index(">")] == [
        *("/model [MODEL]", "  Ask another model from", "now on, of another", "provider too"),
        *("(provider/model, an", "alias, an id), or choose", "one."),
    ]


def test_a_dumb_terminal_has_the_width_that_it_says(server: Server) -> None:
    words = " ".join(f"word{number:02}" for number in range(30))
    server.play(stream(chat_answer([words])))
    with Person(*at(server), env={"TERM": "dumb"}, size=(40, 24)) as person:
        person.sees("/help", "\n>")
        person.press("hello\r")
        rows = person.sees("word29", "12 in")
        person.press("\x04")
        assert person.program.end().status == 0
    assert [row for row in rows if row.startswith("word")] == [
        " ".join(f"word{number:02}" for number in range(start, min(start + 5, 30))) for start in range(0, 30, 5)
    ]


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


def test_a_screen_reader_is_told_what_is_queued_between_paragraphs_and_of_the_keys_that_there_are(
    server: Server,
) -> None:
    gates = threading.Event(), threading.Event()
    answer = chat_answer(["One begins, ", "and ends.\n\n", "```\ncode\n", "more\n```\n"])
    server.play(
        stream(answer[:2], Wait(gates[0]), answer[2:4], Wait(gates[1]), answer[4:]), stream(chat_answer(["Two."]))
    )
    with Person(*at(server), "--accessible", size=(80, 60)) as person:
        person.line()
        person.press("first\r")
        server.exchange(0)
        person.press("second\r")
        person.sees("queued: second")
        gates[0].set()
        person.sees("code")
        person.press("third\r\x1b")  # Esc: back into the line
        gates[1].set()
        rows = person.sees("End of code.", "queued: third", "taken back: second\nthird", "> second\nthird")
        assert rows.index("queued: third") > rows.index("End of code.")
        person.press("\x03")
        person.sees("Ctrl+C again leaves.")
        person.line()
        person.press("/help\r")
        person.sees("/undo [N]", "twice: leave", gone="$EDITOR")
        person.press("\x1b[A/usage\r")  # an arrow, which such a line does not know
        person.sees("the context:")
        person.line()
        person.press("half a li")
        person.sees("> half a li")
        person.press("\x03")
        person.sees("half a li^C\nCtrl+C again leaves.")
        person.press("\x03")
        assert person.program.end().status == 0
    assert_nothing_is_redrawn(person.written)


@pytest.mark.parametrize("columns", [20, 80])
def test_help_breaks_no_word(columns: int) -> None:
    with Person("-m", "echo", size=(columns, 300)) as person:
        person.prompted()
        person.press("/help\r")
        rows = person.prompted("/retry")
        assert leave(person) == 0
    rows = rows[rows.index("> /help") + 1 :]
    text = " ".join(" ".join(rows).split())
    assert "Leave; the conversation is kept." in text and "write the message in $EDITOR" in text
    assert all(len(row) < columns for row in rows)


def test_help_in_one_column_ends_nothing() -> None:
    with Program("chat", "-m", "echo", terminal=(1, 5)) as program:
        program.wait_for(b"\x1b[J")
        program.press(b"/help\r\x04")
        assert program.end().status == 0


def test_without_colour_there_is_none(server: Server) -> None:
    server.play(stream(chat_answer(ANSWER)))
    with Person(*at(server), env={"NO_COLOR": "1"}) as person:
        person.prompted()
        person.press("tides?\r")
        person.prompted("once")
        assert leave(person) == 0
    assert not [code for code in (b"[3%dm" % number for number in range(8)) if code in person.written]


@pytest.mark.parametrize("columns", [16, 30, 44])
def test_the_first_lines_break_no_word_in_a_narrow_window(columns: int) -> None:
    with Person("-m", "echo", size=(columns, 24)) as person:
        rows = person.prompted()
        assert leave(person) == 0
    words = " ".join(rows[: next(number for number, row in enumerate(rows) if row.startswith(">"))]).split()
    assert words == ["echo", "·", "echo", "/help:", "commands", "and", "keys,", "Ctrl+D:", "leave"]


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


def assert_nothing_is_redrawn(written: bytes) -> None:
    """No carriage return but at a line's end, no movement of the cursor, nothing erased."""
    assert not [code for code in (b"\x1b[A", b"\x1b[K", b"\x1b[J", b"\x1b[2K", b"\x1b[?25l") if code in written]
    assert b"\r" not in written.replace(b"\r\n", b"")
