"""What was typed at the prompt in this session and those before: private, bounded, one JSON string per line."""

import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import History

from streamchat.errors import UsageError
from streamchat.history import files
from streamchat.history.redaction import redacted

_KEPT = 2000
"""Entries that are kept; the file is cut to them when it has grown to twice as many."""


class Past(History):
    """The prompt's history. Without a path it is remembered for this session only; a disk that fails costs nothing."""

    def __init__(
        self, path: Path | None, *, whole: Callable[[str], str], redact: Sequence[re.Pattern[str]] = ()
    ) -> None:
        super().__init__()
        self._path, self._whole, self._redact = path, whole, redact

    def append_string(self, string: str) -> None:
        super().append_string(self._whole(string))

    def load_history_strings(self) -> Iterable[str]:
        entries = self._entries()
        if len(entries) > 2 * _KEPT:
            self._cut(entries[-_KEPT:])
        return reversed(entries[-_KEPT:])

    def store_string(self, string: str) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(self._path, flags, 0o600), "wb") as file:
                file.write(_lines([redacted(string, self._redact)]))
        except OSError:
            return

    def _cut(self, entries: Sequence[str]) -> None:
        """Keep only these; where the disk has no room for them, everything stays."""
        if self._path is not None and not self._path.is_symlink():
            with suppress(UsageError):
                files.write(self._path, _lines(entries), overwrite=True)

    def _entries(self) -> list[str]:
        try:
            lines = self._path.read_bytes().splitlines() if self._path else []
        except OSError:
            return []
        return [entry for entry in map(_entry, lines) if entry]


def _lines(entries: Sequence[str]) -> bytes:
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def _entry(line: bytes) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    return entry if isinstance(entry, str) else ""
