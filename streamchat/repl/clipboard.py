"""The clipboard: by the desktop's own tool where there is one, else by the terminal (OSC 52), which works over SSH."""

import base64
import os
import shutil
import subprocess
from typing import TextIO

from streamchat.errors import UsageError

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
_LONGEST = 74_000
"""Bytes that a terminal takes at least, by OSC 52."""


def copied(text: str, out: TextIO) -> str:
    """Copy; a remark about how, where the person should know it. UsageError where it cannot be done."""
    data = text.encode(errors="replace")
    tool = None if "SSH_CONNECTION" in os.environ else _first(_WRITERS)
    if tool is not None:
        done = subprocess.run(tool, input=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            return ""
    if not out.isatty() or os.environ.get("TERM", "") in ("", "dumb", "linux"):
        raise UsageError("there is no clipboard here", "Write it to a file: /save FILE")
    if len(data) > _LONGEST:
        raise UsageError("it is too long for the terminal's clipboard", "Write it to a file: /save FILE")
    out.write(f"\x1b]52;c;{base64.b64encode(data).decode()}\x07")
    out.flush()
    return ", by the terminal (if it allows that)"


def image() -> bytes:
    """The image in the clipboard, as PNG. UsageError where there is none or no tool to ask."""
    tool = _first(_READERS)
    if tool is None:
        raise UsageError("there is no clipboard to ask here", "It takes wl-paste, xclip or pngpaste. Or: /file PATH")
    done = subprocess.run(tool, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10)
    if done.returncode or not done.stdout:
        raise UsageError("there is no image in the clipboard")
    return done.stdout


def _first(tools: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[str, ...] | None:
    fitting = (tool for variable, tool in tools if not variable or variable in os.environ)
    return next((tool for tool in fitting if shutil.which(tool[0])), None)
