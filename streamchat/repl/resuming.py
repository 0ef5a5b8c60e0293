"""Which of the kept conversations to go on with: found by typing what was said in it."""

import sys
from collections.abc import Callable
from datetime import datetime
from shutil import get_terminal_size

from streamchat.errors import UsageError
from streamchat.history.index import Entry
from streamchat.history.store import Store
from streamchat.repl.drawing import Drawing
from streamchat.repl.picking import Search, pick
from streamchat.repl.terminal import is_dumb
from streamchat.views.safe import one_line

TITLE = "Go on with:"
_NARROW = 50
"""Columns below which a row begins with what was said: there is no room for much more."""
_LISTED = 50
"""Conversations that are offered at once: who looks for an older one types a word of it."""


def chosen(store: Store, picked: Callable[[str, Search], int | None]) -> Entry | None:
    """The conversation that the person picks; None for none. UsageError where there is none to pick."""
    shown = store.entries(limit=_LISTED)
    if not shown:
        raise UsageError("there is no kept conversation yet")

    def search(text: str) -> list[str]:
        shown[:] = store.entries(_begun(text), limit=_LISTED)
        return [_row(entry) for entry in shown]

    number = picked(TITLE, search)
    return None if number is None else shown[number]


def chosen_at_start(store: Store) -> Entry | None:
    """The same before there is a prompt, on the terminal that the program was started on.

    UsageError without a terminal, or on one on which nothing can be drawn.
    """
    screen = next((stream for stream in (sys.stdout, sys.stderr) if stream is not None and stream.isatty()), None)
    if screen is None or is_dumb() or sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "--resume without a conversation asks which, and there is no terminal to ask on",
            "Name it, as in -r @-1: streamchat history lists them.",
        )
    from prompt_toolkit.input.vt100 import Vt100Input
    from prompt_toolkit.output.vt100 import Vt100_Output

    source, out, drawing = Vt100Input(sys.stdin), Vt100_Output.from_pty(screen), Drawing()
    with drawing.guarded():
        return chosen(store, lambda title, search: pick(title, search, source, out, begun=drawing.begun))


def _begun(text: str) -> str:
    """What is typed, its last word as the beginning of one."""
    return f"{text}*" if text and (text[-1].isalnum() or text[-1] == "_") and text.count('"') % 2 == 0 else text


def _row(entry: Entry) -> str:
    when = datetime.fromisoformat(entry.updated).astimezone().strftime("%Y-%m-%d %H:%M")
    turns = f"{entry.turns} turn{'' if entry.turns == 1 else 's'}"
    said = f"{one_line(entry.title, 60)}  · "
    rest = " · ".join(filter(None, [one_line(entry.model, 30), turns, entry.id[:8]]))
    return said + f"{when} · {rest}" if get_terminal_size().columns < _NARROW else f"{when}  {said}{rest}"
