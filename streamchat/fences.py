"""Fenced code in Markdown, found while the text is still growing; pure.

A fence is three or more backticks or tildes at the start of a line, however far it is indented or behind the marker of
a list's item, as models write them; it ends with as many on a line of their own. Its number counts from 1.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from streamchat.errors import ProviderError, UsageError

_OPENS = re.compile(r"([ \t]*)(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))\n?$")
_LAST: Final = "last"
_ALIASES: Final = (
    ("python", "py", "python3"),
    ("javascript", "js", "node"),
    ("typescript", "ts"),
    ("bash", "sh", "shell", "zsh", "console"),
    ("yaml", "yml"),
    ("ruby", "rb"),
    ("rust", "rs"),
    ("c++", "cpp", "cc"),
    ("c#", "csharp", "cs"),
    ("go", "golang"),
    ("markdown", "md"),
    ("dockerfile", "docker"),
    ("powershell", "ps1", "pwsh"),
    ("kotlin", "kt"),
    ("makefile", "make"),
    ("html", "htm"),
)
_OTHERS: Final = (
    " awk bat c clojure cmake css csv diff elixir elm erlang fish fortran graphql groovy haskell hcl http ini java"
    " jinja json jsonc jsonl jsx julia latex less lisp lua matlab mermaid nginx nim nix objc ocaml pascal perl php"
    " plaintext prolog protobuf r scala scheme scss solidity sql svelte svg swift tcl terraform tex text toml tsx txt"
    " vb verilog vhdl vim vue wasm xml zig "
)


class Code(Struct):
    """One block, or the next lines of one: its number, its language as it is written, its text."""

    number: int
    language: str
    text: str


class Fences:
    """Takes text in pieces of any size and gives the lines of code in it as they end."""

    def __init__(self) -> None:
        self._number = 0
        self._line: list[str] = []
        self._begun = False
        self._fence = ""
        self._indent = 0
        self._language = ""

    def feed(self, text: str) -> Iterator[Code]:
        """The code whose lines this text completed."""
        if "\n" not in text:
            self._line.append(text)
            return
        *lines, rest = "".join([*self._line, text]).split("\n")
        self._line = [rest]
        for line in lines:
            yield from self._take(f"{line}\n")

    def close(self) -> Iterator[Code]:
        """The text has ended: the code of its last line, if that has no line end."""
        line, self._line = "".join(self._line), []
        if line:
            yield from self._take(line)

    def _take(self, line: str) -> Iterator[Code]:
        if not self._fence:
            self._open(line)
        elif self._closes(line):
            self._fence = ""
        else:
            spaces = len(line) - len(line.lstrip(" \t"))
            yield Code(self._number, self._language, line[min(spaces, self._indent) :])
            return
        if self._fence and self._begun:
            self._begun = False
            yield Code(self._number, self._language, "")

    def _open(self, line: str) -> None:
        found = _OPENS.match(line.replace("\r\n", "\n"))
        if found is None:
            return
        self._fence = found[2] or found[4]
        self._indent = found.start(2) if found[2] else found.start(4)
        self._language = _language(found[3] or found[5] or "")
        self._number += 1
        self._begun = True

    def _closes(self, line: str) -> bool:
        mark = line.strip()
        return len(mark) >= len(self._fence) and not mark.strip(self._fence[0])


class Wanted(Struct, frozen=True):
    """Which block: its number from 1, the last one, or the first in a language."""

    number: int = 0
    language: str = ""

    @classmethod
    def parse(cls, text: str) -> "Wanted":
        """What `-x` was given. UsageError for a number that no block has."""
        text = text.strip().lower()
        if text == _LAST:
            return cls()
        if not text.lstrip("-").isdigit():
            return cls(language=text)
        if int(text) < 1:
            raise UsageError(f"there is no block of code number {text}", "The first one is 1; the last one: last")
        return cls(number=int(text))

    @property
    def is_last(self) -> bool:
        """Only the end of the text tells which one it is."""
        return not (self.number or self.language)

    def means(self, code: Code) -> bool:
        """Whether this is, as far as can be told from it alone, a block that is meant."""
        return code.number == self.number if self.number else _same(code.language, self.language)

    def missing(self, text: str) -> ProviderError:
        """The error that says that this text has no such code, and what it has."""
        blocks = blocks_of(text)
        if not blocks:
            return ProviderError("there is no code in the answer", "Without -x the answer is shown as it is.")
        what = f"no {self.language} code" if self.language else f"no block of code number {self.number}"
        has = ", ".join(f"{code.number} ({code.language or 'no language'})" for code in blocks)
        return ProviderError(f"there is {what} in the answer", f"It has: {has}.")


class Extraction:
    """The code that is wanted out of a growing text: `feed` gives it as it comes, `close` the rest of it."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._fences = Fences()
        self._chosen = 0
        self._held: list[Code] = []

    @property
    def found(self) -> bool:
        """Whether there was any such code so far, be it empty."""
        return bool(self._chosen)

    def feed(self, text: str) -> str:
        return "".join(map(self._taken, self._fences.feed(text)))

    def close(self) -> str:
        rest = "".join(map(self._taken, self._fences.close()))
        return rest + "".join(code.text for code in self._held)

    def _taken(self, code: Code) -> str:
        if self._wanted.is_last:
            if code.number != self._chosen:
                self._chosen, self._held = code.number, []
            self._held.append(code)
            return ""
        if not self._chosen and self._wanted.means(code):
            self._chosen = code.number
        return code.text if code.number == self._chosen else ""


def extracted(text: str, wanted: Wanted) -> str:
    """The code that is wanted, with its last line end; ProviderError when the text has none such."""
    extraction = Extraction(wanted)
    code = extraction.feed(text) + extraction.close()
    if not extraction.found:
        raise wanted.missing(text)
    return code if code.endswith("\n") else f"{code}\n"


def blocks_of(text: str) -> list[Code]:
    """Every block of code in a text, whole."""
    fences, blocks = Fences(), list[Code]()
    for code in (*fences.feed(text), *fences.close()):
        if blocks and blocks[-1].number == code.number:
            blocks[-1].text += code.text
        else:
            blocks.append(Code(code.number, code.language, code.text))
    return blocks


def is_language(word: str) -> bool:
    """Whether a word alone is known to name a language."""
    word = word.lower()
    return any(word in names for names in _ALIASES) or f" {word} " in _OTHERS


def _language(info: str) -> str:
    """`python` of `python title="x"` and of `{.python}`."""
    word = info.strip().lstrip("{.").split(maxsplit=1)[0:1]
    return word[0].rstrip("}").partition(":")[0].lower() if word else ""


def _same(one: str, other: str) -> bool:
    return one == other or any(one in names and other in names for names in _ALIASES)
