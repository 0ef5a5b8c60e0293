"""Whether the terminal's background is dark or light: from COLORFGBG, else by asking the terminal, once in a run.

The question (OSC 11) is followed by one that every terminal answers (DA1), so that the wait ends with the answers and
not with the time allowed, and so that they are all read: nothing of them is left for the shell to find.
"""

import contextlib
import fcntl
import os
import re
import select
import termios
import time
from collections.abc import Iterator
from functools import cache
from typing import Final, Literal

Background = Literal["dark", "light"]

BUDGET: Final = 0.1
"""Seconds that a terminal may take; over a connection, one second."""
_QUESTIONS: Final = b"\x1b]11;?\x1b\\\x1b[c"
_COLOUR: Final = re.compile(
    rb"\x1b\]11;rgba?:([0-9a-f]+)/([0-9a-f]+)/([0-9a-f]+)[^\x07\x1b]*(?:\x07|\x1b\\)", re.IGNORECASE
)
_LAST: Final = re.compile(rb"\x1b\[\?[0-9;]*c")
_MUTE: Final = ("", "dumb", "unknown", "linux", "emacs", "eterm", "eterm-color")


@cache
def background() -> Background:
    """The terminal's background; dark where nobody says."""
    return _by_variable(os.environ.get("COLORFGBG", "")) or _by_asking() or "dark"


def _by_variable(text: str) -> Background | None:
    number = text.rpartition(";")[2]
    if not number.isdecimal():
        return None
    return "light" if int(number) in (7, 15) else "dark"


def _by_asking() -> Background | None:
    if os.environ.get("TERM", "") in _MUTE:
        return None
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.tcgetpgrp(terminal) != os.getpgrp() or _typed_ahead(terminal):
            return None
        with _unseen(terminal):
            return _meaning(_answers(terminal))
    except (OSError, termios.error):
        return None
    finally:
        os.close(terminal)


def _answers(terminal: int) -> bytes:
    """What the terminal answers, up to its answer to the last question; the rest was typed and is put back."""
    far = bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))
    deadline = time.monotonic() + (1.0 if far else BUDGET)
    os.write(terminal, _QUESTIONS)
    answers = b""
    while not _LAST.search(answers):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            break
        answers += os.read(terminal, 4096)
    for byte in _LAST.sub(b"", _COLOUR.sub(b"", answers)):
        with contextlib.suppress(OSError):  # where the system does not allow it any more
            fcntl.ioctl(terminal, termios.TIOCSTI, bytes([byte]))
    return answers


def _meaning(answers: bytes) -> Background | None:
    found = _COLOUR.search(answers)
    if not found:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return "light" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "dark"


@contextlib.contextmanager
def _unseen(terminal: int) -> Iterator[None]:
    """Answers are not echoed meanwhile."""
    before = termios.tcgetattr(terminal)
    mode = termios.tcgetattr(terminal)
    mode[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSANOW, mode)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _typed_ahead(terminal: int) -> bool:
    return bool(select.select([terminal], [], [], 0)[0])
