"""Going on with an answer that was cut: how the model is asked to, and how the two pieces are joined without a seam."""

import re
from collections.abc import Iterator

from streamchat.chat import Message
from streamchat.events import Event, Text

GO_ON = (
    "Your answer was cut off. Continue it exactly where it ends, in the middle of the word if need be:"
    " no introduction, no repetition, no remark about it."
)
_OVERLAP = 200
"""Characters of the beginning that may repeat the end of the cut answer."""
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_CHANCE = 8
"""An overlap up to this length may be chance: the last letters of a word are often the first of the next."""


def begun(text: str) -> tuple[Message, Message]:
    """The messages that ask for the rest of an answer.

    Not a prefilled answer, although that would be the shortest way: the newest models refuse one.
    """
    return Message("assistant", text.rstrip()), Message("user", GO_ON)


def open_block(text: str) -> str:
    """The last block of a Markdown text from its beginning on: what has to be seen again for the rest to make sense."""
    return text[[*_block_starts(text)][-1] :]


def last_blocks(text: str, longest: int) -> str:
    """The last whole blocks of a Markdown text, together at most so long; its last one whatever its length is."""
    starts = [*_block_starts(text)]
    return text[next((start for start in starts if len(text) - start <= longest), starts[-1]) :]


def _block_starts(text: str) -> Iterator[int]:
    at, fence = 0, ""
    yield at
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and line.strip() == mark[1] else fence
        elif mark:
            fence = mark[1]
            yield at
        elif not line.strip():
            yield at + len(line)
        at += len(line)


def unrepeated(before: str, events: Iterator[Event]) -> Iterator[Event]:
    """The events of the rest of an answer, without what it repeats of the end of `before`.

    Text is held back while it may still be a repetition, which for most models is one delta long.
    """
    held = ""
    settled = not before
    for event in events:
        if settled or not isinstance(event, Text):
            if not settled and held and not isinstance(event, Text):
                settled = True
                yield from _rest(before, held)
            yield event
            continue
        held += event.text
        if not _may_repeat(before, held):
            settled = True
            yield from _rest(before, held)
    if not settled:
        yield from _rest(before, held)


def _may_repeat(before: str, held: str) -> bool:
    """Whether more of the rest could still make what is held a repetition."""
    end = before[-_OVERLAP:].rstrip()
    start = held.lstrip()
    return len(start) < _OVERLAP and any(end[at:].startswith(start) for at in range(len(end)))


def _rest(before: str, held: str) -> Iterator[Event]:
    end = before[-_OVERLAP:].rstrip()
    start = held.lstrip()
    overlap = next((size for size in range(min(len(end), len(start)), _CHANCE, -1) if end.endswith(start[:size])), 0)
    text = start[overlap:] if overlap else held
    if text:
        yield Text(text)
