"""Ctrl-C at any instant, from the program's first line on: in the middle of an import, of a request, of the way out."""

import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.program import Program, Result, run
from tests.repl.person import Person
from tests.wire.answers import chat_answer
from tests.wire.scenario import Stall, stream
from tests.wire.server import Server

STRIKE = """\
import os, sys

left, begun = int(os.environ["STRIKE"]), False

def hook(event, arguments):
    global left, begun
    if not begun:
        begun = event == "exec" and arguments[0].co_filename.endswith(os.path.join("streamchat", "__main__.py"))
    elif left:
        left -= 1
        if not left:
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))

sys.addaudithook(hook)
"""
"""Sends a signal when the interpreter has reported so many things (imports, files opened, code run) since the start."""

LAST = 1_000_000
"""More things than an answer of the echo takes: that one is never struck."""


def struck(at: int, number: int, place: Path, *arguments: str) -> Result:
    (place / "sitecustomize.py").write_text(STRIKE)
    return run(*arguments, env={"PYTHONPATH": str(place), "STRIKE": str(at), "SIGNAL": str(int(number))})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("at", [1, 20, 300, 900, 1500, 2100, 2700, 3200, 3500, 3570])
def test_a_signal_at_any_instant_ends_it_silently(at: int, number: signal.Signals, tmp_path: Path) -> None:
    result = struck(at, number, tmp_path, "ask", "-m", "echo", "hello there")

    assert result.status in (-number, 0)
    assert "Traceback" not in result.err and "Exception ignored" not in result.err
    assert not [line for line in result.err.splitlines() if line != "streamchat: interrupted"]
    if result.status == 0:
        assert "hello there" in result.out


def test_the_instants_reach_from_the_first_line_to_the_answer(tmp_path: Path) -> None:
    first, never = (struck(at, signal.SIGINT, tmp_path, "ask", "-m", "echo", "hello") for at in (1, LAST))

    assert (first.status, first.out, first.err) == (-signal.SIGINT, "", "")
    assert (never.status, "hello" in never.out) == (0, True)
    assert os.environ.get("STRIKE") is None


LOST = """
import os, time, weakref
from streamchat.cli.exits import guarded
class Thing: pass
def work():
    thing = Thing()
    watch = weakref.ref(thing, lambda _: (os.kill(os.getpid(), {number}), [None for _ in range(9)]))
    del thing
    time.sleep(20)
guarded(work)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_a_callback_of_the_interpreter_is_not_lost(number: signal.Signals) -> None:
    """Every import runs one, and an exception in it is thrown away."""
    result = run(command=(sys.executable, "-c", LOST.format(number=int(number))), timeout=10)

    assert (result.status, result.err) == (-number, "")


UNHEARD = """
import _thread, threading
from streamchat.cli.asking import agreed
from streamchat.cli.exits import guarded
def strike():
    open({gate!r}).close()
    _thread.interrupt_main()
threading.Thread(target=strike, daemon=True).start()
guarded(lambda: agreed("Well?", otherwise=False))
"""
"""Waits for an answer, and then the interpreter knows of a Ctrl-C that no system call has been interrupted by."""


def test_a_ctrl_c_just_before_an_answer_is_waited_for_is_not_lost(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with Program("-c", UNHEARD.format(gate=str(gate)), command=(sys.executable,), terminal=(80, 24)) as program:
        program.wait_for(b"Well? [y/N] ")
        os.close(os.open(gate, os.O_WRONLY))
        assert program.end().status == -signal.SIGINT


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="shown by /proc")
def test_no_thread_but_the_main_one_takes_a_signal(server: Server) -> None:
    """The system gives it to any that will have it; the main one, which waits for the next token, would not hear of it.

    One that just begins or ends takes it in some of a hundred answers that are interrupted at their first word.
    """
    server.play(stream(chat_answer(["Half an answer"])[:2], Stall()))
    with Person("ask", "-m", "vllm/m", "--base-url", server.v1, "x", chat=False) as person:
        person.sees("Half an answer", " s · ~")
        pid = person.program.process.pid
        masks = {}
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(
                OSError
            ):  # the one that has loaded the view ends about now, and takes no signal then
                masks[int(task.name)] = int(re.findall(r"SigBlk:\s*(\w+)", (task / "status").read_text())[0], 16)
        person.program.signal(signal.SIGTERM)
        assert person.program.end().status == -signal.SIGTERM

    assert masks.pop(pid) == 0
    ours = sum(1 << number - 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP))
    assert masks and [mask & ours for mask in masks.values()] == [ours] * len(masks)
