"""The text inside of blocks as nodes of a page, by the rules that the terminal's has (`rewriting.py`).

Links that a browser may open are elements, and so are bare addresses, which a terminal finds by itself; where the words
of one are an address that is not its own, its own stands behind them. Any other link, and every image, shows its target
as text or by being a link to it: nothing is loaded.
"""

import re

from markdown_it.token import Token

from streamchat.views.nodes import Attributes, Node, shown
from streamchat.views.safe import safe
from streamchat.views.structure import parser

_DEEPEST = 20
"""Emphasis inside of emphasis goes no deeper: a tree is walked by recursion."""

_OPENABLE = re.compile(r"(?:https?://[^/?#]|mailto:)[!-~]*", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)
_BARE = re.compile(r"\bhttps?://[a-z0-9\[][!#-;=?-\[\]-_a-~]{0,2000}", re.IGNORECASE)
_PAIRS = {")": "(", "]": "["}
_BREAK = ("<br>", "<br/>")


def prose(children: list[Token]) -> list[Node]:
    """The nodes of a text."""
    return _Prose(children).nodes


class _Prose:
    """Walks through the tokens of one text; what is open is a stack of lists of nodes."""

    def __init__(self, children: list[Token]) -> None:
        self.nodes: list[Node] = []
        self._open = [self.nodes]
        self._links: list[tuple[str, list[Node] | None]] = []
        self._keys = _keys(children)
        for index, token in enumerate(children):
            self._add(token, index)

    def _add(self, token: Token, index: int) -> None:
        match token.type:
            case "softbreak":
                self._open[-1].append("\n")
            case "hardbreak":
                self._open[-1].append(("br", {}, []))
            case "code_inline":
                self._open[-1].append(("code", {}, shown(token.content)))
            case "link_open":
                self._begin_link(str(token.attrs.get("href", "")))
            case "link_close":
                self._end_link()
            case "image":
                self._image(token)
            case "html_inline":
                self._html(token, index)
            case _ if token.nesting > 0:
                self._begin(token.tag, {})
            case _ if token.nesting < 0:
                self._open.pop()
            case _ if self._links:
                self._open[-1] += shown(token.content)
            case _:
                self._open[-1] += _linked(token.content)

    def _begin(self, tag: str, attributes: Attributes) -> list[Node]:
        children: list[Node] = []
        if len(self._open) > _DEEPEST:
            self._open.append(self._open[-1])
        else:
            self._open[-1].append((tag, attributes, children))
            self._open.append(children)
        return children

    def _begin_link(self, href: str) -> None:
        if openable(href):
            self._links.append((href, self._begin("a", {"href": href})))
        else:
            self._links.append((href, None))
            self._open.append(self._open[-1])

    def _end_link(self) -> None:
        href, words = self._links.pop()
        self._open.pop()
        if words is None or _misleading(text_of(words), href):
            self._open[-1] += _target(href)

    def _image(self, token: Token) -> None:
        source = str(token.attrs.get("src", ""))
        name = shown(f"🌆 {token.content}" if token.content else "🌆")
        if self._links or not openable(source):
            self._open[-1] += name if self._links else [*name, *_target(source)]
        else:
            self._open[-1].append(("a", {"href": source}, name))

    def _html(self, token: Token, index: int) -> None:
        if token.content.lower().replace(" ", "") in _BREAK:
            self._open[-1].append(("br", {}, []))
        elif index not in self._keys:
            self._open[-1] += shown(token.content)
        elif self._keys[index]:
            self._begin("kbd", {})
        else:
            self._open.pop()


def openable(url: str) -> bool:
    """Whether a browser may be given this address."""
    return _OPENABLE.fullmatch(url) is not None


def text_of(nodes: list[Node]) -> str:
    """All text in nodes."""
    return "".join(node if isinstance(node, str) else text_of(node[2]) for node in nodes)


def _linked(text: str) -> list[Node]:
    """A text with the addresses in it as links."""
    nodes: list[Node] = []
    done = 0
    for match in _BARE.finditer(text):
        after = text[match.end() : match.end() + 1]
        if after.isalnum() or (after.isprintable() and after.isascii() and after not in '\\"<>` '):
            continue  # it goes on, in letters that no address has as they are or for ever: its end cannot be said
        url = _without_end(match.group())
        if openable(url):
            nodes += [*shown(text[done : match.start()]), ("a", {"href": url}, [url])]
            done = match.start() + len(url)
    return nodes + shown(text[done:])


def _without_end(url: str) -> str:
    """An address without what belongs to the sentence around it: full stops, quotes, a bracket that it did not open."""
    while url:
        last = url[-1]
        if last in "?!.,:;*_~'" or (last in _PAIRS and url.count(last) > url.count(_PAIRS[last])):
            url = url[:-1]
        else:
            break
    return url


def _misleading(words: str, href: str) -> bool:
    """Whether words look like an address that the link does not go to."""
    words = words.strip()
    if not _ADDRESS.match(words):
        return False
    normal = _normal(words)
    return href not in (normal, f"http://{normal}", f"https://{normal}")


def _normal(words: str) -> str:
    return parser().normalizeLink(words)


def _keys(children: list[Token]) -> dict[int, bool]:
    """Where `<kbd>` opens and closes around something, in the same element: by the index of each tag."""
    found: dict[int, bool] = {}
    begin = None
    for index, token in enumerate(children):
        tag = token.content.lower() if token.type == "html_inline" else ""
        if begin is not None and token.level < children[begin].level:
            begin = None
        if tag == "<kbd>":
            begin = index
        elif tag == "</kbd>" and begin is not None:
            if token.level == children[begin].level:
                found |= {begin: True, index: False}
            begin = None
    return found


def _target(url: str) -> list[Node]:
    return [f" ({safe(url)})"]
