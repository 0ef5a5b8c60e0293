"""An answer on the screen: its view, the keyboard beside it, and the terminal's modes for both."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TextIO

from streamchat.errors import ChatError, NetworkError
from streamchat.repl.keyboard import Keyboard
from streamchat.repl.terminal import PASTE_OFF, PASTE_ON, Terminal, is_dumb
from streamchat.repl.typeahead import TypeAhead
from streamchat.views.base import Redrawn, View
from streamchat.views.choose import Look, choose


@contextlib.contextmanager
def answering(
    look: Look,
    out: TextIO,
    terminal: Terminal,
    typing: TypeAhead,
    *,
    ahead: str,
    title: str,
    note: str | None,
    tell: Callable[[str], None],
) -> Iterator[View]:
    """The view for one answer, with the keyboard going into `typing` while it streams, the keys `ahead` first."""
    view = choose(look, out, title=title, note=note, below=typing.lines, tell=tell)
    typing.changed = getattr(view, "refresh", lambda: None)
    typing.say = getattr(view, "aside", lambda _: None)
    typing.unfold = getattr(view, "unfold", lambda: None)
    shown = _Shown(out, view)
    terminal.paused = shown.paused
    shown.write(PASTE_ON)
    try:
        with Keyboard(terminal.descriptor, typing.key, ahead=ahead):
            yield view
    finally:
        terminal.paused = None
        shown.write(PASTE_OFF)


def ways_on(failure: ChatError) -> str:
    """What can be done at the prompt after a failure: nothing is asked again by itself once some of it was shown."""
    if failure.reply is not None and failure.reply.text:
        return "/continue goes on with what came, /retry asks again."
    return "/retry asks again." if failure.transient or isinstance(failure, NetworkError) else ""


class _Shown:
    """What is on the screen, for a terminal that stops this process."""

    def __init__(self, out: TextIO, view: View) -> None:
        self._out, self._view = out, view

    def paused(self, stop: Callable[[], None]) -> None:
        def stopped() -> None:
            self.write(PASTE_OFF)
            stop()
            self.write(PASTE_ON)

        if isinstance(self._view, Redrawn):
            self._view.pause(stopped)
        else:
            stopped()

    def write(self, text: str) -> None:
        if self._out.isatty() and not is_dumb():
            with contextlib.suppress(OSError):
                self._out.write(text)
                self._out.flush()
