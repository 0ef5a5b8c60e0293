"""The person's terminal while a chat runs: it echoes nothing by itself, and every way out leaves it as it was found.

Between two prompts keys wait unseen until somebody reads them. So nothing typed is ever written into an answer by the
terminal's own echo, and nothing typed is lost when the editor takes over.
"""

import contextlib
import os
import signal
import termios
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self

PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"

_IFLAG, _LFLAG, _CC = 0, 3, 6


def is_dumb() -> bool:
    """Whether the terminal says that it understands no escape sequences."""
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def in_front(descriptor: int) -> bool:
    """Whether this process is in the foreground of that terminal: who is not is stopped if it changes the modes."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


Paused = Callable[[Callable[[], None]], None]
"""Takes off the screen what will be drawn again, calls what it is given, which returns in the foreground, and draws."""


class Terminal:
    """The terminal behind a descriptor. Use it in a `with`; `paused` is that of whoever draws on it just now.

    Without `keys` nobody reads them here: they are not echoed either, and wait for whoever reads next.
    """

    def __init__(self, descriptor: int, *, keys: bool = True) -> None:
        self.descriptor = descriptor
        self.keys = keys
        self.paused: Paused | None = None
        self._found: list[Any] = []
        self._handler: Any = None

    def __enter__(self) -> Self:
        self._found = termios.tcgetattr(self.descriptor)
        self._handler = signal.signal(signal.SIGTSTP, self._on_stop)
        self.quiet()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        signal.signal(signal.SIGTSTP, self._handler)
        self._set(self._found)

    def quiet(self) -> None:
        """Keys come at once and are not echoed; Ctrl+C and Ctrl+Z stay signals, and cost no typed key."""
        mode = termios.tcgetattr(self.descriptor)
        mode[_LFLAG] &= ~termios.ECHO
        if self.keys:
            self._read_keys(mode)
        self._set(mode)

    def _read_keys(self, mode: list[Any]) -> None:
        mode[_IFLAG] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)
        mode[_LFLAG] &= ~(termios.ICANON | termios.IEXTEN)
        mode[_LFLAG] |= termios.ISIG | termios.NOFLSH
        mode[_CC] = list(self._found[_CC])
        mode[_CC][termios.VQUIT] = bytes([os.fpathconf(self.descriptor, "PC_VDISABLE") & 0xFF])
        mode[_CC][termios.VMIN], mode[_CC][termios.VTIME] = 1, 0

    @contextlib.contextmanager
    def as_found(self) -> Iterator[None]:
        """Its own line editing, echo and all, for the time of the block."""
        mode = termios.tcgetattr(self.descriptor)
        self._set(self._found)
        try:
            yield
        finally:
            if self.keys or in_front(self.descriptor):
                self._set(mode)

    def stop(self) -> None:
        """Stop this process, as Ctrl+Z does; returns when it is in the foreground again."""
        with self.as_found():
            os.kill(os.getpid(), signal.SIGSTOP)  # a SIGTSTP of one's own is dropped in an orphaned process group

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        if self.paused is not None:
            self.paused(self.stop)
        else:
            self.stop()

    def _set(self, mode: list[Any]) -> None:
        with contextlib.suppress(termios.error):  # the terminal has gone: there is nothing left to put in order
            termios.tcsetattr(self.descriptor, termios.TCSANOW, mode)
