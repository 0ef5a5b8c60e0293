"""A bell or a desktop notification when an answer that took long is there."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Literal, TextIO

from streamchat.views.safe import one_line

Kind = Literal["off", "bell", "desktop"]


@contextlib.contextmanager
def announced(kind: Kind, after: float, text: str) -> Iterator[None]:
    """Tell the person that this has ended, well or with an error, if it took `after` seconds or longer.

    Not when the person ended it: who pressed Ctrl-C is there.
    """
    begun = time.monotonic()
    try:
        yield
    except Exception as exc:
        if not isinstance(exc, BrokenPipeError):
            _tell(kind, f"{text}: failed", begun, after)
        raise
    _tell(kind, text, begun, after)


def signal(kind: Kind, text: str) -> str:
    """What tells a terminal so: BEL, or the sequence for a notification that it knows.

    Terminals that do not know the sequence ignore it. tmux passes it on where `allow-passthrough` is on.
    """
    if kind == "bell":
        return "\a"
    words = one_line(text, 120).replace(";", ",")
    knows_777 = "VTE_VERSION" in os.environ or os.environ.get("TERM", "").startswith(("rxvt", "foot"))
    sequence = f"\x1b]777;notify;streamchat;{words}\x1b\\" if knows_777 else f"\x1b]9;{words}\x1b\\"
    if "TMUX" in os.environ:
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence


def _tell(kind: Kind, text: str, begun: float, after: float) -> None:
    out = _terminal()
    if kind == "off" or out is None or time.monotonic() - begun < after:
        return
    if kind == "desktop" and os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        kind = "bell"
    with contextlib.suppress(OSError, ValueError):
        out.write(signal(kind, text))
        out.flush()


def _terminal() -> TextIO | None:
    """Where the person looks, if that is a terminal."""
    return next((out for out in (sys.stderr, sys.stdout) if out is not None and out.isatty()), None)
