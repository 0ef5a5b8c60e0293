"""The prompt before anything of the chat is loaded: it stands there at once, and what is typed is seen.

Keys are kept as the terminal sends them, and the editor gets them first of all: it alone says what they mean. Plain
text is shown here meanwhile, up to the first key that is none.
"""

import codecs
import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TextIO

from streamchat.repl.terminal import PASTE_OFF, PASTE_ON, Terminal, is_dumb
from streamchat.threads import deaf

PROMPT = "> "
_BACKSPACE = ("\x7f", "\x08")
_UNFINISHED = 0.02
"""Seconds in which the rest of a key comes that has begun."""
_TURN = 0.001
"""Seconds after which what is being loaded lets the keys have their turn: a fifth of Python's own."""

_shown: "Early | None" = None


class Early:
    """A prompt on the terminal that `keyboard` is, from `__enter__` until it is taken over or withdrawn."""

    def __init__(self, keyboard: int, out: TextIO) -> None:
        self.terminal = Terminal(keyboard)
        self._keyboard, self._out = keyboard, out
        self._above = "\n"
        """What stands above the prompt: an empty line, until there is a headline for it."""
        self._typed = b""
        self._text, self._plain = "", True
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._width = os.get_terminal_size(out.fileno()).columns or 40
        self._painting = threading.RLock()
        self._reader: threading.Thread | None = None
        self._stopped, self._stopping = os.pipe()

    def __enter__(self) -> Self:
        global _shown  # one process has one terminal
        sys.setswitchinterval(_TURN)
        self.terminal.__enter__()
        self.terminal.paused = self._paused
        self._write(PASTE_ON)
        self._paint()
        self._read()
        _shown = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Whatever has become of it, the terminal is as it was found; a prompt that nobody took is taken away."""
        global _shown
        if _shown is self:
            self.take()
            with contextlib.suppress(OSError):
                self._write(PASTE_OFF)
                self._erase()
        self.terminal.__exit__(kind, error, tb)

    def take(self) -> bytes:
        """The keys so far; from now on they, the line and the terminal are somebody else's."""
        global _shown
        if _shown is not self:
            return b""
        _shown = None
        self._rest()
        self.terminal.paused = None
        while self._is_unfinished() and select.select([self._keyboard], [], [], _UNFINISHED)[0]:
            if not (data := os.read(self._keyboard, 1)):
                break
            self._typed += data
        return self._typed

    def headline(self, line: str) -> None:
        """Put the line above the prompt."""
        with self._painting:
            self._erase()
            self._above = ""
            self._write(line)
            self._paint()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """The prompt is not there for the time of the block, in which something else is written."""
        with self._painting:
            self._erase()
            try:
                yield
            finally:
                self._paint()

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Keys are not read for the time of the block: the terminal is asked something."""
        self._rest()
        try:
            yield
        finally:
            self._read()

    def erase(self) -> None:
        """Take the prompt off the screen for good."""
        self._plain = False
        self._erase()

    # the keys

    def _read(self) -> None:
        self._reader = threading.Thread(target=self._read_on, name="early-keys", daemon=True)
        with deaf():
            self._reader.start()

    def _rest(self) -> None:
        if self._reader is not None:
            os.write(self._stopping, b".")
            self._reader.join()
            self._reader = None
            os.read(self._stopped, 1)

    def _read_on(self) -> None:
        with contextlib.suppress(OSError):  # the terminal has gone, which the next who writes to it will find
            while True:
                ready, _, _ = select.select([self._keyboard, self._stopped], [], [])
                if self._stopped in ready:
                    return
                data = os.read(self._keyboard, 1024)
                if not data:
                    return
                self._typed += data
                self._see(self._decoder.decode(data))

    def _see(self, keys: str) -> None:
        """Show what is plain text; from the first other key on the editor's answer is waited for."""
        with self._painting:
            for key in keys:
                if key in _BACKSPACE:
                    self._text = self._text[:-1]
                elif key.isprintable() and len(self._text) < self._width // 2 - len(PROMPT):  # each may be two wide
                    self._text += key
                else:
                    self._plain = False
                if not self._plain:
                    return
            self._write("\r\x1b[K")
            self._write(PROMPT + self._text)

    def _is_unfinished(self) -> bool:
        """Whether the last key may not be all there: an escape sequence, or a letter of several bytes."""
        return b"\x1b" in self._typed[-6:] or bool(self._decoder.getstate()[0])

    # the screen

    def _paint(self) -> None:
        self._write(f"{self._above}{PROMPT}{self._text}")

    def _erase(self) -> None:
        """From the prompt's own row on: a screen erased from its first row goes to the scrollback of some terminals."""
        self._write("\r\x1b[J" + ("\x1b[A" if self._above else ""))

    def _paused(self, meanwhile: Callable[[], None]) -> None:
        with self.aside():
            meanwhile()

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def shown() -> Early | None:
    """The prompt that stands there and that nobody has taken over."""
    return _shown


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Write something else than the prompt, if there is one."""
    with _shown.aside() if _shown else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def still() -> Iterator[None]:
    """Ask the terminal something while nobody reads keys."""
    with _shown.still() if _shown else contextlib.nullcontext():
        yield


def withdraw() -> None:
    """Take the prompt away, if there is one: something else is to be asked. What was typed is forgotten."""
    if _shown is not None:
        _shown.__exit__(None, None, None)


def possible(out: TextIO) -> bool:
    """Whether a prompt can stand there before the settings are known."""
    return out.isatty() and not is_dumb()
