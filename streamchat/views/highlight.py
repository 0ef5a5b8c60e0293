"""Code in a theme's colours for the terminal, while it grows."""

from copy import copy
from functools import cache

from pygments.styles import get_all_styles
from pygments.token import _TokenType
from rich.segment import Segment
from rich.style import Style
from rich.syntax import RICH_SYNTAX_THEMES, Syntax, SyntaxTheme

from streamchat.views.lexing import Lines


class Highlighter:
    """Colours the code of one block, given to it in whole lines, in order."""

    def __init__(self, language: str, theme: str) -> None:
        self._lines = Lines(language)
        self._theme = theme if self._lines.known else None
        self._blank = 0  # blank lines that nothing has come after yet

    def copy(self) -> "Highlighter":
        """One that can be fed without this one noticing."""
        other = copy(self)
        other._lines = self._lines.copy()
        return other

    def feed(self, code: str, *, last: bool) -> list[list[Segment]]:
        """The lines that are settled by these; all that there are, but for blank ones at the end, with the last."""
        lines = self._lines.feed(code.expandtabs(4), last=last)
        return self._without_blank_end([[Segment(text, self._style(kind)) for kind, text in line] for line in lines])

    def _style(self, kind: _TokenType) -> Style | None:
        return _style(self._theme, kind) if self._theme else None

    def _without_blank_end(self, lines: list[list[Segment]]) -> list[list[Segment]]:
        result: list[list[Segment]] = []
        for line in lines:
            if any(segment.text.strip() for segment in line):
                result += [[] for _ in range(self._blank)]
                result.append(line)
                self._blank = 0
            else:
                self._blank += 1
        return result


def code_themes() -> list[str]:
    """The names that a theme of code can have; any other one is shown in the default's colours."""
    return [*RICH_SYNTAX_THEMES, *get_all_styles()]


@cache
def _theme(name: str) -> SyntaxTheme:
    return Syntax.get_theme(name)


@cache
def _style(theme: str, kind: _TokenType) -> Style:
    """The theme's style without its background; kept for all blocks, of which there may be any number."""
    style = _theme(theme).get_style_for_token(kind)
    return Style(color=style.color, bold=style.bold, italic=style.italic, underline=style.underline)
