"""The prompt where nothing is redrawn, on a real terminal: every key is seen once, whenever it is pressed."""

import _thread
import contextlib
import fcntl
import io
import os
import pty
import select
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from prompt_toolkit.document import Document

from streamchat.repl.lines import Lines
from streamchat.repl.stopping import Result, Stop
from streamchat.repl.terminal import Terminal
from streamchat.threads import readable


class Overtaken(Terminal):
    """A terminal at which something is pressed in the last moment before it edits lines by itself."""

    press: Callable[[], None]

    @contextmanager
    def as_found(self) -> Iterator[None]:
        self.press()
        with super().as_found():
            yield


class Waiting(Stop):
    """Presses keys when there is nothing left to be read."""

    def __init__(self, slave: int, press: Callable[[], None]) -> None:
        super().__init__()
        self._slave, self._press = slave, press

    def waiting(self, work: Callable[[], Result]) -> Result:
        if not select.select([self._slave], [], [], 0)[0]:
            self._press()
        return super().waiting(work)


@pytest.mark.parametrize("cut", range(7))
def test_a_line_is_read_and_seen_once_whichever_of_its_keys_come_before_the_terminal_edits(cut: int) -> None:
    assert read("hello\r"[:cut], "hello\r"[cut:]) == ("hello", "> hello\r\n")


def test_a_paste_that_comes_before_the_terminal_edits_is_one_message_and_seen_once() -> None:
    assert read("two\rlines\r", "") == ("two\nlines", "> two\r\nlines\r\n")


def test_a_control_d_that_comes_before_the_terminal_edits_is_the_end() -> None:
    assert read("\x04", "") == (None, "> ")


class Unheard(Stop):
    """While something is waited for, the interpreter notes a Ctrl+C that interrupts no system call: one that came just
    before the call does neither."""

    def waiting(self, work: Callable[[], Result]) -> Result:
        threading.Thread(target=self._strike, daemon=True).start()
        return super().waiting(work)

    def _strike(self) -> None:
        while sys._current_frames()[threading.main_thread().ident or 0].f_code is not readable.__code__:
            pass
        _thread.interrupt_main()


def test_a_ctrl_c_just_before_a_line_is_waited_for_is_not_lost() -> None:
    message, shown = typed(lambda master, slave: Terminal(slave), lambda master, slave: Unheard())
    assert message is None and "Ctrl+C again leaves" in shown


def read(before: str, after: str) -> tuple[str | None, str]:
    """What was read, and what stands on the terminal then."""

    def terminal(master: int, slave: int) -> Terminal:
        made = Overtaken(slave)
        made.press = lambda: press(master, slave, before)
        return made

    return typed(terminal, lambda master, slave: Waiting(slave, lambda: press(master, slave, after)))


def typed(terminal: Callable[[int, int], Terminal], stopping: Callable[[int, int], Stop]) -> tuple[str | None, str]:
    """The same, on that terminal; both are made from its descriptors."""
    master, slave = pty.openpty()
    with contextlib.ExitStack() as closing:
        closing.callback(os.close, master)
        out = closing.enter_context(open(os.dup(slave), "w"))
        source = closing.enter_context(open(slave))
        with terminal(master, slave) as quiet, stopping(master, slave) as stop:
            message = Lines(quiet, stop, out, source).read(Document())
        return message, seen(master)


def press(master: int, slave: int, keys: str) -> None:
    """The keys, when the terminal has taken them; while it edits lines it tells so of whole ones only."""
    there = _waiting(slave)
    os.write(master, keys.encode())
    lines = bool(termios.tcgetattr(slave)[3] & termios.ICANON)
    while keys and (not lines or keys.endswith("\r")) and _waiting(slave) < there + len(keys):
        pass


def seen(master: int) -> str:
    os.set_blocking(master, False)
    shown = io.BytesIO()
    with contextlib.suppress(BlockingIOError):
        while True:
            shown.write(os.read(master, 4096))
    return shown.getvalue().decode()


def _waiting(slave: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, b"\0" * 4))[0])
