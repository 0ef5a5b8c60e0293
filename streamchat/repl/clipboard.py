"""The clipboard: by the desktop's own tool where there is one, else by the terminal (OSC 52), which works over SSH."""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import TextIO

from streamchat.errors import UsageError

Tool = tuple[str, ...]

_WRITERS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("", ("pbcopy",)),
)
_READERS = (
    ("WAYLAND_DISPLAY", ("wl-paste", "--type", "image/png")),
    ("DISPLAY", ("xclip", "-selection", "clipboard", "-target", "image/png", "-out")),
    ("", ("pngpaste", "-")),
)
_TMUX = (("TMUX", ("tmux", "load-buffer", "-w", "-")),)
"""It passes on no OSC 52 of a program's unless it is told to; what it is given by this it passes on itself."""
_LONGEST = 74_000
"""Bytes that a terminal takes at least, by OSC 52."""
_PATIENCE = 5.0
"""Seconds for a tool: one whose display has gone may wait for ever."""


def copied(text: str, out: TextIO) -> str:
    """Copy; a remark about how, where the person should know it. UsageError where it cannot be done."""
    data = text.encode(errors="replace")
    desktop = () if "SSH_CONNECTION" in os.environ else _WRITERS  # over SSH, the desktop there is not the person's
    if any(_done(tool, data) is not None for tool in _there(desktop)):
        return ""
    if any(_done(tool, data) is not None for tool in _there(_TMUX)):
        return ", by tmux (and by the terminal, if it allows that)"
    if not out.isatty() or os.environ.get("TERM", "") in ("", "dumb", "linux"):
        raise UsageError("there is no clipboard here", "Write it to a file: /save FILE")
    if len(data) > _LONGEST:
        raise UsageError("it is too long for the terminal's clipboard", "Write it to a file: /save FILE")
    out.write(f"\x1b]52;c;{base64.b64encode(data).decode()}\x07")
    out.flush()
    return ", by the terminal (if it allows that)"


def image() -> bytes:
    """The image in the clipboard, as PNG. UsageError where there is none or no tool to ask."""
    tools = list(_there(_READERS))
    if not tools:
        raise UsageError("there is no clipboard to ask here", "It takes wl-paste, xclip or pngpaste. Or: /file PATH")
    found = next(filter(None, map(_done, tools)), None)
    if found is None:
        raise UsageError("there is no image in the clipboard", "Text is pasted as everywhere in the terminal.")
    return found


def _there(tools: tuple[tuple[str, Tool], ...]) -> Iterator[Tool]:
    """Those that are installed, and whose place is known, the best first."""
    for variable, tool in tools:
        if (not variable or os.environ.get(variable)) and shutil.which(tool[0]):
            yield tool


def _done(tool: Tool, data: bytes | None = None) -> bytes | None:
    """What the tool put out when given this; None where it failed.

    One that keeps what it was given stays behind: in a session of its own, where no Ctrl+C and no closing of this
    terminal ends it. It would hold the pipe of its output open, so that writers get none.
    """
    try:
        done = subprocess.run(
            tool,
            input=data or b"",
            stdout=subprocess.PIPE if data is None else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=_PATIENCE,
            start_new_session=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout or b""
