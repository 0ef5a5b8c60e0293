"""Hostile text made safe to show: one character in, one character out, no state, no parsing of sequences.

What introduces an escape sequence is replaced by a visible mark and the rest stays as the text that it is. (Removing
whole sequences swallows what follows an unfinished one and has to hold text back while one is split over deltas.)

| character | shown as |
| --- | --- |
| ESC and the other C0 controls, lone CR, DEL; not newline and tab | its control picture, U+2400 and up |
| C1 controls (NEL among them), line and paragraph separator | U+FFFD |
| bidi embeddings, overrides, isolates | U+FFFD |
| zero-width space, word joiner, BOM, invisible operators, tag characters, runs of variation selectors | U+FFFD |
| lone surrogates | U+FFFD |
| LRM, RLM, ALM, ZWJ, ZWNJ, one variation selector after a base, tags in flags, ideographic variants | as they are |
"""

import re
from collections.abc import Iterator

_REPLACEMENT = "\ufffd"
_HOSTILE = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)"  # a flag of a region: kept
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
    "|[\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
    "|(?<![^\\s\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f]"  # no base, or a second one
    "|(?<![\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
_SUSPECT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
"""Whatever may be hostile: nearly all text has none of it, which is found out three times as fast as what is."""


_UNDECIDED = re.compile("(?:\r|[\ud800-\udbff]|\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{0,6})\\Z")
"""What the next piece of a growing text may make something else of: half a line end, character or flag."""


def safe(text: str) -> str:
    """The text with everything replaced that a terminal would act on, or that hides or reorders what it says."""
    if text.isprintable() and text.isascii():
        return text
    text = text.replace("\r\n", "\n")
    return _HOSTILE.sub(_mark, text) if _SUSPECT.search(text) else text


def told_apart(text: str) -> Iterator[tuple[str, bool]]:
    """The safe text in pieces, each safe by itself, and whether it is the mark of what was replaced."""
    text = text.replace("\r\n", "\n")
    done = 0
    for match in _HOSTILE.finditer(text) if _SUSPECT.search(text) else ():
        if match.group(1):
            continue
        yield from _kept(text[done : match.start()])
        yield _mark(match), True
        done = match.end()
    yield from _kept(text[done:])


def _kept(piece: str) -> Iterator[tuple[str, bool]]:
    """A piece of text that is safe, but perhaps for a first character that stood on one that was replaced."""
    if piece and safe(piece[0]) != piece[0]:
        yield safe(piece[0]), True
        piece = piece[1:]
    if piece:
        yield piece, False


class Growing:
    """Growing text made safe: the pieces together are what the whole would be."""

    def __init__(self) -> None:
        self._before = ""  # the last character, for what stands on it
        self._held = ""

    def feed(self, text: str) -> str:
        """Take more text in; what can be said of it."""
        text = self._held + text
        match = _UNDECIDED.search(text, max(0, len(text) - 8))
        end = match.start() if match else len(text)
        self._held = text[end:]
        return self._safe(text[:end])

    def close(self) -> str:
        """Nothing more comes: the rest."""
        held, self._held = self._held, ""
        return self._safe(held)

    def _safe(self, text: str) -> str:
        text = joined_surrogates(text)
        shown = safe(self._before + text)[len(self._before) :]
        self._before = text[-1:] or self._before
        return shown


def one_line(text: str, limit: int = 500) -> str:
    """The text made safe on one line, for errors and names: what somebody else wrote is never a page."""
    line = safe(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def joined_surrogates(text: str) -> str:
    """The text with surrogate pairs joined to the characters that they stand for, and lone halves replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _mark(match: re.Match[str]) -> str:
    found = match.group()
    if match.group(1):
        return found
    if found == "\x7f":
        return "\u2421"
    return chr(0x2400 + ord(found)) if found < " " else _REPLACEMENT
