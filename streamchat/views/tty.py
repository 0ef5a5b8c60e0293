"""What a terminal is that rows can be redrawn on; without Rich."""

import os
from typing import TextIO

ERASE_DOWN = "\x1b[K\x1b7\x1b[B\x1b[J\x1b8"
"""From the row below on, and the cursor's own row apart: what is erased from the first row of the screen on goes to the
scrollback of some terminals."""


def moves_cursor(out: TextIO) -> bool:
    """Whether rows can be redrawn there: a terminal, and one that can move its cursor."""
    return out.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def size_of(out: TextIO) -> os.terminal_size:
    """What the terminal says itself, whatever the environment says; zeros where it does not."""
    try:
        return os.get_terminal_size(out.fileno())
    except (OSError, ValueError):
        return os.terminal_size((0, 0))


def reflows() -> bool:
    """Whether this terminal, when it changes its width, breaks the lines on it anew, as nearly all of them do."""
    term = os.environ.get("TERM", "")
    if "TMUX" in os.environ:
        return True
    return "XTERM_VERSION" not in os.environ and not term.startswith(("linux", "screen", "vt"))
