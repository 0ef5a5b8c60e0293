"""`streamchat chat` by the real program on a real terminal: the loop, its keys, what is typed meanwhile."""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.repl.person import ANSWERED, Person
from tests.wire.answers import chat_answer
from tests.wire.scenario import Scenario, Stall, Wait, stream
from tests.wire.server import DEADLINE, Server

SLOW = ("-m", "echo", "--opt", "delay=0.05")


def records() -> list[dict[str, Any]]:
    """All lines of the only conversation there is."""
    (path,) = Path(os.environ["XDG_DATA_HOME"], "streamchat", "conversations").rglob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def questions() -> list[str]:
    return [line["content"] for line in records() if line["type"] == "message"]


def questions_of(path: Path) -> list[str]:
    lines = map(json.loads, path.read_text().splitlines())
    return [line["content"] for line in lines if line["type"] == "message"]


def at(server: Server) -> tuple[str, ...]:
    return ("-m", "vllm/m", "--base-url", server.v1, "--retries", "0")


def idle(person: Person, footer: str = ANSWERED) -> None:
    """Wait until an answer is there and the prompt is back."""
    person.prompted(footer)


def leave(person: Person) -> int:
    person.press("\x04")
    return person.program.end().status


def test_a_conversation_is_asked_shown_and_kept() -> None:
    with Person("-m", "echo") as person:
        person.prompted("/help")
        person.press("how do tides work?\r")
        idle(person)
        person.press("and why?\r")
        rows = person.sees('"content": "and why?"')
        person.prompted("> and why?")
        assert leave(person) == 0

    assert any("how do tides work?" in row for row in rows)
    assert questions() == ["how do tides work?", "and why?"]
    assert [line["stop_reason"] for line in records() if line["type"] == "end"] == ["stop", "stop"]


@pytest.mark.parametrize("flags", [(), ("-m", "echo"), ("--model=echo", "-s", "Be brief.")])
def test_without_words_on_a_terminal_it_is_a_chat(flags: tuple[str, ...]) -> None:
    with Person(*flags, chat=False, env={"STREAMCHAT_MODEL": "echo"}) as person:
        person.prompted("echo · echo")
        assert leave(person) == 0


def test_words_are_the_first_message() -> None:
    with Person("-m", "echo", "hello", "there") as person:
        rows = person.sees("> hello there", '"content": "hello there"')
        assert rows[0] == "> hello there"
        assert leave(person) == 0


def test_piped_text_is_the_first_message_and_keys_come_from_the_terminal() -> None:
    with Person("-m", "echo", stdin=b"some text\n", tty=("stdout", "stderr")) as person:
        person.sees('"some text"', ANSWERED)
        person.press("more\r")
        person.sees('"content": "more"')
        assert leave(person) == 0
    assert questions() == ["some text", "more"]


def halting(server: Server) -> threading.Event:
    """Plays an answer that halts in its middle until this is set, and another one."""
    gate, packets = threading.Event(), chat_answer(["One", " two"])
    server.play(stream(packets[:2], Wait(gate), packets[2:]), stream(chat_answer(["Next"])))
    return gate


def test_typing_while_an_answer_streams_shows_below_it_and_is_sent_when_it_ends(server: Server) -> None:
    gate = halting(server)
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("One")
        person.press("sec")
        assert person.sees("> sec")[-1] == "> sec"
        person.press("ond\rthe draft")
        rows = person.sees("queued: second", "> the draft")
        assert rows[-1] == "> the draft"
        gate.set()
        rows = person.sees("Next", "> second", "> the draft", gone="queued")
        assert rows.count("One two") == 1
        assert [row for row in rows if "draft" in row] == ["> the draft"]
        person.prompted(draft="the draft")
        person.press("\x03")
        assert leave(person) == 0

    asked = [exchange.json["messages"] for exchange in server.exchanges if exchange.method == "POST"]
    assert [messages[-1]["content"] for messages in asked] == ["first", "second"]
    assert asked[1][1]["content"] == "One two"


def test_the_line_below_an_answer_is_edited_where_its_cursor_is_and_goes_to_the_editor_with_it(server: Server) -> None:
    gate = halting(server)
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("One")
        person.press("a wrd" + "\x1b[D" * 2)
        person.points_at("> a w", "rd")
        person.press("o\x01the ")
        person.points_at("> the ", "a word")
        gate.set()
        person.prompted(draft="the a word")
        person.points_at("> the ", "a word")
        person.press("!\r")
        person.prompted("> the !a word", "Next")
        assert leave(person) == 0


def test_a_queued_message_that_cannot_be_sent_comes_back_in_front_of_what_is_typed(server: Server) -> None:
    """That was lost, and the next message was asked without the one that it belongs to."""
    Path("folder").mkdir()
    gate = halting(server)
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("One")
        person.press("see @folder\rwhat is in it?\rand my ideas")
        person.sees("queued: what is in it?", "> and my ideas")
        gate.set()
        person.prompted("folder is a directory", "  what is in it?", "  and my ideas", draft="see @folder")
        person.press("\x03")
        person.prompted(draft="")
        assert leave(person) == 0
    assert questions() == ["first"]


def test_a_question_that_is_edited_comes_in_front_of_what_is_typed(server: Server) -> None:
    gate = halting(server)
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("One")
        person.press("/edit\rmy ideas")
        person.sees("queued: /edit", "> my ideas")
        gate.set()
        person.prompted("  my ideas", draft="first")
        person.press("\x03")
        person.prompted(draft="")
        assert leave(person) == 0


def test_keys_that_come_in_one_piece_with_enter_are_typed_into_the_answer_in_their_order(server: Server) -> None:
    """As they do over a slow line: the editor has read them, and they belong before those that come later."""
    gate = halting(server)
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\rsecond\rthe")
        person.sees("One", "queued: second", "> the")
        person.press(" draft")
        person.sees("> the draft")
        gate.set()
        person.prompted("Next", draft="the draft")
        person.press("\x03")
        assert leave(person) == 0
    assert questions() == ["first", "second"]


@pytest.mark.parametrize("key", [b"\x1b", b"\x03"])
def test_one_key_stops_a_stalled_answer_at_once_and_keeps_everything(server: Server, key: bytes) -> None:
    server.play(stream(chat_answer(["Half an ", "answer"])[:2], Stall()), stream(chat_answer(["Whole"])))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("Half an")
        person.press("a draft")
        person.sees("> a draft")
        person.press(key)
        assert server.exchange(0).closed.wait(DEADLINE)  # nothing but the key has it end
        rows = person.sees("interrupted", "> a draft")
        assert rows.count("Half an") == 1
        person.press(" goes on\r")
        person.sees("Whole")
        assert leave(person) == 0

    assert questions() == ["first", "a draft goes on"]
    assert [line["stop_reason"] for line in records() if line["type"] == "end"] == ["interrupted", "stop"]
    assert server.exchange(1).json["messages"][1] == {"role": "assistant", "content": "Half an "}


def test_an_answer_that_has_not_begun_is_stopped_too(server: Server) -> None:
    server.play(Scenario((Stall(),), head=False))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("waiting")
        exchange = server.exchange(0)
        person.press("\x1b")
        assert exchange.closed.wait(DEADLINE)
        person.prompted("interrupted")
        assert leave(person) == 0


def test_esc_takes_the_queue_back_before_it_stops_anything(server: Server) -> None:
    gate = threading.Event()
    server.play(stream(chat_answer(["One"])[:2], Wait(gate), chat_answer(["One"])[2:]))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("One")
        person.press("second\rthird\r")
        person.sees("queued: second", "queued: third")
        person.press("\x1b")
        person.sees("> second⏎third", gone="queued")
        gate.set()
        rows = person.sees(ANSWERED, "> second", "  third")
        assert "interrupted" not in "\n".join(rows)
        person.press("\x03")
        assert leave(person) == 0
    assert questions() == ["first"]


def test_ctrl_o_unfolds_the_reasoning_while_it_comes_and_folds_it_again(server: Server) -> None:
    gate = threading.Event()
    packets = chat_answer(["The answer."], reasoning=[f"thought {number}\n" for number in range(9)])
    server.play(stream(packets[:10], Wait(gate), packets[10:]))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("thought 8", gone="thought 2")
        person.press("\x0f")
        person.sees("thought 0", "thought 8")
        person.press("\x0f")
        person.sees("thought 8", gone="thought 2")
        person.press("\x0f")
        person.sees("thought 0")
        gate.set()
        rows = person.prompted("thought 0", "The answer.")
        assert leave(person) == 0
    assert [row for row in rows if row.startswith("thought")] == [f"thought {number}" for number in range(9)]


def test_a_paste_that_begins_in_one_piece_with_enter_is_one_paste_and_stops_nothing(server: Server) -> None:
    gate = threading.Event()
    packets = chat_answer(["begins. ", "ends."])
    server.play(stream(packets[:2], Wait(gate), packets[2:]))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("one\r\x1b[200~" + "early\n" * 10)
        person.sees("begins.")
        person.press("late\n" * 10 + "\x1b[201~ and typed")
        person.sees("begins.", "> [pasted 20 lines] and typed")
        gate.set()
        person.prompted("ends.", draft="[pasted 20 lines] and typed")
        person.press("\x15")
        assert leave(person) == 0


def test_colours_in_a_paste_without_brackets_end_nothing() -> None:
    """As `tmux paste-buffer` pastes what a program has printed."""
    coloured = "\x1b[1;31mred\x1b[0m \x1b[38;5;9mtext\x1b[0m"
    with Person("-m", "echo") as person:
        person.prompted()
        person.press(coloured)
        person.prompted(draft="red text")
        person.press("\r")
        idle(person)
        person.press("/rewind\r")
        person.sees("Go back to which question?")
        person.press(coloured + "\x1b")
        person.prompted()
        assert leave(person) == 0
    assert questions() == ["red text"]


def test_a_paste_while_an_answer_streams_does_not_send(server: Server) -> None:
    gate = threading.Event()
    server.play(stream(chat_answer(["One"])[:2], Wait(gate), chat_answer(["One"])[2:]), stream(chat_answer(["Two"])))
    pasted = "\n".join(f"line {number}" for number in range(84))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.sees("One")
        person.press(b"see \x1b[200~a\rb\x1b[201~ and \x1b[200~" + pasted.encode() + b"\x1b[201~")
        person.sees("> see a⏎b and [pasted 84 lines]")
        gate.set()
        person.sees(ANSWERED, "  b and [pasted 84 lines]")
        person.press("\r")
        person.sees("Two")
        assert leave(person) == 0
    assert questions() == ["first", f"see a\nb and {pasted}"]


def test_new_lines_by_every_key_and_a_folded_paste() -> None:
    with Person("-m", "echo") as person:
        person.prompted()
        person.press(b"a\x1b\rb\nc\\\rd")
        person.sees("> a", "  b", "  c", "  d")
        person.press("\r")
        idle(person)
        person.press('"""\rin a\rblock\r"""\r')
        person.sees('"content": "in a')
        person.prompted()
        person.press(b"\x1b[200~x\ry\x1b[201~ z\r")
        person.sees('"content": "x')
        assert leave(person) == 0
    assert questions() == ["a\nb\nc\nd", "in a\nblock", "x\ny z"]


def test_backspace_behind_a_folded_paste_deletes_all_of_it() -> None:
    with Person("-m", "echo") as person:
        person.prompted()
        person.press(b"see \x1b[200~" + b"line\r" * 20 + b"\x1b[201~, please")
        person.prompted(draft="see [pasted 20 lines], please")
        person.press("\x1b[D" * len(", please") + "\x7f")
        person.prompted(draft="see , please")
        person.press("\x7f")
        person.prompted(draft="see, please")
        person.press("\x03")
        assert leave(person) == 0


def test_ctrl_c_clears_the_line_and_leaves_when_pressed_twice_on_an_empty_one() -> None:
    with Person("-m", "echo") as person:
        person.prompted()
        person.press("some words")
        person.sees("> some words")
        person.press("\x03")
        person.prompted(gone="some words")
        person.press("\x03")
        person.sees("Ctrl+C again leaves")
        person.press("\x03")
        assert person.program.end().status == 0


@pytest.mark.parametrize("word", ["exit", "quit", "/quit"])
def test_the_word_alone_leaves_and_is_not_asked(word: str) -> None:
    with Person("-m", "echo") as person:
        person.prompted()
        person.press("exit through the door?\r")
        idle(person)
        person.press(f"{word}\r")
        assert person.program.end().status == 0
    assert questions() == ["exit through the door?"]


def test_history_is_kept_for_the_next_session_and_private() -> None:
    with Person("-m", "echo") as person:
        person.prompted()
        person.press("an old question\r")
        idle(person)
        assert leave(person) == 0
    path = Path(os.environ["XDG_STATE_HOME"], "streamchat", "prompt_history")
    assert path.stat().st_mode & 0o777 == 0o600
    with Person("-m", "echo") as person:
        person.prompted()
        person.press("an")
        person.sees("> an old question")  # the suggestion
        person.press("\x1b[C")
        person.press("?\r")
        person.sees('"an old question?"')
        person.prompted(ANSWERED)
        person.press("\x12old")
        person.sees("an old question")
        person.press("\r\r")
        assert leave(person) == 0


def test_what_was_queued_and_what_the_chat_began_with_are_in_the_history_too(server: Server) -> None:
    gate = threading.Event()
    server.play(
        stream(chat_answer(["One"])[:2], Wait(gate), chat_answer(["One"])[2:]),
        stream(chat_answer(["Two"])),
        stream(chat_answer(["Three"])),
    )
    pasted = "\n".join(f"line {number}" for number in range(20))
    with Person(*at(server), "words") as person:
        person.sees("One")
        person.press("queued\r")
        person.press(b"\x1b[200~" + pasted.encode() + b"\x1b[201~\r")
        person.sees("queued: queued", "queued: [pasted 20 lines]")
        gate.set()
        person.prompted("Three")
        person.press("\x1b[A" * 21)  # to what was pasted, through its lines, and on
        person.prompted(draft="queued")
        person.press("\x1b[A")
        person.prompted(draft="words")
        person.press("\x03")
        assert leave(person) == 0
    kept = Path(os.environ["XDG_STATE_HOME"], "streamchat", "prompt_history").read_text().splitlines()
    assert [json.loads(line) for line in kept] == ["words", "queued", pasted]


def test_an_answer_without_a_word_is_said_to_be_one(server: Server) -> None:
    server.play(stream(chat_answer([])))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("hello\r")
        person.prompted("(the answer is empty)")
        assert leave(person) == 0


def test_an_error_is_said_and_the_chat_goes_on(server: Server) -> None:
    server.play(stream(chat_answer(["Fine"])))
    with Person("-m", "vllm/m", "--base-url", "http://127.0.0.1:9/v1", "--retries", "0") as person:
        person.prompted()
        person.press("hello\r")
        person.prompted("127.0.0.1:9")
        assert leave(person) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("streaming", [False, True])
def test_a_signal_ends_it_and_the_terminal_is_as_it_was(number: signal.Signals, streaming: bool) -> None:
    script = 'before=$(stty -g); "$@"; echo; [ "$before" = "$(stty -g)" ] && echo same'
    shell = ("/bin/sh", "-c", script, "sh")
    with Person(*SLOW, command=(*shell, sys.executable, "-m", "streamchat")) as person:
        person.prompted()
        if streaming:
            person.press("hello\r")
            person.sees("model")
        child = _child(person.program.process.pid)
        os.kill(child, number)
        person.sees("same")
    assert person.written.rfind(b"\x1b[?25l") <= person.written.rfind(b"\x1b[?25h")
    assert person.written.rfind(b"\x1b[?2004h") < person.written.rfind(b"\x1b[?2004l")


@pytest.mark.parametrize("streaming", [False, True])
def test_it_stops_and_comes_back(streaming: bool) -> None:
    script = 'set -m; before=$(stty -g); "$@"; echo stopped; [ "$before" = "$(stty -g)" ] && echo same; fg; echo over'
    shell = ("/bin/bash", "-c", script, "sh")
    with Person(*SLOW, command=(*shell, sys.executable, "-m", "streamchat")) as person:
        person.prompted()
        if streaming:
            person.press("hello\r")
            person.sees("messages")
        else:
            person.press("a draft")
            person.sees("> a draft")
        person.press("\x1a")
        person.sees("stopped", "same")
        if streaming:
            person.prompted(ANSWERED)
            rows = person.scrollback
            assert sum('"delay"' in row for row in rows) == 1
        else:
            person.sees("> a draft")
            person.press("\x03")
        person.press("\x04")
        person.sees("over")


def test_it_stops_and_comes_back_while_one_of_several_is_chosen() -> None:
    script = 'set -m; before=$(stty -g); "$@"; echo stopped; [ "$before" = "$(stty -g)" ] && echo same; fg; echo over'
    with Person("-m", "echo", command=("/bin/bash", "-c", script, "sh", sys.executable, "-m", "streamchat")) as person:
        person.prompted()
        person.press("first\r")
        idle(person)
        person.press("\x1b\x1b")
        person.sees("Go back to which question?")
        person.press("\x1a")
        person.sees("stopped", "same", "Go back to which question?", "> first")
        person.press("\r")
        person.prompted(draft="first")
        person.press("\x03")
        person.prompted()
        person.press("\x04")
        person.sees("over")


def _child(parent: int) -> int:
    (children,) = [Path(f"/proc/{parent}/task/{parent}/children").read_text()]
    return int(children.split()[0])
