"""Ten turns in a real tmux, whose scrollback is its own: everything is there once, in order, and nothing else."""

import sys
import threading
from pathlib import Path

import pytest

from tests.repl.test_chat import questions
from tests.repl.window import Window, needs_tmux
from tests.wire.answers import chat_answer
from tests.wire.scenario import Wait, stream
from tests.wire.server import Server

POINTS = 5


def begins(number: int) -> str:
    return f"Answer {number} begins."


def ends(number: int) -> str:
    return f"Answer {number} ends."


def points(number: int) -> list[str]:
    return [f"point {number}.{point}" for point in range(POINTS)]


class Talk:
    """Questions by keys and the answers to them, on a window of that size."""

    def __init__(self, window: Window, server: Server) -> None:
        self.window, self._server = window, server

    def will_answer(self, number: int, gate: threading.Event | None = None) -> None:
        """A paragraph, a list in deltas that cut its words, a paragraph; the gate is behind the first one."""
        body = "\n".join(f"- {point}" for point in points(number)) + f"\n\n{ends(number)}"
        packets = chat_answer([f"{begins(number)}\n\n", *(body[at : at + 9] for at in range(0, len(body), 9))])
        self._server.play(stream(packets) if gate is None else stream(packets[:2], Wait(gate), packets[2:]))

    def ask(self, number: int, question: str = "") -> None:
        self.will_answer(number)
        self.window.type(question or f"Question {number}", "Enter")
        self.window.prompted(ends(number))


@needs_tmux
@pytest.mark.parametrize(
    ("size", "others"),
    [((80, 24), ((60, 20), (100, 30))), ((40, 15), ((34, 18), (60, 20))), ((20, 12), ((24, 14), (40, 12)))],
)
def test_ten_turns_leave_everything_once_and_in_order(
    size: tuple[int, int], others: tuple[tuple[int, int], ...], server: Server, tmp_path: Path
) -> None:
    """A queue, a stop, resizes in the middle of an answer and of an edit, a rewind and another model among them."""
    gates = threading.Event(), threading.Event()
    line = f"{sys.executable} -m streamchat chat --base-url {server.v1} --retries 0 -m vllm/m"
    with Window(tmp_path / "tmux", *size, line) as window:
        talk = Talk(window, server)
        window.prompted()
        talk.ask(1)
        talk.ask(2)

        talk.will_answer(3, gates[0])
        talk.will_answer(4)
        window.type("Question 3", "Enter")
        window.sees(begins(3))
        window.type("Question 4", "Enter")  # the queue
        window.sees("queued: Question 4")
        window.type("Question 6")
        window.sees("> Question 6")
        gates[0].set()
        window.prompted(ends(4), draft="Question 6")
        window.type("", "C-u")

        talk.will_answer(5, gates[1])
        window.type("Question 5", "Enter")
        window.sees(begins(5))
        window.resize(*others[0])  # in the middle of the answer
        window.type("Question")
        window.sees("> Question", "m")
        window.type("", "Escape")  # the stop
        window.prompted("interrupted", draft="Question")
        window.resize(*others[1])  # in the middle of the edit
        talk.ask(6, " 6")
        window.resize(*size)
        talk.ask(7)

        window.type("", "Escape", "Escape")  # the rewind
        window.sees("Go back to which")
        window.type("", "Enter")
        window.prompted(draft="Question 7")
        talk.ask(8, " again")
        window.type("/model vllm/other", "Enter")
        window.prompted("asking vllm")
        talk.ask(9)
        talk.ask(10)
        text = window.text()
        window.type("", "C-d")

    rows = [row.strip(" •-") for row in text.split("\n")]
    whole = [number for number in range(1, 11) if number != 5]
    said = [begins(5), *(each for number in whole for each in (begins(number), *points(number), ends(number)))]
    questions = [f"> Question {number}" for number in (*range(1, 8), "7 again", 9, 10)]
    assert [row for row in rows if row.startswith("> Q")] == questions, text
    assert [row for row in rows if row in said] == sorted(said, key=_place), text
    assert not [row for row in rows if row.startswith(("queued", "Go back"))], text
    models = [exchange.json["model"] for exchange in server.exchanges if exchange.method == "POST"]
    assert models == ["m"] * 8 + ["other"] * 2


@needs_tmux
def test_an_empty_window_holds_one_prompt_and_its_scrollback_none(tmp_path: Path) -> None:
    """Tmux keeps what is erased from the first row on, where the early prompt stands then."""
    with Window(tmp_path / "tmux", 80, 24, f"{sys.executable} -m streamchat chat -m echo") as window:
        text = window.prompted("/help")

    assert [row for row in text.split("\n") if row.startswith(">")] == [">"], text


def _place(said: str) -> tuple[float, int]:
    """Where among all that is said this belongs: begin, points, end of each answer."""
    words = said.split()
    return float(words[1]) if words[0] == "point" else float(words[1]) + 0.9 * (words[2] == "ends."), words[2:] == []


@needs_tmux
@pytest.mark.parametrize(
    ("letter", "seen"),
    [
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d"),
        ("\U0001f1e9\U0001f1ea", "DE"),
        ("\u2764\ufe0f", "\u2764"),
    ],
)
def test_what_stands_around_an_emoji_of_several_parts_is_edited_where_the_cursor_is(
    letter: str, seen: str, tmp_path: Path
) -> None:
    """It was drawn over the prompt: the library takes a family for three emoji, and the terminal for one."""
    line = f"{sys.executable} -m streamchat chat -m echo"
    with Window(tmp_path / "tmux", 80, 24, line) as window:
        window.prompted()
        window.type(f"one {letter} two")
        window.prompted(draft=f"one {seen} two")
        window.type("", *["Left"] * 5)
        window.points_at(f"{seen} two")
        window.type("a")
        window.prompted(draft=f"one a{seen} two")
        window.type("", "Right")
        window.type("b")
        window.prompted(draft=f"one a{seen}b two")
        window.type("", "Enter")
        window.prompted("first token")
    assert questions() == [f"one a{letter}b two"]
