"""Code coloured line by line while it grows, with the lexer's state kept from one line to the next."""

from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax

from streamchat.views.safe import safe


class Highlighter:
    """Colours the code of one block, given to it in whole lines, in order."""

    def __init__(self, language: str, theme: str) -> None:
        self.language, self.theme = language, theme
        self._blank = 0

    def copy(self) -> "Highlighter":
        other = Highlighter(self.language, self.theme)
        other._blank = self._blank
        return other

    def feed(self, code: str) -> list[list[Segment]]:
        syntax = Syntax(code, self.language or "text", theme=self.theme)
        lexer = syntax.lexer
        theme = syntax.get_theme(self.theme)
        code = code.rstrip().expandtabs(4)
        if not code:
            return []
        if lexer is None:
            return [[Segment(line)] for line in code.split("\n")]
        segments = [
            Segment(safe(text), _plain(theme.get_style_for_token(kind))) for kind, text in lexer.get_tokens(code)
        ]
        return list(Segment.split_lines(segments))


def _plain(style: Style) -> Style:
    return Style(color=style.color, bold=style.bold, italic=style.italic, underline=style.underline)
