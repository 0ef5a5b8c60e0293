"""The text inside of blocks: links that may be defined later, paragraphs that are too long to wait for their end."""

import re
from collections.abc import Iterator
from math import inf
from typing import Any

from markdown_it.common.utils import normalizeReference
from markdown_it.rules_core import StateCore, text_join
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from streamchat.views.structure import LONG_LINE, LONG_PARAGRAPH, parser

LOOK_AHEAD = 1500
"""A link may stand before its definition by this many characters, from the end of its block to the definition."""

_STEP = 250  # how far apart the places are where a long paragraph is tried to be parted
_LABEL = re.compile(r"\[(?!!|[ xX]\])((?:[^\[\]\\]|\\.)+)\](?!\()", re.DOTALL)
_CJK = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_PLACE = re.compile(rf"(?<=[^\W_]|[.,;:?\"'%]) (?=[^\W\d_])|(?<=[{_CJK}])(?=[{_CJK}])")
_ANY_PLACE = re.compile(r"(?<=[^\W_])(?=[^\W\d_])| (?=[^\W\d_])")

References = dict[str, dict[str, Any]]


def parse_inline(tokens: list[Token], references: References) -> None:
    """Parse the text of blocks, with the definitions that each is near enough to."""
    state = StateCore("", parser(), {})
    state.tokens = [token for token in tokens if token.type == "inline"]
    for token in state.tokens:
        reach = token.meta.get("end", inf) + LOOK_AHEAD
        known = {label: found for label, found in references.items() if found["at"] < reach} if references else {}
        token.children = []
        for part in _parts(token):
            parser().inline.parse(part, parser(), {"references": known}, token.children)
    text_join(state)


def refers_ahead(token: Token, references: References) -> bool:
    """Whether a text has what could be a link to a definition that is still to come."""
    if "[" not in token.content:
        return False
    return any(normalizeReference(label) not in references for label in _LABEL.findall(token.content))


def parting(content: str, start: int = 0) -> int | None:
    """Where the first part of a long paragraph ends, if that can be said yet.

    Two thousand characters or a little more from its start, where nothing is open: no emphasis, no code, no bracket.
    After eight thousand it ends wherever a word does: what was opened before then stays as it was typed. The answer
    depends on what comes before the place and, in a line that may still become the head of a table, on there being two
    more lines.
    """
    latest = start + 4 * LONG_PARAGRAPH
    for earliest in range(start + LONG_PARAGRAPH, latest, _STEP):
        match = _PLACE.search(content, earliest, latest)
        if match is None:
            break
        if not _is_settled(content, match.start()):
            return None
        if not _leaves_open(content[start : match.start()]):
            return match.end()
    match = _ANY_PLACE.search(content, latest)
    return match.end() if match and _is_settled(content, match.start()) else None


def _is_settled(content: str, place: int) -> bool:
    """Whether a place is in a line that is nothing but a part of its paragraph."""
    column = place - (content.rfind("\n", 0, place) + 1)
    return column >= LONG_LINE or content.count("\n", place) >= 2


def _parts(token: Token) -> Iterator[str]:
    """The text of a block, a long paragraph's part by part as it would be given out while it grows."""
    content, start = token.content, 0
    if token.meta.get("long"):
        while (end := parting(content, start)) is not None:
            yield content[start:end]
            start = end
    yield content[start:]


def _leaves_open(text: str) -> bool:
    """Whether what follows could still change how a text is read."""
    state = StateInline(text, parser(), {}, [])
    parser().inline.tokenize(state)
    for rule in parser().inline.ruler2.getRules(""):
        rule(state)
    if any(mark.open and mark.end < 0 for mark in state.delimiters):
        return True
    if text.count("<kbd>") > text.count("</kbd>"):
        return True
    plain = "".join(token.content for token in state.tokens if token.type == "text")
    if "`" in plain or "](" in plain or re.search("<[a-zA-Z/!?]", plain):
        return True
    return "[" in re.sub(r"\[[^\[\]]*\]", "", plain)
