"""Markdown for the ear: whole sentences, headings and code announced in words, no marks that a screen reader spells."""

import re
import threading
from collections.abc import Iterator
from typing import BinaryIO

from streamchat.chat import Reply
from streamchat.events import Event
from streamchat.views.base import Tell, quiet
from streamchat.views.footer import joined, summary
from streamchat.views.plain import PlainView, Safe, Step
from streamchat.views.safe import safe

_SENTENCE = re.compile(r"(?<=[.!?:;])(?<!\d\.)[ ]")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$")
_HEADING = re.compile(r"[ ]{0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$")
_TASK = re.compile(r"([ \t]*[-*+][ \t]+)\[([ xX])\][ \t]+")
_QUOTE = re.compile(r"[ ]{0,3}(?:>[ ]?)+")
_RULE = re.compile(r"[ ]{0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-[ \t:|-]*\|[ \t:|-]*$")
_LINK = re.compile(r"!?\[([^\]\n]+)\]\(([^)\s]+)[^)\n]*\)")
_MARKS = re.compile(r"\*\*|__|~~|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|`+")


class SpokenView(PlainView):
    """The answer in sentences as they come, and below it one line about it."""

    def __init__(
        self, out: BinaryIO, *, title: str = "", note: str | None = None, footer: bool = True, tell: Tell = quiet
    ) -> None:
        self._spoken = Spoken()
        super().__init__(out, passing=(Safe(), self._spoken), tell=tell)
        self._title, self._note, self._footer = title, note, footer
        self._reply = Reply()
        self._asides: list[str] = []
        self._lock = threading.Lock()

    def aside(self, line: str) -> None:
        """Say this, from any thread, as soon as it does not stand inside of a paragraph or of code."""
        with self._lock:
            self._asides.append(line)
            self._let_out()

    def show(self, events: Iterator[Event], reply: Reply) -> None:
        self.begin(reply)
        super().show(events, reply)

    def begin(self, reply: Reply) -> None:
        self._reply = reply

    def end(self) -> None:
        super().end()
        if self._footer:
            self._send(f"\n{joined(summary(self._reply, title=self._title, note=self._note))}\n")

    def _send(self, text: str) -> None:
        with self._lock:
            super()._send(text)
            self._let_out()

    def _let_out(self) -> None:
        if self._last == "\n" and not self._spoken.in_code:
            super()._send("".join(f"{safe(line)}\n" for line in self._asides))
            self._asides = []


class Spoken(Step):
    """Holds back what is not yet a sentence or a line, and says in words what is otherwise seen."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self._fence = ""
        self._quoted = False

    @property
    def in_code(self) -> bool:
        """Whether a block of code has begun and not ended."""
        return bool(self._fence)

    def feed(self, text: str) -> str:
        *lines, self._held = (self._held + text).split("\n")
        said = "".join(self._line(line) for line in lines)
        return said + self._sentences()

    def close(self) -> str:
        held, self._held = self._held, ""
        return self._line(held) if held else ""

    def _sentences(self) -> str:
        """The whole sentences of a paragraph's unfinished line; lines of other kinds wait for their end."""
        if self._fence or not (self._inside or _is_prose(self._held)):
            return ""
        ends = [match.end() for match in _SENTENCE.finditer(self._held)]
        if not ends:
            return ""
        said, self._held = self._held[: ends[-1]], self._held[ends[-1] :]
        self._inside = True
        return _inline(said)

    def _line(self, line: str) -> str:
        inside, self._inside = self._inside, False
        if inside:
            return _inline(line) + "\n"
        fence = _FENCE.match(line)
        if self._fence:
            if fence and fence[1].startswith(self._fence) and not fence[2]:
                self._fence = ""
                return "End of code.\n"
            return line + "\n"
        if fence:
            self._fence = fence[1]
            return f"Code, {fence[2]}:\n" if fence[2] else "Code:\n"
        quoted, self._quoted = self._quoted, _QUOTE.match(line) is not None
        if self._quoted:
            line = ("" if quoted else "Quote: ") + _QUOTE.sub("", line, count=1)
        return _said(line)


def _is_prose(text: str) -> bool:
    return text[:1].isalpha()


def _said(line: str) -> str:
    if heading := _HEADING.match(line):
        return f"Heading {len(heading[1])}: {_inline(heading[2])}\n"
    if _RULE.match(line) or _TABLE_RULE.match(line):
        return "\n"
    if line.lstrip().startswith("|"):
        return "; ".join(_inline(cell.strip()) for cell in line.strip().strip("|").split("|")) + "\n"
    line = _TASK.sub(lambda match: f"{match[1]}{'to do' if match[2] == ' ' else 'done'}: ", line)
    bullet = re.match(r"[ \t]*[*+][ \t]", line)
    return ("- " + _inline(line[bullet.end() :]) if bullet else _inline(line)) + "\n"


def _inline(text: str) -> str:
    return _MARKS.sub("", _LINK.sub(r"\1 (\2)", text))
