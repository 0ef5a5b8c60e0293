"""Highlighting: what Pygments gives for the whole code, however the code comes."""

import re

import pytest
from rich.syntax import Syntax

from streamchat.views.highlight import Highlighter
from streamchat.views.lexing import GROUP_LINES
from tests.views.documents import CORPUS

LANGUAGES = dict(re.findall(r"```(\w+)\n(.*?)```", CORPUS["languages"], re.DOTALL))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lines", [1, 3, 1000])
def test_the_colours_are_those_of_the_whole_code(language: str, lines: int) -> None:
    code = LANGUAGES[language]

    assert _streamed(code, language, lines) == _whole(code, language)


def test_the_number_of_lines_that_come_at_once_makes_no_difference() -> None:
    code = "/* a\n" + "x\n" * GROUP_LINES + "*/ y\n'\n" + "z = '\n" * 20

    assert _streamed(code, "c", 1) == _streamed(code, "c", 7) == _streamed(code, "c", 10_000)


def test_lines_leave_as_soon_as_nothing_is_open_in_them() -> None:
    highlighter = Highlighter("javascript", "monokai")

    assert len(highlighter.feed("let a = 1;\n", last=False)) == 1
    assert highlighter.feed("/* one\n", last=False) == []
    assert len(highlighter.feed("two */\n", last=False)) == 2


def test_a_copy_leaves_its_original_as_it_was() -> None:
    highlighter = Highlighter("yaml", "monokai")
    highlighter.feed("a:\n  b: |\n", last=False)
    before = highlighter.copy().feed("    text\n", last=True)
    highlighter.copy().feed("c: [1,\n", last=True)

    assert highlighter.feed("    text\n", last=True) == before


def test_unknown_languages_have_no_colours() -> None:
    ((segment,),) = Highlighter("no such language", "monokai").feed("x = 1\n", last=True)

    assert segment.text == "x = 1"
    assert segment.style is None or segment.style.color is None


def _streamed(code: str, language: str, lines: int) -> list[tuple[str, str]]:
    highlighter = Highlighter(language, "monokai")
    found = re.findall(r"[^\n]*\n", code)
    groups = ["".join(found[start : start + lines]) for start in range(0, len(found), lines)]
    shown = [line for group in groups for line in highlighter.feed(group, last=False)]
    shown += highlighter.feed("", last=True)
    return [(c, _look(s.style)) for line in shown for s in line for c in s.text if not c.isspace()]


def _whole(code: str, language: str) -> list[tuple[str, str]]:
    syntax = Syntax(code, language, theme="monokai")
    theme = Syntax.get_theme("monokai")
    assert syntax.lexer is not None
    tokens = syntax.lexer.get_tokens(code.expandtabs(4))
    return [(c, _look(theme.get_style_for_token(kind))) for kind, text in tokens for c in text if not c.isspace()]


def _look(style: object) -> str:
    return repr([getattr(style, name, None) for name in ("color", "bold", "italic", "underline")])
