"""What the Enter key means for a text, and long pastes as a short mark: the same at the prompt and in type-ahead."""

import re
import shlex
from itertools import count

from wcwidth import grapheme_boundary_before, iter_graphemes

_LONG_LINES, _LONG_TEXT = 8, 2000
BLOCK = '"""'
LEAVING = ("exit", "quit")
"""Messages that are meant for the chat and not for the model, as in every other one."""
_COMMAND = re.compile(r"/((?:\w[^\s/]*)?)(?:\s+(.*))?", re.DOTALL)


def broken(text: str) -> str | None:
    """The text as it goes on where Enter begins a new line: after a last backslash, or inside a `\"""` block.

    None where the text is whole and Enter sends it.
    """
    if text.lstrip().startswith(BLOCK):
        inside = text.strip()
        return None if inside.endswith(BLOCK) and len(inside) >= 2 * len(BLOCK) else text + "\n"
    backslashes = len(text) - len(text.rstrip("\\"))
    return text[:-1] + "\n" if backslashes % 2 else None


def whole(text: str) -> str:
    """A finished text as it is sent: without the marks of a block, and without space around it."""
    text = text.strip()
    if text.startswith(BLOCK) and text.endswith(BLOCK) and len(text) >= 2 * len(BLOCK):
        text = text[len(BLOCK) : -len(BLOCK)].strip("\n")
    return text.strip()


def command_in(text: str) -> tuple[str, str] | None:
    """The name behind the slash that a finished text begins with, and what follows it; None for a message.

    A path, the comment that a piece of code begins with, and what stands in a block are messages.
    """
    if (found := _COMMAND.fullmatch(text.strip())) is None:
        return None
    return found[1], found[2] or ""


def unquoted(path: str) -> str:
    """A path as it is meant where it was quoted, as a shell has it or a terminal that a file was dropped on."""
    try:
        words = shlex.split(path)
    except ValueError:
        return path
    return words[0] if len(words) == 1 and words[0] else path


class Pastes:
    """Long pastes, folded while the text around them is edited."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def fold(self, text: str) -> str:
        """A pasted text as it stands in the line: a long one as `[pasted 84 lines]`."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.count("\n") + (not text.endswith("\n"))
        if lines <= _LONG_LINES and len(text) <= _LONG_TEXT:
            return text
        size = f"{lines} lines" if lines > _LONG_LINES else f"{len(text)} characters"
        marks = (f"[pasted {size}{f', {again}' if again > 1 else ''}]" for again in count(1))
        mark = next(mark for mark in marks if self._texts.get(mark, text) == text)
        self._texts[mark] = text
        return mark

    def left(self, text: str, place: int) -> int:
        """Where the letter before that place begins: with its accents, an emoji with all its parts; a mark is one."""
        return self.outside(text, grapheme_boundary_before(text, place), onwards=False)

    def right(self, text: str, place: int) -> int:
        """Where the letter behind that place ends."""
        return self.outside(text, place + len(next(iter_graphemes(text, place), "")), onwards=True)

    def outside(self, text: str, place: int, *, onwards: bool) -> int:
        """The place in a text, or where it is in the middle of a mark, the end of that or its beginning."""
        for mark in self._texts:
            begin = text.find(mark, max(0, place - len(mark) + 1), place + len(mark))
            if -1 < begin < place:
                return begin + len(mark) if onwards else begin
        return place

    def unfold(self, text: str) -> str:
        """The text with every paste in its place again."""
        for mark, pasted in self._texts.items():
            text = text.replace(mark, pasted)
        return text


def number_in(text: str) -> int:
    """The number that this is; 0 for what is none, and for more digits than anything here is counted with."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0
