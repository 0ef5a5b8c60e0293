"""The terminal while `ask` answers on it: nothing typed is echoed into the answer, and Ctrl+Z leaves a clean screen."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from streamchat.views.base import Redrawn


@contextmanager
def foreground(out: TextIO, view: object) -> Iterator[None]:
    """Keep the terminal that `out` is quiet for the time of the block, if this process has it; what is typed waits."""
    if not out.isatty():
        yield
        return
    from streamchat.repl.terminal import Terminal, in_front

    if not in_front(out.fileno()):
        yield
        return
    with Terminal(out.fileno(), keys=False) as terminal:
        terminal.paused = view.pause if isinstance(view, Redrawn) else None
        yield
