"""What standard input has to say, by the contract for pipes: never lose a byte of it, never wait for ever.

A terminal, an empty device and a closed stdin say nothing. Without a question, a pipe is the question and is read to
its end. Beside a question it may be an inherited pipe on which nothing will ever come, as in cron or CI: after three
seconds without a byte the program goes on without it and says so; after one byte it reads to the end.
"""

import os
import select
import stat
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable

from streamchat.attachments import fenced
from streamchat.errors import UsageError

PATIENCE = 3.0
"""Seconds to wait for the first byte of a pipe beside a question."""

LONGEST = 200_000_000
"""Bytes that are read of stdin: what no model reads is not waited for until memory is full."""

_PIECE = 1 << 16


def is_piped(descriptor: int = 0) -> bool:
    """Whether stdin is something to read: a pipe, a socket or a file, not a terminal or a device."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return not stat.S_ISCHR(mode)


def read(
    *, beside_question: bool, wanted: bool | None, notice: Callable[[str], None], descriptor: int = 0
) -> str | None:
    """The text on stdin, None where there is none. `wanted` is `--stdin` or `--no-stdin`, None for neither."""
    if wanted is False or not is_piped(descriptor):
        return None
    if beside_question and wanted is None and not _begins(descriptor):
        notice(
            f"nothing came on stdin for {PATIENCE:.0f} s: going on without it"
            " (--stdin waits for its end, --no-stdin ignores it)"
        )
        return None
    return _text(_all(descriptor), notice) or None


def joined(piped: str | None, question: str) -> str:
    """The piped text and the question as one prompt: the text first, fenced, then the instruction."""
    if piped is None or not question:
        return piped or question
    return f"{fenced(piped)}\n\n{question}"


def _begins(descriptor: int) -> bool:
    ready, _, _ = select.select([descriptor], [], [], PATIENCE)
    return bool(ready)


def _all(descriptor: int) -> bytes:
    pieces, size = [], 0
    while piece := os.read(descriptor, _PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > LONGEST:
            raise UsageError(
                f"more than {LONGEST // 1_000_000} MB came on stdin, which no model reads",
                "Pipe a part of it in: ... | head -c 1000000 | streamchat ask ...",
            )
    return b"".join(pieces)


def _text(data: bytes, notice: Callable[[str], None]) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):  # what Windows calls Unicode
        return _unframed(data.decode("utf-16", errors="replace"))
    if b"\0" in data[:_PIECE]:
        raise UsageError("what came on stdin is not text", "Pipe text in; --no-stdin ignores the pipe.")
    try:
        return _unframed(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        notice(
            f"what came on stdin is not UTF-8 at byte {error.start}: what cannot be read is sent as"
            " \N{REPLACEMENT CHARACTER} (iconv translates it)"
        )
        return _unframed(data.decode("utf-8-sig", errors="replace"))


def _unframed(text: str) -> str:
    """Without the empty lines in front and behind; the last line's end may be that of Windows."""
    return text.strip("\r\n")
