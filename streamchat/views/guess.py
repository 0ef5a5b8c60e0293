"""What is still being written, shown as what it will most likely become.

Half a marker shown as it stands would flash by: a dash under a line makes a heading of it until the rest of the item
comes, `**` stands there until it is closed, a table's head is a line of bars until its second line is complete. So what
can only be half of something waits, and what is open is taken as if it were closed. This changes what is shown in the
meantime, never what stays.
"""

import re

from markdown_it.rules_inline import StateInline

from streamchat.views.structure import parser

NEAR = 200
"""Only where there is a mark in so many last characters is one taken to be open: others were not meant as marks."""

_MARKER = re.compile(r"[ >]*(?:(?:[-+*=]+|#{1,6}|`{1,2}|~{1,2}|\d{1,3}[.)]?)[ ]*|\|[ |:-]*)\Z")
_HEAD = re.compile(r"[ >]*\|[^\n]*[^\s|][^\n]*\Z")
_FENCE = re.compile(r"[ >]*(?:(?:[-+*]|\d{1,9}[.)])[ ]+)*(?:```|~~~)")
_HALF = re.compile(r"(?:(?<=\s)|\A)[*_~`\[]+\Z")
_OPEN = re.compile(r"[*_~`\[]")
_LABEL = re.compile(rf"(?<![!\]\\])\[([^\W\d_][^\[\]\n]{{0,{NEAR}}})\]?\Z")
_TARGET = re.compile(r"\]\((?!\s)[^\s()]*\Z")


def guessed(source: str) -> str:
    """Growing Markdown without half a marker at its end, and a table's head with the line that makes it one."""
    if _FENCE.match(source):
        return source
    *before, last = source.split("\n")
    if _MARKER.match(last):
        if not (before and _HEAD.match(before[-1]) and last.lstrip(" >").startswith("|")):
            return source[: len(source) - len(last)]
        last = before.pop()
    elif before and not last:
        last = before.pop()
    first = not before or not before[-1].strip(" >")
    return "\n".join([*before, _table(last)]) if first and _HEAD.match(last) else source


def _table(head: str) -> str:
    """A first row, complete, and the line below it."""
    head = head.rstrip()
    head += "" if len(head) > 1 and head.endswith("|") else " |"
    indent = head[: head.index("|")]
    columns = len(re.findall(r"(?<!\\)\|", head)) - 1
    return f"{head}\n{indent}{'|---' * columns}|\n"


def closed(content: str) -> str:
    """A text with whatever is open at its end closed: code, emphasis, a link."""
    content = _HALF.sub("", content.rstrip(" ")).rstrip(" ")
    if not _OPEN.search(content, max(0, len(content) - NEAR)):
        return content
    content += _open_ticks(content)
    content = _LABEL.sub(r"\1", content)
    if _TARGET.search(content):
        content += ")"
    return content + _open_marks(content)


def _open_ticks(content: str) -> str:
    """The backticks that would end the code that is open."""
    ticks = ""
    for match in re.finditer(r"(?<!\\)`+", content):
        if not ticks:
            ticks = match.group() if len(content) - match.start() <= NEAR else ""
        elif match.group() == ticks:
            ticks = ""
    return ticks if not content.endswith(ticks) else ""


def _open_marks(content: str) -> str:
    """The marks that would end the emphasis that is open."""
    state = StateInline(content, parser(), {}, [])
    parser().inline.tokenize(state)
    for rule in parser().inline.ruler2.getRules(""):
        rule(state)
    missing = ""
    for mark in state.delimiters:
        if mark.open and mark.end < 0:
            missing = chr(mark.marker) * (2 if chr(mark.marker) == "~" else 1) + missing
    return missing[1:] if missing.startswith("~~") and content.endswith("~") else missing
