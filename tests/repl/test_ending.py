"""A signal that ends the program does so at once and leaves the terminal as it was, whenever it comes."""

import os
import signal
import sys
from pathlib import Path

import pytest

from streamchat.paths import files
from tests.repl.person import ANSWERED, Person
from tests.repl.test_chat import at
from tests.wire.answers import chat_answer
from tests.wire.scenario import Stall, stream
from tests.wire.server import Server

SHELL = 'before=$(stty -g); "$@"; echo "status $?"; [ "$before" = "$(stty -g)" ] && echo same'
BEFORE_IT_DRAWS = """
import os, sys
from prompt_toolkit.shortcuts import PromptSession
prompt = PromptSession.prompt
def hit(*args, **how):
    os.kill(os.getpid(), {number})
    return prompt(*args, **how)
PromptSession.prompt = hit
sys.argv[0] = "streamchat"
from streamchat.__main__ import main
main()
"""

ENDING = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])


def person(*command: str, chat: bool = True) -> Person:
    return Person("-m", "echo", chat=chat, command=("/bin/sh", "-c", SHELL, "sh", sys.executable, *command))


def child(someone: Person) -> int:
    shell = someone.program.process.pid
    return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])


def ends(someone: Person, number: int) -> None:
    rows = someone.sees(f"status {128 + number}", "same")
    assert "Traceback" not in "\n".join(rows)
    assert someone.written.rfind(b"\x1b[?25l") <= someone.written.rfind(b"\x1b[?25h")
    assert someone.written.rfind(b"\x1b[?2004h") < someone.written.rfind(b"\x1b[?2004l")


@ENDING
def test_while_the_editor_is_put_together(number: signal.Signals) -> None:
    """The prompt of an earlier moment is on the screen already, and nothing of the editor's listens yet."""
    with person("-c", BEFORE_IT_DRAWS.format(number=int(number))) as someone:
        ends(someone, number)


@ENDING
def test_while_one_of_several_is_to_be_chosen(number: signal.Signals) -> None:
    with person("-m", "streamchat") as someone:
        someone.prompted()
        someone.press("first\r")
        someone.prompted(ANSWERED)
        someone.press("\x1b\x1b")
        someone.sees("Go back to which question?")
        os.kill(child(someone), number)
        ends(someone, number)


@ENDING
def test_while_a_conversation_is_looked_for_at_the_start(number: signal.Signals) -> None:
    with Person("-m", "echo") as before:
        before.prompted()
        before.press("kept\r")
        before.prompted(ANSWERED)
        before.press("\x04")
        before.program.end()
    command = ("/bin/sh", "-c", SHELL, "sh", sys.executable, "-m", "streamchat")
    with Person("--resume", chat=True, command=command) as someone:
        someone.sees("type to search")
        os.kill(child(someone), number)
        someone.sees(f"status {128 + number}", "same")


@pytest.mark.parametrize("words", [("chat",), ("ask", "hello")], ids=["chat", "ask"])
def test_a_window_that_is_closed_in_the_middle_is_its_signal_and_what_came_is_kept(
    server: Server, words: tuple[str, ...]
) -> None:
    server.play(stream(chat_answer(["Half an answer"])[:2], Stall()))
    with Person(*words, *at(server), chat=False, tty=("stdin", "stdout")) as someone:
        if words == ("chat",):
            someone.prompted()
            someone.press("hello\r")
        someone.sees("Half an answer")
        someone.program.close_terminal()
        result = someone.program.end()

    assert (result.status, result.err) == (-signal.SIGHUP, "")
    kept = [path.read_text() for path in files().data.rglob("*.jsonl")]
    assert len(kept) == 1 and "Half an answer" in kept[0]
