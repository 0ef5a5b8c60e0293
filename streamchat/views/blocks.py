"""Growing Markdown in, finished blocks and an open tail out: pure, and free of anything to do with a terminal.

When text is appended, only the last leaf of a Markdown document (paragraph, heading, code, table...) can still change:
CommonMark decides about structure line by line and never reopens what a later line has closed. So the text is parsed
by markdown-it, as Rich does; every leaf that is followed by the start of another one on a finished line is done, and
the source kept for the next parse is that of the last leaf alone, below the markers of the items it stands in, so that
it parses again as it did. Each such cut is checked by parsing what was kept: where that does not give the same tokens,
nothing is cut and more is held. A leaf that is long is given out in parts (`cuts.py`).

What is held, and for how long:

- an open paragraph, up to 2,000 characters: dashes could make it a heading, a letter could close what is open;
- the first items of an ordered list, until one has two digits or 2,000 characters have come: they settle the column;
- the first 100 rows of a table: they settle the widths;
- a block with a `[label]` that is not defined: until 1,500 characters have come after it;
- everything else that a finished line has ended goes at once: lines of code, items, rows, quotes.

Tokens carry what a part cannot know by itself in `meta`: an item's `number` and its list's `numbering`, `continued` on
whatever began in an earlier part, `more` on a leaf that goes on in the next.
"""

from dataclasses import dataclass
from itertools import accumulate

from markdown_it.token import Token

from streamchat.views.cuts import opening, part
from streamchat.views.guess import closed, guessed
from streamchat.views.inlines import LOOK_AHEAD, References, parse_inline, refers_ahead
from streamchat.views.safe import joined_surrogates
from streamchat.views.structure import (
    LONG_LINE,
    LONG_PARAGRAPH,
    advance_numbers,
    annotate,
    closings,
    copies,
    end_of,
    first_line,
    last_leaf,
    leaves_before,
    numberings,
    parsed,
    preview,
    same,
    split_lines,
)


@dataclass(slots=True, eq=False)
class Block:
    """One top-level block, or the next part of one that is too long to wait for."""

    tokens: list[Token]
    continued: bool = False
    """It goes on with the block before: nothing comes between them."""
    final: bool = False
    """It cannot change any more."""


class Blocks:
    """Takes text in pieces of any size and gives each block once, as soon as nothing to come can change it."""

    def __init__(self) -> None:
        self._source = ""  # of the open leaf, behind the markers of its containers
        self._incoming: list[str] = []
        self._unfinished = ""  # half a line end or half a character
        self._looked_at = 0  # how much of the source was searched for an end
        self._received = 0
        self._references: References = {}
        self._path: list[
            Token
        ] = []  # what the source goes on with: containers, and a leaf if a part of it is given out
        self._item: int | None = None  # the line of the source that is the next item of a list in the path
        self._ready: list[Block] = []  # done, but waiting for a list's numbers or a link's definition
        self._waiting: dict[int, tuple[Block, Block]] = {}  # the same by identity, and as they would be shown now
        self._layout = "", 0, 0  # what that depends on: definitions, and items that count
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
        tokens, self._references = self._parse(self._source)
        self._finish(tokens, [], "")
        self._closed = True

    def take(self) -> list[Block]:
        """The blocks that became final since the last time."""
        self._advance()
        count = 0
        while count < len(self._ready) and self._released(self._ready[count]):
            count += 1
        taken, self._ready = self._ready[:count], self._ready[count:]
        for block in taken:
            parse_inline(block.tokens, self._references)
            block.final = True
        return taken

    def tail(self, longest: int | None = None) -> tuple[list[Block], list[Block]]:
        """What may still change: blocks that are done but wait, and those that would be if the text ended here.

        Of the first, each is the same object as before while nothing about it has changed. Of the last one, where a
        line of it does not end, no more than `longest` characters are looked at.
        """
        self._take_in()
        path, self._path = self._path, preview(self._path)
        tokens, references = self._parse(guessed(self._source[:longest]))
        self._path = path
        if not self._closed:
            _close_text(tokens)
        opened = _split(tokens)
        for block in opened:
            parse_inline(block.tokens, references)
        return self._wait(references), opened

    def _wait(self, references: References) -> list[Block]:
        """What is done but waits, as it would be shown now; each the same as before while nothing about it changed."""
        growing = str([references[label] for label in references.keys() - self._references.keys()])
        layout = growing, len(references), sum(n.counting for block in self._ready for n in numberings(block.tokens))
        known = self._waiting if layout == self._layout else {}
        self._layout = layout
        self._waiting = {id(block): known.get(id(block)) or _shown(block, references) for block in self._ready}
        return [shown for _, shown in self._waiting.values()]

    def _take_in(self) -> None:
        text = joined_surrogates("".join(self._incoming))
        self._incoming.clear()
        self._source += text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        self._received += len(text)

    def _advance(self) -> None:
        """Give up whatever the finished lines leave no doubt about."""
        self._take_in()
        while finished := self._finished():
            self._looked_at = finished
            tokens, self._references = self._parse(self._source[:finished])
            path, leaf = last_leaf(tokens)
            if leaf is None:
                return
            whole = self._source[finished - 1] == "\n"
            if whole and not path and _is_closed(leaf, self._source.count("\n")):
                rest = split_lines(self._source)[leaf.map[1] if leaf.map else 0 :]
                self._finish(tokens[: end_of(leaf, tokens)], [], "".join(rest))
                self._item = None
            elif leaves_before(leaf, tokens):
                if not self._cut(tokens, path, leaf, len(self._source) - finished):
                    return
            elif not (whole or leaf.type == "paragraph_open") or not self._part(tokens, path, leaf):
                return

    def _finished(self) -> int:
        """How much of the source can be looked at: finished lines, or a line that is very long."""
        finished = self._source.rfind("\n", self._looked_at) + 1
        size = len(self._source)
        step = LONG_LINE // 4 if self._looked_at < 8 * LONG_PARAGRAPH else self._looked_at  # no paragraph is so long
        if not finished and size > LONG_PARAGRAPH and size - self._looked_at > step:
            return size
        return finished

    def _cut(self, tokens: list[Token], path: list[Token], leaf: Token, unread: int) -> bool:
        """Keep the last leaf alone, with the containers that begin with it, if that parses as it did."""
        done = leaves_before(leaf, tokens)
        shown = [token for token in path if any(token is other for other in tokens[:done])]
        first = path[len(shown)] if len(path) > len(shown) else leaf
        lines = split_lines(self._source)
        opened = opening(lines, shown)
        if opened is None:
            return False
        index = next(i for i, token in enumerate(tokens) if token is first)
        source = opened[0] + "".join(lines[first_line(first) :])
        kept = source[: len(source) - unread]
        item = opened[0].count("\n") if first.type == "list_item_open" else None
        if not same([*shown, *tokens[index:]], annotate(parsed(kept, item=item), [], self._places(kept))):
            return False
        advance_numbers([*shown, first])
        self._finish(tokens[:index] + closings(shown), shown, source)
        self._item = item
        return True

    def _part(self, tokens: list[Token], path: list[Token], leaf: Token) -> bool:
        """Give out the beginning of a long leaf that is alone."""
        found = part(tokens, path, leaf, self._source) if tokens[len(path)] is leaf else None
        if found is None:
            return False
        advance_numbers(path)
        self._finish([*path, *found.tokens, *closings(path)], [*path, leaf], found.source)
        return True

    def _finish(self, tokens: list[Token], path: list[Token], source: str) -> None:
        """Queue what is done and go on with the source; the lists that are not in the path are over."""
        kept = {id(numbering) for numbering in numberings(path)}
        for numbering in numberings(tokens):
            numbering.closed = id(numbering) not in kept
        self._ready += _split(tokens)
        self._path = path
        self._source = source
        self._looked_at = 0

    def _places(self, source: str) -> list[int]:
        """Where the lines of the source begin in the whole text, and where the last one ends."""
        return list(accumulate(map(len, split_lines(source)), initial=self._done))

    @property
    def _done(self) -> int:
        """Where the source begins in the whole text."""
        return self._received - len(self._source)

    def _parse(self, source: str) -> tuple[list[Token], References]:
        """The block structure of the source, going on with the path, and the definitions known with it."""
        references = dict(self._references)
        tokens = parsed(source, references, item=self._item)
        places = self._places(source)
        for reference in references.values():
            if "at" not in reference:
                reference["at"] = places[reference["map"][0]]
        end = places[0]
        for token in tokens:
            end = places[token.map[1]] if token.map else end
            if token.type == "inline":
                token.meta["end"] = end  # how far a text may refer ahead is counted from here
        return annotate(tokens, self._path, places), references

    def _released(self, block: Block) -> bool:
        if self._closed:
            return True
        if not all(numbering.settled(self._done) for numbering in numberings(block.tokens)):
            return False
        return not any(
            token.meta["end"] + LOOK_AHEAD > self._done and refers_ahead(token, self._references)
            for token in block.tokens
            if token.type == "inline"
        )


def _shown(block: Block, references: References) -> tuple[Block, Block]:
    """A block that waits, and as it would be shown now."""
    shown = Block(copies(block.tokens), continued=block.continued)
    parse_inline(shown.tokens, references)
    return block, shown


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


def _close_text(tokens: list[Token]) -> None:
    """Take what the last text leaves open as closed."""
    _, leaf = last_leaf(tokens)
    if leaf is None or leaf.type not in ("paragraph_open", "heading_open", "table_open"):
        return
    token = next((token for token in reversed(tokens) if token.type == "inline" and token.content), None)
    if token is not None:
        token.content = closed(token.content)


def _is_closed(leaf: Token, lines: int) -> bool:
    """Whether a leaf outside of any container is over, although nothing has come after it yet."""
    assert leaf.map is not None
    if leaf.type == "fence":
        return leaf.map[1] - leaf.map[0] > leaf.content.count("\n") + 1
    if leaf.type in ("paragraph_open", "table_open"):
        return leaf.map[1] < lines
    return leaf.type in ("hr", "heading_open")
