"""What must not reach the disk: the person's `redact` patterns, applied to everything on its way to a file.

A secret may arrive in several deltas. So, when there are patterns, the text of a reply is held until its line is
whole: a pattern sees one line of an answer at a time (a question it sees whole). A crash then costs the line that was
arriving. Without patterns nothing is held.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from streamchat.errors import ConfigError
from streamchat.history.records import EventLine, ReasoningLine, TextLine

MARK = "[redacted]"


def patterns(sources: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """The patterns of the setting `redact`; one that is no regular expression is a ConfigError."""
    try:
        return tuple(re.compile(source) for source in sources)
    except re.error as exc:
        raise ConfigError(
            f"history.redact: {exc.pattern!r} is not a regular expression: {exc.msg}",
            "A literal text needs its special characters escaped by a backslash.",
        ) from exc


def redacted(text: str, redact: Sequence[re.Pattern[str]]) -> str:
    """`text` with everything that matches replaced by a mark."""
    for pattern in redact:
        text = pattern.sub(MARK, text)
    return text


class Sieve:
    """The lines of one reply on their way to the disk."""

    def __init__(self, redact: Sequence[re.Pattern[str]]) -> None:
        self._redact = redact
        self._held: dict[type, TextLine | ReasoningLine] = {}

    def put(self, line: EventLine) -> Iterator[EventLine]:
        """Take a line in, give out what is ready; a held text keeps the time at which it began."""
        if not self._redact or not isinstance(line, TextLine | ReasoningLine):
            yield line
            return
        held = self._held.pop(type(line), None)
        if held is not None:
            line = msgspec.structs.replace(line, text=held.text + line.text, at=held.at)
        ready, newline, rest = line.text.rpartition("\n")
        if newline:
            yield msgspec.structs.replace(line, text=redacted(ready + newline, self._redact))
        if rest:
            self._held[type(line)] = msgspec.structs.replace(line, text=rest)

    def drain(self) -> Iterator[EventLine]:
        """The reply is over: what is still held."""
        for line in self._held.values():
            yield msgspec.structs.replace(line, text=redacted(line.text, self._redact))
        self._held.clear()
