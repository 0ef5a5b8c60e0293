"""What a page's trees are made of, and how parts of one become the whole.

A node is a text, or an element as (tag, attributes, children). Attributes: `class` from a fixed set, `href` (http,
https, mailto), `start` of an ordered list, `lang` of code; and `"+": 1` on an element that goes on with the one of the
same tag before it: its children belong there.
"""

from collections.abc import Iterable

from streamchat.views.safe import told_apart

Attributes = dict[str, str | int]
Element = tuple[str, Attributes, "list[Node]"]
Node = str | Element

GOES_ON = "+"


def joined(nodes: Iterable[Node]) -> list[Node]:
    """The nodes with all that goes on put where it belongs, and texts side by side as one."""
    result: list[Node] = []
    texts: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            texts.append(node)
            continue
        if texts:
            result.append("".join(texts))
            texts.clear()
        tag, attributes, children = node
        before = result[-1] if result and GOES_ON in attributes else ""
        if not isinstance(before, str) and before[0] == tag:
            before[2].extend(children)
        else:
            result.append((tag, attributes, list(children)))
    if texts:
        result.append("".join(texts))
    return [node if isinstance(node, str) else (node[0], node[1], joined(node[2])) for node in result if node]


def shown(text: str) -> list[Node]:
    """A text made safe, its marks set apart."""
    return [("span", {"class": "removed"}, [piece]) if mark else piece for piece, mark in told_apart(text)]
