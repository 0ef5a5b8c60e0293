"""Growing Markdown as trees for a page: finished nodes once and for good, and the tail as it looks now.

The engine is the terminal's (`blocks.py`), and what is shown otherwise there than by others (`markdown.py`) is so here,
but for what a page does by itself: widths, numbers, colours. What is finished, and in which nodes, depends on the text
alone, never on how it was cut: the engine is asked at the end of each line, and within a long one every 256 characters.
So a place in an answer can be said as a number of finished nodes.
"""

import re
from collections.abc import Iterator
from copy import copy

from markdown_it.token import Token
from pygments.token import STANDARD_TYPES, _TokenType

from streamchat.views.blocks import Block, Blocks
from streamchat.views.lexing import Lines
from streamchat.views.nodes import GOES_ON, Attributes, Element, Node, joined, shown
from streamchat.views.prose import prose
from streamchat.views.rewriting import alert, task
from streamchat.views.safe import joined_surrogates, safe

LONGEST_OPEN = 20_000
"""Of a line that does not end, so many characters are shown until it does."""

_STEP = 256
_LANGUAGE = re.compile(r"\s*([\w+#.-]{1,40})")


class Trees:
    """Takes text in pieces of any size; gives nodes."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._painting = _Painting()
        self._done: list[Node] = []
        self._half = ""  # of a character
        self._room = _STEP  # until the engine is asked, if the line does not end before
        self._previewed: list[tuple[Block, list[Node], _Painting]] = []

    def feed(self, text: str) -> None:
        """Take more text in."""
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        self._feed(joined_surrogates(text[: len(text) - len(self._half)]))

    def close(self) -> None:
        """Nothing more comes: everything is finished."""
        self._feed(joined_surrogates(self._half))
        self._half = ""
        self._blocks.close()
        self._collect()

    def take(self) -> list[Node]:
        """The nodes that were finished since the last time."""
        done, self._done = self._done, []
        return done

    def tail(self) -> list[Node]:
        """What may still change, as it looks now; the first node may go on with the last finished one."""
        waiting, opened = self._blocks.tail(LONGEST_OPEN)
        kept = 0
        while kept < min(len(waiting), len(self._previewed)) and self._previewed[kept][0] is waiting[kept]:
            kept += 1
        del self._previewed[kept:]
        for block in waiting[kept:]:
            painting = self._latest()
            self._previewed.append((block, painting.nodes(block), painting))
        painting = self._latest()
        nodes = [node for _, nodes, _ in self._previewed for node in nodes]
        return joined(nodes + [node for block in opened for node in painting.nodes(block)])

    def _latest(self) -> "_Painting":
        return (self._previewed[-1][2] if self._previewed else self._painting).copy()

    def _feed(self, text: str) -> None:
        start = 0
        while start < len(text):
            end = text.find("\n", start, start + self._room) + 1 or start + self._room
            self._blocks.feed(text[start:end])
            if end > len(text):
                self._room = end - len(text)
                return
            self._collect()
            self._room = _STEP
            start = end

    def _collect(self) -> None:
        for block in self._blocks.take():
            self._done += self._painting.nodes(block)


def trees(text: str) -> list[Node]:
    """The nodes of a whole text."""
    blocks, painting = Blocks(), _Painting()
    blocks.feed(text)
    blocks.close()
    return joined(node for block in blocks.take() for node in painting.nodes(block))


class _Painting:
    """Turns blocks into nodes in their order, and keeps what code needs to know about what came before."""

    def __init__(self) -> None:
        self._lines = Lines("")

    def copy(self) -> "_Painting":
        """One that can go on without this one noticing."""
        other = copy(self)
        other._lines = self._lines.copy()
        return other

    def nodes(self, block: Block) -> list[Node]:
        """The nodes of a block, or of a part of one."""
        root: Element = ("", {}, [])
        path = [root]
        for index, token in enumerate(block.tokens):
            children = path[-1][2]
            if token.type == "inline":
                children += _text(token, path, block.tokens[index - 2] if index >= 2 else None)
            elif token.type in ("fence", "code_block"):
                children.append(self._code(token))
            elif token.type == "html_block":
                children.append(_html(token))
            elif token.nesting < 0:
                path.pop()
            elif token.nesting == 0:
                children.append((token.tag, {}, []))
            else:
                element: Element = (token.tag, _attributes(token, path[-1]), [])
                if not (token.type == "thead_open" and GOES_ON in path[-1][1]):
                    children.append(element)
                path.append(element)
        return root[2]

    def _code(self, token: Token) -> Node:
        attributes: Attributes = {GOES_ON: 1} if token.meta["continued"] else {}
        inner = dict(attributes)
        if not attributes:
            language = _LANGUAGE.match(safe(token.info)) if token.type == "fence" else None
            self._lines = Lines(language.group(1) if language else "")
            if language:
                attributes["lang"] = language.group(1)
        code = safe(token.content)
        lines = self._lines.feed(code, last="more" not in token.meta)
        nodes = list(_coloured(lines))
        if nodes and code and not code.endswith("\n"):
            nodes.pop()  # the end of a line that has none
        return "pre", attributes, [("code", inner, joined(nodes))]


def _coloured(lines: list[list[tuple[_TokenType, str]]]) -> Iterator[Node]:
    for line in lines:
        for kind, text in line:
            name = _class(kind)
            yield ("span", {"class": name}, [text]) if name else text
        yield "\n"


def _class(kind: _TokenType) -> str:
    """The short name of a kind of token, or of what it is a kind of; blanks have none."""
    name = STANDARD_TYPES.get(kind)
    if name is None:
        return _class(kind.parent) if kind.parent else ""
    return "" if name == "w" else name


def _text(token: Token, path: list[Element], container: Token | None) -> list[Node]:
    """The text of a block; the first of an item or a quote may say what that is."""
    children = token.children or []
    if container is not None and not container.meta.get("continued"):
        kind = ""
        if container.type == "list_item_open":
            kind, children = task(children)
        elif container.type == "blockquote_open":
            kind, children = alert(children)
        if kind:
            path[-2][1]["class"] = kind
    return prose(children)


def _html(token: Token) -> Node:
    """HTML as the text that it is."""
    content = token.content if "more" in token.meta else token.content.rstrip()
    return "pre", {GOES_ON: 1} if token.meta["continued"] else {}, shown(content)


def _attributes(token: Token, parent: Element) -> Attributes:
    if token.meta.get("continued") or (token.type == "tbody_open" and GOES_ON in parent[1]):
        return {GOES_ON: 1}
    if token.type == "ordered_list_open" and "start" in token.attrs:
        return {"start": int(token.attrs["start"])}
    if token.type in ("th_open", "td_open") and "style" in token.attrs:
        return {"class": str(token.attrs["style"]).removeprefix("text-align:")}
    return {}
