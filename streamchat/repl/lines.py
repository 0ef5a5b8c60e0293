"""The prompt where nothing can or should be redrawn: for screen readers and dumb terminals.

The terminal itself edits the lines.
"""

import os
import re
import select
import time
from collections.abc import Callable
from threading import Event
from typing import TextIO

from prompt_toolkit.document import Document

from streamchat.errors import ChatError
from streamchat.repl.entry import broken, number_in
from streamchat.repl.picking import Search
from streamchat.repl.stopping import Stop
from streamchat.repl.terminal import Terminal
from streamchat.threads import readable
from streamchat.views.safe import safe

PROMPT = "> "
HELP = (
    ("Enter", "send; while an answer comes: queue"),
    ("\\ Enter", 'new line; also inside a """ block'),
    ("Esc, Ctrl+C", "while an answer comes: stop it, keep what came and what is typed"),
    ("Esc", "while something is queued: take it back into the line"),
    ("Ctrl+C", "clear the line; twice: leave"),
    ("Ctrl+D, exit", "on an empty line: leave"),
    ("Ctrl+Z", "suspend"),
)
"""Each key with what it does, as /help shows them."""
_KEYS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])?")
"""What the keys send that a line editor would understand: arrows, Esc."""
_END = b"\x04"
"""Ctrl+D, as a key that nobody has taken for the end."""
_FOUND = 9
"""Rows that are listed of what was looked for."""
_AGAIN = 2.0
"""Seconds in which a second Ctrl+C leaves."""
_PASTE = 0.03
"""Seconds in which the next line of a paste is there."""


class Lines:
    """Reads messages line by line. What was typed while an answer came stands in front of what is typed then."""

    keys = HELP

    def __init__(self, terminal: Terminal, stop: Stop, out: TextIO, source: TextIO, *, early: bytes = b"") -> None:
        """`early` was typed before there was a prompt to read it."""
        self._terminal, self._stop, self._out, self._source = terminal, stop, out, source
        self._early = early
        self.cleared: Callable[[], str] = lambda: ""
        """Hears that the line was cleared, and gives a hint about it."""
        self.drawn = Event()
        self.drawn.set()  # there is nothing to be loaded for it

    def read(self, draft: Document) -> str | None:
        """The next message; None at its end, and for Ctrl+C twice in a row.

        What a Ctrl+C clears the terminal keeps to itself: whether anything was typed in between, only the clock tells.
        """
        text, warned = draft.text, -_AGAIN
        prompt = PROMPT + text
        while True:
            try:
                line = self._line(prompt)
            except KeyboardInterrupt:
                if time.monotonic() - warned < _AGAIN:
                    self._write("\n")
                    return None
                self._write("\n" + "".join(f"{hint}\n" for hint in filter(None, [self.cleared()])))
                self._write("Ctrl+C again leaves.\n")
                text, prompt, warned = "", PROMPT, time.monotonic()
                continue
            if line is None:
                return None
            warned = -_AGAIN
            more = broken(text + line)
            if more is None:
                return text + line
            text, prompt = more, ""

    def pick(self, title: str, rows: list[str] | Search) -> int | None:
        """The number of the row that the person chooses, from 0; None for none of them."""
        if isinstance(rows, list):
            number = self._number(rows, f"{title} A number, or nothing to leave it as it is: ")
            return number if isinstance(number, int) else None
        found, words = rows("")[:_FOUND], ""
        while True:
            answer = self._number(found, f"{title} A number, words to look for, or nothing to leave it as it is: ")
            if not isinstance(answer, str):
                return answer
            try:
                found, words = rows(answer)[:_FOUND], answer
            except ChatError as exc:
                self._write(f"{safe(exc.message)}\n")
                rows(words)

    def _number(self, rows: list[str], question: str) -> int | str | None:
        """The number of a row, from 0; None for nothing; else the words that were typed."""
        listed = "\n".join(f"{number}. {row}" for number, row in enumerate(rows, 1))
        self._write(f"{safe(listed)}\n")
        try:
            answer = (self._line(question) or "").strip()
        except KeyboardInterrupt:
            return None
        number = number_in(answer)
        return number - 1 if 0 < number <= len(rows) else answer or None

    def ahead(self) -> str:
        """None: what is in one piece with a line is a paste, and part of the message."""
        return ""

    def earlier(self) -> None:
        """Nothing is recalled where it would not be seen."""

    def echo(self, text: str) -> None:
        """Show a message that was not typed here as if it had been."""
        self._write(f"{PROMPT}{safe(text)}\n")

    def _line(self, prompt: str) -> str | None:
        """A line, or the lines of a paste, by the terminal's own editing; None at the end.

        KeyboardInterrupt for Ctrl+C.
        """
        self._stop.wanted = False
        source = self._source.fileno()
        self._write(prompt)
        early = self._typed_early(source)
        if early.startswith(_END):
            return None
        self._show(early)
        data = _entered(early)
        with self._terminal.as_found():
            slipped_in = bool(select.select([source], [], [], 0)[0])
            while not data.endswith(b"\n") or select.select([source], [], [], _PASTE)[0]:
                self._stop.waiting(lambda: readable(source))
                piece = os.read(source, 65536)
                if slipped_in:
                    self._show(_not_echoed(piece))
                    slipped_in = False
                piece = _entered(piece)
                data += piece
                if not piece:
                    break
        return _KEYS.sub("", data.decode(errors="replace")).rstrip("\n") if data else None

    def _typed_early(self, source: int) -> bytes:
        """What was typed before the terminal edited lines again, and so was not seen yet."""
        early, self._early = self._early, b""
        while select.select([source], [], [], 0)[0] and (piece := os.read(source, 65536)):
            early += piece
        return early

    def _show(self, keys: bytes) -> None:
        self._write(safe(_entered(keys).decode(errors="replace")))

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _entered(keys: bytes) -> bytes:
    """Keys as the terminal's own editing would have handed them over."""
    return keys.replace(b"\r", b"\n").rstrip(_END)


def _not_echoed(piece: bytes) -> bytes:
    """What of the first piece was typed before the terminal edited lines, which is there at once: without an Enter, or
    with one that is a carriage return still. What ends in a line feed the terminal has shown."""
    return piece[: piece.rfind(b"\r") + 1] if b"\n" in piece else piece
