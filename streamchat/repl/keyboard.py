"""The keyboard while an answer streams: a thread that reads keys, for the main one waits for the provider.

The thread is the keyboard's and not the stream's: a signal stops the stream where it blocks (see `stopping`), and a
keyboard can be left at any moment, what it has not read stays in the terminal for the editor.
"""

import codecs
import os
import select
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.typeahead import get_typeahead
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from streamchat.repl.runs import runs
from streamchat.threads import deaf

_ESCAPE = 0.03
"""Seconds after which an escape character that stands alone is the Esc key, and no beginning of another."""
_PASTE = 0.5
"""Seconds of silence after which a paste that has not ended is taken as it is."""

ANSI_SEQUENCES |= dict.fromkeys(("\x1b\r", "\x1b[13;2u", "\x1b[27;2;13~"), Keys.ControlJ)
"""Alt+Enter, and the Shift+Enter of terminals that tell it from Enter, are the key that begins a new line: the prompt
need not wait for what comes behind an Esc to know it."""
_PASTED, _PASTE_END = "\x1b[200~", "\x1b[201~"
_WITH_ALT = {Keys.ControlH: Keys.ControlW, Keys.Left: Keys.ControlLeft, Keys.Right: Keys.ControlRight}
"""What a key with Alt does, by a key that does the same."""
_LETTER_WITH_ALT = {"b": Keys.ControlLeft, "f": Keys.ControlRight, "d": Keys.ControlDelete}
"""The same of a letter, where it is alone with its Esc."""


def chords(pressed: Sequence[KeyPress]) -> Iterator[KeyPress]:
    """The keys of one piece, in which one with Alt comes as Esc and itself.

    Alt+Backspace means what it means at the prompt; with another key that writes nothing it means
    nothing here, and above all it is no Esc. Over a slow line a letter behind Esc may have been typed after it; so only
    three that go by words are letters with Alt, and only alone.
    """
    keys = [*pressed]
    if len(keys) == 2 and keys[0].key == Keys.Escape and keys[1].key in _LETTER_WITH_ALT:
        keys = [KeyPress(_LETTER_WITH_ALT[keys[1].key])]
    while keys:
        press = keys.pop(0)
        after = keys[0].key if press.key == Keys.Escape and keys else None
        if isinstance(after, Keys) and after not in (Keys.Escape, Keys.ControlJ, Keys.BracketedPaste):
            keys.pop(0)
            press = KeyPress(_WITH_ALT.get(after, Keys.Ignore))
        yield press


def without_mouse(keys: KeyBindings) -> None:
    """Let nothing come of a mouse, for which no terminal is asked: colours in a paste without brackets are taken for
    one by the editor's library, which then fails on their numbers."""

    @keys.add(Keys.Vt100MouseEvent, eager=True)
    def nothing(_: KeyPressEvent) -> None:
        pass


def unread(source: Vt100Input) -> str:
    """The keys that were read from there and that nobody has seen, as the terminal sent them; they are no longer there.

    A paste of which only the beginning has come is one of them: its rest would be keys, and its end an Esc.
    """
    keys = "".join(
        f"{_PASTED}{press.data}{_PASTE_END}" if press.key == Keys.BracketedPaste else press.data
        for press in get_typeahead(source)
    )
    parser = source.vt100_parser
    if parser._in_bracketed_paste:
        keys += _PASTED + parser._paste_buffer
        parser.reset()
    return keys


class Keyboard:
    """Gives every key to `key`, in a thread of its own, from `__enter__` to `__exit__`; those of `ahead` come first."""

    def __init__(self, descriptor: int, key: Callable[[KeyPress], None], *, ahead: str = "") -> None:
        self._descriptor = descriptor
        self._key = key
        self._ahead = ahead
        self._pressed: list[KeyPress] = []
        self._parser = Vt100Parser(self._pressed.append)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unfinished = False
        self._thread = threading.Thread(target=self._read_on, name="keyboard", daemon=True)
        self._stopped, self._stopping = os.pipe()

    def __enter__(self) -> Self:
        with deaf():
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        os.write(self._stopping, b".")
        self._thread.join()
        os.close(self._stopped)
        os.close(self._stopping)

    def _read_on(self) -> None:
        self._feed(self._ahead)
        while True:
            ready, _, _ = select.select(
                [self._descriptor, self._stopped], [], [], _ESCAPE if self._unfinished else None
            )
            if self._stopped in ready:
                break
            if not self._take(ready):
                return
        while self._unfinished or self._in_paste():
            wait = _PASTE if self._in_paste() else _ESCAPE
            ready, _, _ = select.select([self._descriptor], [], [], wait)
            if not self._take(ready) or not ready:
                break
        if self._in_paste():
            self._parser.feed(_PASTE_END)
            self._give()

    def _take(self, ready: list[int]) -> bool:
        """Read what is there, or find that an escape character was a key; False when the terminal has gone."""
        if not ready:
            self._parser.flush()
            self._unfinished = False
            self._give()
            return True
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            return False
        self._feed(self._decoder.decode(data))
        return bool(data)

    def _feed(self, text: str) -> None:
        self._parser.feed(text)
        self._unfinished = "\x1b" in text[-16:]
        self._give()

    def _give(self) -> None:
        pressed, self._pressed[:] = self._pressed.copy(), ()
        for press in chords([*runs(pressed)]):
            self._key(press)

    def _in_paste(self) -> bool:
        return self._parser._in_bracketed_paste
