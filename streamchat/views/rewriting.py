"""Tokens put into the terms that Rich knows: links, images, HTML, tasks and alerts as text, hostile text made safe."""

from collections.abc import Iterator
from typing import Any

from markdown_it.token import Token

from streamchat.views.safe import safe

SEAM = Token("seam", "", 0)
"""An element that Rich does not know: it renders nothing, and a blank line comes before the next block."""

_ALERTS = {"NOTE": "Note", "TIP": "Tip", "IMPORTANT": "Important", "WARNING": "Warning", "CAUTION": "Caution"}
_FIELDS = ("type", "tag", "nesting", "attrs", "map", "level", "children", "content", "markup", "info", "meta")


def rewritten(tokens: list[Token]) -> Iterator[Token]:
    """The tokens with our ways of showing things put into those that Rich knows."""
    for index, token in enumerate(tokens):
        if token.type == "inline":
            children = list(_inline(token.children or []))
            container = tokens[index - 2] if index >= 2 else SEAM
            if container.type == "list_item_open" and not container.meta["continued"]:
                _, children = task(children)
            elif container.type == "blockquote_open" and not container.meta["continued"]:
                _, children = alert(children)
            token = _with(token, children=children)
        elif token.content:
            token = _with(token, content=safe(token.content))
        yield token


def _inline(children: list[Token]) -> Iterator[Token]:
    """Links, images and HTML in terms of text and styles."""
    links: list[tuple[Token, bool]] = []
    for index, token in enumerate(children):
        match token.type:
            case "link_open":
                links.append((token, _is_own_text(children, index)))
                yield token if links[-1][1] else _style("link", 1)
            case "link_close":
                link, own = links.pop()
                yield token if own else _style("link", -1)
                if not own:
                    yield from _target(link.attrs.get("href", ""))
            case "image":
                yield _text("🌆 " + safe(token.content))
                yield from _target(token.attrs.get("src", ""))
            case "html_inline":
                yield _html(token, children)
            case _:
                yield _with(token, content=safe(token.content)) if token.content else token


def _html(token: Token, children: list[Token]) -> Token:
    tag = token.content.lower().replace(" ", "")
    if tag in ("<br>", "<br/>"):
        return Token("hardbreak", "br", 0)
    if tag in ("<kbd>", "</kbd>") and _kbd_pairs(children):
        return _with(token, content=tag)
    return _text(safe(token.content))


def _kbd_pairs(children: list[Token]) -> bool:
    tags = [child.content for child in children if child.type == "html_inline" and "kbd" in child.content]
    return tags == ["<kbd>", "</kbd>"] * (len(tags) // 2)


def _is_own_text(children: list[Token], index: int) -> bool:
    """Whether the link that opens here has its own address as its text, and one that a terminal may open."""
    href = str(children[index].attrs.get("href", ""))
    text = children[index + 1]
    closed = children[index + 2].type == "link_close" if index + 2 < len(children) else False
    return closed and text.content == href and href.startswith(("http://", "https://")) and safe(href) == href


def _target(url: str | int | float) -> Iterator[Token]:
    yield _text(" (")
    yield Token("code", "link_url", 0, content=safe(str(url)))
    yield _text(")")


def task(children: list[Token]) -> tuple[str, list[Token]]:
    """What a text is if it begins with a box, "task" or "task done", and the text with it in place."""
    first = children[0] if children else SEAM
    if first.type != "text" or first.content[:4].lower() not in ("[ ] ", "[x] "):
        return "", children
    done = first.content[1] != " "
    box = _with(first, content=("☑" if done else "☐") + first.content[3:])
    return "task done" if done else "task", [box, *children[1:]]


def alert(children: list[Token]) -> tuple[str, list[Token]]:
    """What a text is if it begins as an alert, "alert note" or so, and the text with its kind on a line of its own."""
    first = children[0].content if children else ""
    rest = children[1:]
    if not (first.startswith("[!") and first.endswith("]") and first[2:-1] in _ALERTS):
        return "", children
    if rest and rest[0].type not in ("softbreak", "hardbreak"):
        return "", children
    kind = _ALERTS[first[2:-1]]
    below = [Token("hardbreak", "br", 0), *rest[1:]] if rest else []
    return f"alert {kind.lower()}", [_style("strong", 1), _text(kind), _style("strong", -1), *below]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _style(name: str, nesting: int) -> Token:
    return Token("style", name, nesting)  # type: ignore[arg-type]


def _with(token: Token, **changes: Any) -> Token:
    return Token(**{**{name: getattr(token, name) for name in _FIELDS}, **changes})
