"""A window of a real tmux, which keeps a scrollback of its own: keys go in, screen and scrollback come out as text."""

import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

DEADLINE = 30.0

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


class Window:
    """A command in the only window of a tmux server of its own; use it in a `with`.

    A second client, in control mode, is told of everything that the command writes: nobody sleeps until it has.
    """

    def __init__(self, socket: Path, columns: int, rows: int, command: str) -> None:
        self.call = ("tmux", "-S", str(socket), "-f", "/dev/null")
        self.run("new-session", "-d", "-x", str(columns), "-y", str(rows), command)
        self.run("set-option", "-g", "window-size", "manual")
        control = [*self.call, "-C", "attach"]
        self._told = subprocess.Popen(control, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        subprocess.run([*self.call, "kill-server"], capture_output=True, check=False)
        self._told.wait(DEADLINE)
        for pipe in (self._told.stdin, self._told.stdout):
            if pipe is not None:
                pipe.close()

    def run(self, *args: str) -> str:
        """A command of tmux's, and what it printed."""
        done = subprocess.run([*self.call, *args], capture_output=True, text=True, check=True, timeout=DEADLINE)
        return done.stdout

    def type(self, text: str, *keys: str) -> None:
        """A text, and then keys by their names."""
        if text:
            self.run("send-keys", "-l", text)
        if keys:
            self.run("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """To this size, of which tmux tells the program up to a quarter of a second later: wait for that too."""
        self.run("resize-window", "-x", str(columns), "-y", str(rows))
        with open(self.run("display-message", "-p", "#{pane_tty}").strip(), "rb") as terminal:
            self._until(lambda: os.get_terminal_size(terminal.fileno()) == (columns, rows), f"{columns} x {rows}")

    def text(self, *, scrollback: bool = True) -> str:
        """The screen, with everything that has left it at the top."""
        return self.run("capture-pane", "-p", *(["-S", "-"] if scrollback else []))

    def sees(self, *texts: str, gone: str = "\0") -> str:
        """Wait until all of this is there, and `gone` is not on the screen."""
        return self._until(
            lambda: all(text in self.text() for text in texts) and gone not in self.text(scrollback=False), repr(texts)
        )

    def points_at(self, letters: str) -> None:
        """Wait until the cursor stands on the first of these letters, or behind the last of the row where they are "".

        tmux breaks its rows at once and tells the program later: what is written meanwhile goes astray.
        """

        def stands() -> bool:
            x, y = map(int, self.run("display-message", "-p", "#{cursor_x} #{cursor_y}").split())
            rest = self.text(scrollback=False).split("\n")[y][x:].rstrip()
            return rest.startswith(letters) if letters else not rest

        self._until(stands, f"the cursor on {letters!r}")

    def prompted(self, *texts: str, draft: str = "") -> str:
        """Wait until the editor waits for a message, with this draft in it, and all of this is there."""

        def waits() -> bool:
            *rows, state = self.text(scrollback=False).rstrip().split("\n")
            return state != ">" and next(filter(None, map(str.rstrip, reversed(rows))), "") == f"> {draft}".rstrip()

        return self._until(
            lambda: all(text in self.text() for text in texts) and waits(), f"the prompt with {draft!r} and {texts!r}"
        )

    def _until(self, wanted: Callable[[], bool], words: str) -> str:
        end = time.monotonic() + DEADLINE
        assert self._told.stdout is not None
        while time.monotonic() < end:
            if wanted():
                return self.text()
            if select.select([self._told.stdout], [], [], 0.05)[0]:
                os.read(self._told.stdout.fileno(), 1 << 16)
        raise AssertionError(f"there never was {words}:\n{self.text()}")
