"""Growing Markdown in, finished blocks and an open tail out: pure, and free of anything to do with a terminal.

When text is appended, only the last leaf of a Markdown document (paragraph, heading, code, table...) can still change:
CommonMark decides about structure line by line and never reopens what a later line has closed. So the text is parsed
by markdown-it, as Rich does; every leaf that is followed by the start of another one on a finished line is done, and
the source kept for the next parse is that of the last leaf alone, behind the markers of the containers it stands in
(`1. ` or `> `), so that it parses again as it did. Each such cut is checked by parsing what was kept: where that does
not give the same tokens, nothing is cut and more is held.

Tokens carry what a part cannot know by itself in `meta`: an item's `number` and its list's `numbering`, and `continued`
on whatever began in an earlier part.
"""

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import inf
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.rules_core import StateCore, text_join
from markdown_it.token import Token

from streamchat.views.safe import joined_surrogates

LOOK_AHEAD = 1500
"""A link may stand before its definition by this many characters (from the end of its block to the definition)."""

_CONTAINERS = frozenset(("bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open"))
_LEAVES = frozenset(("paragraph_open", "heading_open", "table_open", "fence", "code_block", "html_block", "hr"))
_MARKED = frozenset(("list_item_open", "blockquote_open"))
_LABEL = re.compile(r"\[(?!!|[ xX]\])((?:[^\[\]\\]|\\.)+)\](?!\()", re.DOTALL)
_QUOTE = re.compile(r" {0,3}> ?")
_MARKER = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?: {1,4}(?=[^ ])| ?)")

_References = dict[str, dict[str, Any]]


class Numbering:
    """The layout of one ordered list, shared by its parts: the column of numbers is as wide as its last one needs."""

    __slots__ = ("before", "closed", "seen", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.before = 0  # items that are in earlier parts
        self.seen = 0  # items in all
        self.closed = False

    def digits(self, number: int) -> int:
        """How many digits the column has at an item; Rich counts one more than the last number, up to 99."""
        return max(len(str(min(self.start + self.seen, 99))), len(str(number)))

    @property
    def settled(self) -> bool:
        """Whether items to come cannot change the column any more."""
        return self.closed or self.start + self.seen >= 10


@dataclass(slots=True)
class Block:
    """One top-level block, or the next part of one that is too long to wait for."""

    tokens: list[Token]
    continued: bool = False
    """It goes on with the block before: nothing comes between them."""
    final: bool = False
    """It cannot change any more."""


@cache
def parser() -> MarkdownIt:
    """Rich's configuration of markdown-it."""
    return MarkdownIt().enable("strikethrough").enable("table")


class Blocks:
    """Takes text in pieces of any size and gives each block once, as soon as nothing to come can change it."""

    def __init__(self) -> None:
        self._source = ""  # of the open leaf, behind the markers of its containers
        self._incoming: list[str] = []
        self._unfinished = ""  # half a line end or half a character
        self._looked_at = 0  # how much of the source was searched for an end
        self._received = 0
        self._references: _References = {}
        self._path: list[Token] = []  # the containers that are open at the start of the source
        self._ready: list[Block] = []  # done, but waiting for a list's numbers or a link's definition
        self._closed = False

    def feed(self, text: str) -> None:
        """Take more text in."""
        if self._unfinished:
            text = self._unfinished + text
            self._unfinished = ""
        if text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            text, self._unfinished = text[:-1], text[-1]
        self._incoming.append(text)

    def close(self) -> None:
        """Nothing more comes: everything is final."""
        self._incoming.append(self._unfinished)
        self._unfinished = ""
        self._advance()
        tokens, references = self._parse(self._source)
        self._references = references
        self._finish(tokens, [], self._source)
        self._keep("")
        self._closed = True

    def take(self) -> list[Block]:
        """The blocks that became final since the last time."""
        self._advance()
        count = 0
        while count < len(self._ready) and self._released(self._ready[count]):
            count += 1
        taken, self._ready = self._ready[:count], self._ready[count:]
        for block in taken:
            _parse_inline(block.tokens, self._references)
            block.final = True
        return taken

    def tail(self) -> list[Block]:
        """What may still change, as it would be if the text ended here."""
        path = self._path
        self._path = _preview(path)
        tokens, references = self._parse(self._source)
        self._path = path
        blocks = [Block(_copies(block.tokens), continued=block.continued) for block in self._ready]
        blocks += _split(tokens)
        for block in blocks:
            _parse_inline(block.tokens, references)
        return blocks

    def _advance(self) -> None:
        """Give up whatever the finished lines leave no doubt about."""
        text = "".join(self._incoming)
        self._incoming.clear()
        text = joined_surrogates(text).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        self._source += text
        self._received += len(text)
        finished = self._source.rfind("\n", self._looked_at) + 1
        if not finished:
            return
        self._looked_at = finished
        tokens, self._references = self._parse(self._source[:finished])
        path, leaf = _last_leaf(tokens)
        if leaf is None:
            return
        if not path and _is_closed(leaf, self._source.count("\n")):
            lines = _lines(self._source)
            self._finish(tokens, [], self._source)
            self._keep("".join(lines[leaf.map[1] if leaf.map else 0 :]))
        else:
            self._cut(tokens, path, leaf)

    def _cut(self, tokens: list[Token], path: list[Token], leaf: Token) -> None:
        """Keep the last leaf alone, if what is kept parses as it did."""
        line = _line(leaf)
        started = [token for token in path if _line(token) < line]
        first = path[len(started)] if len(path) > len(started) else leaf
        index = next(i for i, token in enumerate(tokens) if token is first)
        if not any(token.type in _LEAVES for token in tokens[:index]):
            return
        lines = _lines(self._source)
        resumed = _resumed(lines, line, [token for token in started if token.type in _MARKED])
        if resumed is None:
            return
        source = "".join([resumed, *lines[line + 1 :]])
        kept = parser().block.parse(source[: source.rfind("\n") + 1], parser(), {}, [])
        if not _same([*started, *tokens[index:]], kept):
            return
        for token in (*started, first):
            if "number" in token.meta:
                token.meta["numbering"].before = token.meta["number"] - token.meta["numbering"].start
        self._finish(tokens[:index] + [_closing(token) for token in reversed(started)], started, self._source)
        self._keep(source)

    def _finish(self, tokens: list[Token], path: list[Token], source: str) -> None:
        """Queue what is done; the lists that are not in the path are over."""
        kept = {id(token.meta["numbering"]) for token in path if "numbering" in token.meta}
        for numbering in _numberings(tokens):
            numbering.closed = id(numbering) not in kept
        self._place(tokens, source)
        self._ready += _split(tokens)
        self._path = path

    def _place(self, tokens: list[Token], source: str) -> None:
        """Note where each inline token ends in the whole text: as far as that it may refer ahead."""
        ends = list(accumulate(map(len, _lines(source)), initial=self._received - len(source)))
        end = ends[0]
        for token in tokens:
            if token.map is not None:
                end = ends[min(token.map[1], len(ends) - 1)]
            if token.type == "inline":
                token.meta["end"] = end

    def _keep(self, source: str) -> None:
        self._source = source
        self._looked_at = source.rfind("\n") + 1

    def _parse(self, source: str) -> tuple[list[Token], "_References"]:
        """The block structure of the source, going on with the path, and the definitions known with it."""
        environment = {"references": dict(self._references)}
        tokens: list[Token] = []
        parser().block.parse(source, parser(), environment, tokens)
        references: _References = environment["references"]
        if len(references) > len(self._references):
            lines = _lines(source)
            for reference in references.values():
                if "at" not in reference:
                    reference["at"] = self._received - sum(map(len, lines[reference["map"][0] :]))
        _number(tokens, self._path)
        return tokens, references

    def _released(self, block: Block) -> bool:
        if self._closed:
            return True
        if not all(numbering.settled for numbering in _numberings(block.tokens)):
            return False
        done = self._received - len(self._source)
        return not any(
            token.meta["end"] + LOOK_AHEAD > done and _refers_ahead(token.content, self._references)
            for token in block.tokens
            if token.type == "inline"
        )


def _number(tokens: list[Token], path: list[Token]) -> None:
    """Give lists and items their numbers; the first containers go on with those of the path."""
    stack: list[Token] = []
    for index, token in enumerate(tokens):
        before = path[index].meta if index < len(path) else None
        if token.type in _CONTAINERS:
            token.meta = {"continued": before is not None}
            if token.type == "ordered_list_open":
                numbering = before["numbering"] if before else Numbering(int(token.attrs.get("start", 1)))
                numbering.seen = numbering.before
                token.meta["numbering"] = numbering
            elif token.type == "list_item_open" and "numbering" in stack[-1].meta:
                numbering = stack[-1].meta["numbering"]
                token.meta |= {"numbering": numbering, "number": numbering.start + numbering.seen}
                numbering.seen += 1
            stack.append(token)
        elif stack and token.type == _close_type(stack[-1]):
            stack.pop()


def _preview(path: list[Token]) -> list[Token]:
    """The path with numberings of its own, so that what is only shown settles nothing."""
    copies = _copies(path)
    numberings = {id(numbering): copy(numbering) for numbering in _numberings(path)}
    for token in copies:
        if "numbering" in token.meta:
            token.meta = {**token.meta, "numbering": numberings[id(token.meta["numbering"])]}
    return copies


def _split(tokens: list[Token]) -> list[Block]:
    """The tokens as top-level blocks."""
    blocks = []
    start = level = 0
    for index, token in enumerate(tokens):
        level += token.nesting
        if level == 0:
            blocks.append(Block(tokens[start : index + 1], continued=bool(tokens[start].meta.get("continued"))))
            start = index + 1
    return blocks


def _parse_inline(tokens: list[Token], references: "_References") -> None:
    state = StateCore("", parser(), {})
    state.tokens = [token for token in tokens if token.type == "inline"]
    for token in state.tokens:
        reach = token.meta.get("end", inf) + LOOK_AHEAD
        known = {label: found for label, found in references.items() if found["at"] < reach} if references else {}
        token.children = []
        parser().inline.parse(token.content, parser(), {"references": known}, token.children)
    text_join(state)


def _refers_ahead(text: str, references: "_References") -> bool:
    """Whether a text has what could be a link to a definition that is still to come."""
    return "[" in text and any(normalizeReference(label) not in references for label in _LABEL.findall(text))


def _last_leaf(tokens: list[Token]) -> tuple[list[Token], Token | None]:
    """The last leaf and the containers that it stands in."""
    leaf = next((token for token in reversed(tokens) if token.type in _LEAVES), None)
    path: list[Token] = []
    for token in tokens:
        if token is leaf:
            break
        if token.type in _CONTAINERS:
            path.append(token)
        elif path and token.type == _close_type(path[-1]):
            path.pop()
    return path, leaf


def _is_closed(leaf: Token, lines: int) -> bool:
    """Whether a leaf outside of any container is over, although nothing has come after it yet."""
    assert leaf.map is not None
    if leaf.type == "fence":
        return leaf.map[1] - leaf.map[0] > leaf.content.count("\n") + 1
    if leaf.type in ("paragraph_open", "table_open"):
        return leaf.map[1] < lines
    return leaf.type in ("hr", "heading_open")


def _resumed(lines: list[str], number: int, containers: list[Token]) -> str | None:
    """A line with the markers of its containers in the place of their indentation; None if that cannot be done."""
    line = lines[number]
    position = 0
    markers = ""
    for depth, container in enumerate(containers):
        if container.type == "blockquote_open":
            match = _QUOTE.match(line, position)
            if match is None:
                return None
            markers += match.group()
            position = match.end()
        else:
            marker = _marker(lines, containers, depth)
            if marker is None or line[position : position + len(marker)].strip(" "):
                return None
            markers += marker
            position += len(marker)
    return None if "\t" in markers else markers + line[position:]


def _marker(lines: list[str], containers: list[Token], depth: int) -> str | None:
    """What an item's own line has in the columns that belong to the item."""
    line = lines[_line(containers[depth])]
    position = 0
    for outer in range(depth + 1):
        container = containers[outer]
        if container.type == "blockquote_open":
            match = _QUOTE.match(line, position)
        elif _line(container) == _line(containers[depth]):
            match = _MARKER.match(line, position)
        else:
            marker = _marker(lines, containers, outer)
            match = re.compile(f" {{{len(marker)}}}").match(line, position) if marker else None
        if match is None:
            return None
        if outer == depth:
            found = match.group()
            return found if found.endswith(" ") else found + " "
        position = match.end()
    return None


def _same(old: list[Token], new: list[Token] | None) -> bool:
    """Whether two lists of tokens say the same, apart from where they stand."""
    return [_gist(token) for token in old] == [_gist(token) for token in new or []]


def _gist(token: Token) -> tuple[str, str, str, int]:
    return token.type, token.content, token.markup, token.nesting


def _closing(token: Token) -> Token:
    return Token(_close_type(token), token.tag, -1, level=token.level, markup=token.markup, block=True)


def _close_type(token: Token) -> str:
    return token.type.removesuffix("_open") + "_close"


def _line(token: Token) -> int:
    assert token.map is not None
    return token.map[0]


def _numberings(tokens: list[Token]) -> Iterator[Numbering]:
    return (token.meta["numbering"] for token in tokens if "numbering" in token.meta)


def _lines(text: str) -> list[str]:
    """The lines with their ends; only a newline ends one, as in the parser."""
    return re.findall("[^\n]*\n|[^\n]+", text)


def _copies(tokens: list[Token]) -> list[Token]:
    return [copy(token) for token in tokens]
