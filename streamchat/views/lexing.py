"""Code told apart into tokens while it grows, with the lexer's state kept from line to line.

Pygments' lexers want the whole text: what spans lines is either a state of theirs, which is kept here, or one long
match (a block comment, a here-document, the script in a page). For the latter, lines are lexed together until nothing
in them is open: whether something is, is tried out by closing it and looking whether that changes their kinds. So the
tokens are those of the whole text, and depend on nothing but the code.

Bounds: 200 lines are lexed together at most; a line of more than 5,000 characters is one token of no kind; lexers that
are not made of regular expressions alone (templates in other languages, sessions of a console) begin anew with each
group of lines; what a lexer adds to its own output afterwards (names of builtins in PHP, Lua, Swift) is left out. The
text is always that of the code: where a lexer leaves any out, the group has no kinds.
"""

import re
from collections.abc import Iterator
from copy import copy, deepcopy
from functools import lru_cache
from typing import Any

from pygments.lexer import ExtendedRegexLexer, Lexer, LexerContext, RegexLexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.data import YamlLexer, YamlLexerContext
from pygments.token import Comment, Error, String, Whitespace, _TokenType
from pygments.util import ClassNotFound

from streamchat.views.structure import split_lines

GROUP_LINES = 200
"""So many lines are lexed together at most."""

LONGEST_LINE = 5000
"""A line of more characters is not lexed: nobody reads its colours, and they would take a second for each megabyte."""

_CLOSERS = (
    ("/*", "*/"),
    ("<!--", "-->"),
    ("'", "'"),
    ('"', '"'),
    ("`", "`"),
    ("'''", "'''"),
    ('"""', '"""'),
    ("[[", "]]"),
    ("(*", "*)"),
    ("{-", "-}"),
    ('r#"', '"#'),
    ('R"(', ')"'),
)
_ELEMENTS = (("<script", "</script"), ("<style", "</style"))
_HERE = re.compile(r"<<[-~]?\s*['\"\\]?(\w+)")

Tokens = list[tuple[_TokenType, str]]


class Lines:
    """The tokens of one block of code, given to it in whole lines, in order."""

    def __init__(self, language: str) -> None:
        self.known = _lexer(language) is not None
        self._lexing = _Lexing(_lexer(language))
        self._group = ""  # lines that something is open in
        self._count = 0  # of them
        self._due = 1  # of how many it is tried again whether anything is open

    def copy(self) -> "Lines":
        """One that can be fed without this one noticing."""
        other = copy(self)
        other._lexing = self._lexing.copy()
        return other

    def feed(self, code: str, *, last: bool) -> list[Tokens]:
        """The lines that are settled by these, without their ends; all that there are with the last."""
        done: Tokens = []
        for line in split_lines(code):
            if len(line) > LONGEST_LINE:
                done += [*self._rest(), (Whitespace, line)]
                continue
            self._group += line
            self._count += 1
            if self._count < self._due:
                continue
            if self._lexing.is_open(self._group):
                self._due = min(self._count + max(1, self._count // 4), GROUP_LINES)
            else:
                done += self._rest()
        if last:
            done += self._rest()
        return _lines_of(done)

    def _rest(self) -> Tokens:
        group, self._group = self._group, ""
        self._count, self._due = 0, 1
        return self._lexing.run(group) if group else []


class _Lexing:
    """A lexer between two groups of lines."""

    def __init__(self, lexer: Lexer | None) -> None:
        self._lexer = lexer
        self._state = _begin(lexer)

    def copy(self) -> "_Lexing":
        other = copy(self)
        other._state = deepcopy(self._state)
        return other

    def run(self, text: str) -> Tokens:
        """Lex a group of lines and go on from there."""
        if self._lexer is None:
            return [(Whitespace, text)]
        if isinstance(self._lexer, RegexLexer):
            self._state.text, self._state.pos, self._state.end = text, 0, len(text)
            tokens = list(_run(self._lexer, self._state))
        else:
            tokens = list(self._lexer.get_tokens(text))
        found = "".join(value for _, value in tokens)
        if found == f"{text}\n":  # some lexers end what has no end
            tokens[-1] = tokens[-1][0], tokens[-1][1][:-1]
        elif found != text:
            return [(Whitespace, text)]
        return tokens

    def is_open(self, group: str) -> bool:
        """Whether what comes after these lines may change how they are coloured."""
        if self._lexer is None or group.count("\n") >= GROUP_LINES:
            return False
        if any(group.rfind(begin) > group.rfind(end) for begin, end in _ELEMENTS):
            return True
        closers = [closer for opener, closer in _CLOSERS if opener in group]
        closers += _HERE.findall(group) if "<<" in group else []
        if not closers:
            return False
        now = _kinds(self.copy().run(group), len(group))
        return any(_reaches(self.copy().run(f"{group}{closer}\n"), now) for closer in closers)


def _reaches(tokens: Tokens, now: list[_TokenType]) -> bool:
    """Whether a lexer, with something behind a group, finds a string across its end, or other things in it."""
    position = 0
    for kind, text in tokens:
        position += len(text)
        if position > len(now):
            across = position - len(text) < len(now)
            return (across and (String in kind.split() or Comment in kind.split())) or _kinds(tokens, len(now)) != now
    return False


def _run(lexer: RegexLexer, state: LexerContext) -> Iterator[tuple[_TokenType, str]]:
    """What a lexer finds from a state on; it ends with the text, where Pygments would still try rules at its end."""
    rules: dict[str, list[tuple[Any, Any, Any]]] = vars(type(lexer))["_tokens"]
    keeps_state = isinstance(lexer, ExtendedRegexLexer)
    while state.pos < state.end:
        for matches, action, change in rules[state.stack[-1]]:
            match = matches(state.text, state.pos)
            if match is None:
                continue
            if action is None:
                state.pos = match.end()
            elif type(action) is _TokenType:
                yield action, match.group()
                state.pos = match.end()
            elif keeps_state:
                yield from ((kind, value) for _, kind, value in action(lexer, match, state))
            else:
                yield from ((kind, value) for _, kind, value in action(lexer, match))
                state.pos = match.end()
            _go(state.stack, change)
            break
        else:
            if state.text[state.pos] == "\n":
                state.stack[:] = ["root"]
                yield Whitespace, "\n"
            else:
                yield Error, state.text[state.pos]
            state.pos += 1


def _go(stack: list[str], change: Any) -> None:
    """To the lexer's next state."""
    if isinstance(change, tuple):
        for state in change:
            _go(stack, -1 if state == "#pop" else int(state[4:] or 0) if state.startswith("#pop") else state)
    elif isinstance(change, int):
        del stack[max(1, len(stack) - abs(change)) :]
    elif change == "#push":
        stack.append(stack[-1])
    elif change is not None:
        stack.append(change)


def _begin(lexer: Lexer | None) -> LexerContext:
    """The state in which a lexer begins."""
    if isinstance(lexer, YamlLexer):
        return YamlLexerContext("", 0)  # type: ignore[no-untyped-call]
    return LexerContext("", 0)


@lru_cache(128)  # any number of names may come
def _lexer(language: str) -> Lexer | None:
    """The lexer for a language, as Rich asks for it; None for none and for what nobody knows."""
    if not language or language == "text":
        return None
    try:
        lexer: Lexer = get_lexer_by_name(language, stripnl=False, ensurenl=True, tabsize=0)
    except ClassNotFound:
        return None
    return lexer


def _kinds(tokens: Tokens, size: int) -> list[_TokenType]:
    """What each of the first letters is."""
    kinds: list[_TokenType] = []
    for kind, text in tokens:
        kinds += [kind] * len(text)
        if len(kinds) >= size:
            break
    return kinds[:size]


def _lines_of(tokens: Tokens) -> list[Tokens]:
    """The tokens line by line; only the last line may lack its end."""
    lines: list[Tokens] = [[]]
    for kind, text in tokens:
        first, *others = text.split("\n")
        if first:
            lines[-1].append((kind, first))
        lines += [[(kind, other)] if other else [] for other in others]
    return lines if lines[-1] else lines[:-1]
