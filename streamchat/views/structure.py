"""The block structure of Markdown as markdown-it sees it, and what its tokens have to know to be shown in parts."""

import re
from collections.abc import Iterator
from copy import copy
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, heading, table
from markdown_it.token import Token

LONG_LINE = 1000
"""From this column on, a line of a paragraph is nothing else any more, whatever comes below it."""

LONG_PARAGRAPH = 2000
"""A paragraph of more characters stays one when dashes come below it, and is given out in parts."""

LONG_LIST = 2000
"""Items that begin so many characters after their list do not count for the column of its numbers."""

CONTAINERS = frozenset(("bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open"))
LEAVES = frozenset(("paragraph_open", "heading_open", "table_open", "fence", "code_block", "html_block", "hr"))


class Numbering:
    """The layout of one ordered list, shared by its parts: the column of numbers is as wide as its last one needs."""

    __slots__ = ("at", "before", "closed", "counting", "seen", "start")

    def __init__(self, start: int, at: int) -> None:
        self.start = start
        self.at = at  # where the list begins in the whole text
        self.before = 0  # items that are in earlier parts
        self.seen = 0  # items in all
        self.counting = 0  # of them, those that begin early enough to count for the column
        self.closed = False

    def add(self, at: int) -> int:
        """Another item; its number."""
        self.seen += 1
        if at < self.at + LONG_LIST:
            self.counting = self.seen
        return self.start + self.seen - 1

    def digits(self, number: int) -> int:
        """How many digits the column has at an item; Rich counts one more than the last number, here up to 99."""
        return max(len(str(min(self.start + self.counting, 99))), len(str(number)))

    def settled(self, done: int) -> bool:
        """Whether items to come cannot change the column any more, when the text is done up to a place."""
        return self.closed or self.start + self.counting >= 10 or done >= self.at + LONG_LIST


@cache
def parser() -> MarkdownIt:
    """Rich's configuration of markdown-it; only the header of a table may not be a line that is too long to hold, nor a
    heading, which is one as soon as it stands there."""
    made = MarkdownIt().enable("strikethrough").enable("table")
    made.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    return made


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if start == state.env.get("item") or state.eMarks[start] - state.bMarks[start] >= LONG_LINE:
        return False
    if heading(state, start, end, True):
        return False
    return table(state, start, end, silent)


def parsed(source: str, references: dict[str, Any] | None = None, *, item: int | None = None) -> list[Token]:
    """The blocks of a text, their insides not parsed yet; definitions are added to the references.

    `item` is a line that goes on with a list: it would be the next item before it could be the head of a table.
    """
    tokens: list[Token] = []
    environment = {"references": {} if references is None else references, "item": item}
    try:
        parser().block.parse(source, parser(), environment, tokens)
    except IndexError:
        # The parser looks behind the end of a text whose last line is shorter than its item is indented.
        tokens.clear()
        parser().block.parse(f"{source}\n", parser(), environment, tokens)
    return tokens


def annotate(tokens: list[Token], path: list[Token], places: list[int]) -> list[Token]:
    """The tokens with numbers for lists and items; the first of them go on with those of the path.

    `places` says where each line begins in the whole text.
    """
    stack: list[Token] = []
    for index, token in enumerate(tokens):
        before = path[index].meta if index < len(path) else None
        if token.type in CONTAINERS:
            token.meta = {"continued": before is not None}
            if token.type == "ordered_list_open":
                start = int(token.attrs.get("start", 1))
                numbering = before["numbering"] if before else Numbering(start, places[first_line(token)])
                numbering.seen = numbering.before
                token.meta["numbering"] = numbering
            elif token.type == "list_item_open" and "numbering" in stack[-1].meta:
                numbering = stack[-1].meta["numbering"]
                token.meta |= {"numbering": numbering, "number": numbering.add(places[first_line(token)])}
            stack.append(token)
        elif stack and token.type == close_type(stack[-1]):
            stack.pop()
        elif token.type in LEAVES:
            token.meta = {"continued": before is not None}
            if before is not None and token.type == "html_block":
                token.content = token.content.partition("\n")[2]  # its first line was kept only to be parsed again
    return _paragraphs(tokens)


def _paragraphs(tokens: list[Token]) -> list[Token]:
    """Headings too long to have been held are paragraphs, with a rule for a line of dashes; long texts are marked."""
    result: list[Token] = []
    long = False
    for index, token in enumerate(tokens):
        if token.type == "paragraph_open" or (token.type == "heading_open" and token.markup in ("=", "-")):
            long = bool(token.meta["continued"]) or len(tokens[index + 1].content) > LONG_PARAGRAPH
        if not long:
            result.append(token)
            continue
        if token.type == "inline":
            token.content = token.content.replace("\t", " ")
            token.meta["long"] = True
        elif token.nesting:
            token.type, token.tag = f"paragraph_{'open' if token.nesting > 0 else 'close'}", "p"
        result.append(token)
        if token.nesting < 0:
            long = False
            if token.markup == "-":
                rule = Token("hr", "hr", 0, level=token.level, map=result[-3].map, meta={"continued": False})
                result.append(rule)
    return result


def preview(path: list[Token]) -> list[Token]:
    """The path with numberings of its own, so that what is only shown settles nothing."""
    made = copies(path)
    own = {id(numbering): copy(numbering) for numbering in numberings(path)}
    for token in made:
        if "numbering" in token.meta:
            token.meta = {**token.meta, "numbering": own[id(token.meta["numbering"])]}
    return made


def advance_numbers(tokens: list[Token]) -> None:
    """What comes next in the lists of these items comes after them; or goes on with them."""
    for token in tokens:
        if "number" in token.meta:
            token.meta["numbering"].before = token.meta["number"] - token.meta["numbering"].start


def last_leaf(tokens: list[Token]) -> tuple[list[Token], Token | None]:
    """The last leaf and the containers that it stands in."""
    leaf = next((token for token in reversed(tokens) if token.type in LEAVES), None)
    path: list[Token] = []
    for token in tokens:
        if token is leaf:
            break
        if token.type in CONTAINERS:
            path.append(token)
        elif path and token.type == close_type(path[-1]):
            path.pop()
    return path, leaf


def leaves_before(leaf: Token, tokens: list[Token]) -> int:
    """The index behind where the leaf before this one opens; 0 if it is the first."""
    found = 0
    for index, token in enumerate(tokens):
        if token is leaf:
            break
        if token.type in LEAVES:
            found = index + 1
    return found


def end_of(leaf: Token, tokens: list[Token]) -> int:
    """The index behind the last token of a leaf."""
    start = next(index for index, token in enumerate(tokens) if token is leaf)
    if not leaf.nesting:
        return start + 1
    return next(i for i in range(start, len(tokens)) if tokens[i].type == close_type(leaf)) + 1


def same(old: list[Token], new: list[Token]) -> bool:
    """Whether two lists of tokens say the same, apart from where they stand."""
    return [_gist(token) for token in old] == [_gist(token) for token in new]


def _gist(token: Token) -> tuple[str, str, str, int]:
    return token.type, token.content, token.markup, token.nesting


def closings(path: list[Token]) -> list[Token]:
    """The tokens that close what is open."""
    return [Token(close_type(token), token.tag, -1, level=token.level, markup=token.markup) for token in reversed(path)]


def close_type(token: Token) -> str:
    return token.type.removesuffix("_open") + "_close"


def first_line(token: Token) -> int:
    assert token.map is not None
    return token.map[0]


def numberings(tokens: list[Token]) -> Iterator[Numbering]:
    return (token.meta["numbering"] for token in tokens if "numbering" in token.meta)


def split_lines(text: str) -> list[str]:
    """The lines with their ends; only a newline ends one, as in the parser."""
    return re.findall("[^\n]*\n|[^\n]+", text)


def copies(tokens: list[Token]) -> list[Token]:
    return [copy(token) for token in tokens]
