"""Where the source of an open block can be cut: what is before goes, what is kept parses as it did."""

import re
from typing import NamedTuple

from markdown_it.token import Token

from streamchat.views.inlines import parting
from streamchat.views.structure import copies, end_of, first_line, split_lines

TABLE_ROWS = 100
"""The rows that settle how wide the columns of a table are."""

_QUOTE = re.compile(r" {0,3}> ?")
_MARKER = re.compile(r"( {0,3}(?:[-+*]|\d{1,9}[.)]))( {1,4}(?=[^ ])| ?)")


class Part(NamedTuple):
    """The beginning of a leaf that is done, and the source that is kept for the rest."""

    tokens: list[Token]
    source: str


def opening(lines: list[str], containers: list[Token]) -> tuple[str, str] | None:
    """Lines that open containers again, items as markers with nothing behind them, and how lines in them begin.

    None where it cannot be done: an item whose text begins further to the right than a lone marker can make it.
    """
    opened = before = ""
    for depth, container in enumerate(containers):
        if container.type == "blockquote_open":
            before += "> "
        elif container.type == "list_item_open":
            width = _width(lines, containers[: depth + 1])
            marker = _marker(container.markup, width) if width else None
            if width is None or marker is None:
                return None
            opened += f"{before}{marker}\n"
            before += " " * width
    return opened, before


def _marker(sign: str, width: int) -> str | None:
    """A marker alone on its line, after which the text of its item begins in a column; one blank counts for itself."""
    if sign in ".)":
        return "1" * (width - 2) + sign if 3 <= width <= 11 else None
    return " " * (width - 2) + sign if 2 <= width <= 5 else None


def _width(lines: list[str], containers: list[Token]) -> int | None:
    """How many columns an item takes from its text, as its own line has it."""
    own = first_line(containers[-1])
    line = lines[own].rstrip("\n")
    if "\t" in line:
        if any(container.type == "blockquote_open" for container in containers):
            return None
        line = line.expandtabs(4)
    position = 0
    for depth, container in enumerate(containers[:-1]):
        if container.type == "blockquote_open":
            match = _QUOTE.match(line, position)
            width = len(match.group()) if match else None
        elif container.type == "list_item_open":
            width = _width(lines, containers[: depth + 1])
        else:
            continue
        if width is None:
            return None
        position += width
    match = _MARKER.match(line, position)
    return len(match.group(1)) + (len(match.group(2)) or 1) if match else None


def part(tokens: list[Token], path: list[Token], leaf: Token, source: str) -> Part | None:
    """The beginning of an open leaf that nothing to come can change; the leaf is all that the source has."""
    lines = split_lines(source)
    start = first_line(leaf)
    match leaf.type:
        case "fence":
            return _of_lines(leaf, lines, start + 1, leaf.content.count("\n"))
        case "html_block":
            begin = start + bool(leaf.meta["continued"])
            return _of_lines(leaf, lines, begin, len(split_lines(leaf.content.rstrip())) - 1)
        case "code_block":
            return _of_indented(leaf, path, lines)
        case "table_open":
            return _of_table(tokens, leaf, lines)
        case "paragraph_open":
            return _of_paragraph(tokens, path, leaf, lines)
    return None


def _of_lines(leaf: Token, lines: list[str], begin: int, count: int) -> Part | None:
    """Lines that are done; the one that opened the block stays, and in HTML the last, which may be what ends it."""
    opener = first_line(leaf) + 1
    if count < 1 or begin + count <= opener:
        return None
    return Part([_shortened(leaf, count)], "".join([*lines[:opener], *lines[begin + count :]]))


def _of_indented(leaf: Token, path: list[Token], lines: list[str]) -> Part | None:
    """All lines but the last: the one that comes next says whether the block goes on."""
    count = len(split_lines(leaf.content.rstrip())) - 1
    opened = opening(lines, path) if count > 0 else None
    if opened is None:
        return None
    return Part([_shortened(leaf, count)], "".join([opened[0], *lines[first_line(leaf) + count :]]))


def _of_table(tokens: list[Token], leaf: Token, lines: list[str]) -> Part | None:
    """Rows, as soon as there are enough of them to know the widths; the head stays."""
    index, end = next(i for i, token in enumerate(tokens) if token is leaf), end_of(leaf, tokens)
    rows = sum(token.type == "tr_open" for token in tokens[index:end]) - 1
    if rows < (1 if leaf.meta["continued"] else TABLE_ROWS):
        return None
    head = first_line(leaf) + 2
    done = copies(tokens[index:end])
    done[0].meta = {**leaf.meta, "more": True}
    return Part(done, "".join([*lines[:head], *lines[head + rows :]]))


def _of_paragraph(tokens: list[Token], path: list[Token], leaf: Token, lines: list[str]) -> Part | None:
    """The beginning of a long paragraph."""
    index = next(i for i, token in enumerate(tokens) if token is leaf)
    text = tokens[index + 1].content
    end = parting(text)
    opened = opening(lines, path) if end else None
    if end is None or opened is None:
        return None
    number, column = text.count("\n", 0, end), end - (text.rfind("\n", 0, end) + 1)
    last = first_line(leaf) + number
    line, shown = lines[last].rstrip().replace("\t", " "), text.split("\n")[number].rstrip()
    if not line.endswith(shown):
        return None
    rest = lines[last][len(line) - len(shown) + column :]
    done = copies(tokens[index : index + 3])
    done[0].meta = {**leaf.meta, "more": True}
    done[1].content = text[:end]
    return Part(done, "".join([*opened, rest, *lines[last + 1 :]]))


def _shortened(leaf: Token, count: int) -> Token:
    (token,) = copies([leaf])
    token.content = "".join(split_lines(leaf.content)[:count])
    token.meta = {**leaf.meta, "more": True}
    return token
