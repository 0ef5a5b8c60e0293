"""Terminals that play what is written to them: pyte, with its history, and tmux."""

import contextlib
import io
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pyte


class Screen(pyte.HistoryScreen):
    """A screen with its scrollback, through which nobody pages: for that, pyte wraps every call on it."""

    __getattribute__ = object.__getattribute__


class Emulator(io.StringIO):
    """A terminal to write to that remembers all of its lines; what one write changes is seen at once or not yet."""

    encoding = "utf-8"  # type: ignore[assignment]

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.screen = Screen(width, height, history=1_000_000)
        self.screen.set_mode(pyte.modes.LNM)  # what a terminal's driver does with newlines
        self._stream = pyte.Stream(self.screen)
        self._writing = threading.Lock()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        with self._writing:
            self.writes.append(text)
            self._stream.feed(text)
        return len(text)

    def isatty(self) -> bool:
        return True

    @property
    def cells(self) -> list[list[Any]]:
        """Every line from the first on, each cell with its style, without blanks at the ends."""
        screen = self.screen
        with self._writing:
            rows = [*screen.history.top, *(screen.buffer[number] for number in range(screen.lines))]
            lines = [[row[column] for column in range(screen.columns)] for row in rows]
        for line in lines:
            while line and _blank(line[-1]):
                line.pop()
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def lines(self) -> list[str]:
        return ["".join(cell.data for cell in line).rstrip() for line in self.cells]

    @property
    def visible(self) -> list[str]:
        with self._writing:
            return [line.rstrip() for line in self.screen.display]


def _blank(cell: pyte.screens.Char) -> bool:
    """Whether a cell looks as if nothing had been written to it."""
    plain = cell.data == " " and cell.fg == cell.bg == "default"
    return plain and not (cell.bold or cell.underscore or cell.reverse)


class Tmux:
    """A real terminal multiplexer on a socket of its own, with one program in it."""

    def __init__(self, width: int, height: int, command: str) -> None:
        self._name = f"streamchat-{uuid.uuid4().hex}"
        self._do("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), "cat")
        self._do("set-option", "-g", "history-limit", "100000")
        self._do("set-option", "-g", "window-size", "manual")
        self._do("set-option", "-g", "remain-on-exit", "on")
        self.resize(width, height)
        self._do("respawn-pane", "-k", command)

    def resize(self, width: int, height: int) -> None:
        self._do("resize-window", "-x", str(width), "-y", str(height))

    def keys(self, *keys: str) -> None:
        self._do("send-keys", *keys)

    def lines(self, *, joined: bool = False) -> list[str]:
        """Everything from the first line on."""
        shown = self._do("capture-pane", "-p", "-S", "-", *(["-J"] if joined else []))
        return [line.rstrip() for line in shown.rstrip().split("\n")]

    def wait(self, wanted: Callable[[list[str]], bool], seconds: float = 20) -> list[str]:
        """The lines, as soon as they are as wanted."""
        end = time.monotonic() + seconds
        while not wanted(lines := self.lines()):
            if time.monotonic() > end:
                raise AssertionError("\n".join(["not in time:", *lines]))
            time.sleep(0.02)
        return lines

    def _do(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._name, *arguments]
        return subprocess.run(command, capture_output=True, check=True, encoding="utf-8", timeout=20).stdout

    def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._do("kill-server")


@contextlib.contextmanager
def tmux(width: int, height: int, command: str) -> Iterator[Tmux]:
    made = Tmux(width, height, command)
    try:
        yield made
    finally:
        made.close()
