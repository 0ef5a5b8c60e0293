"""Blocks of Markdown as lines for a terminal: Rich's own Markdown, and what we do differently from it.

Where none of these applies, the lines are those of `rich.markdown.Markdown`, but for blanks at their ends:

- **Code** stands flush left, also inside of lists and quotes, without box, padding or background, and long lines are
  left to the terminal to wrap: what is copied is the code. A dim line above it has its number and language.
- **Inline HTML** and **HTML blocks** are shown as text (Rich deletes them); `<br>` breaks the line, `<kbd>` pairs are
  styled as Rich styles them.
- **Links** show where they go: `text (url)`. Only where the text is the url itself, and it is http or https, does the
  terminal get a link.
- **Images** are their description and target, in their place in the text.
- **Task lists** have boxes, and **alerts** (`> [!NOTE]`) their kind as a heading.
- **Ordered lists** have a column as wide as the last number needs that begins within the first 2,000 characters of the
  list, up to 99, and wider where a later number needs it: Rich looks at the last number, however far away that is.
- **Tables** of more than 100 rows have the widths that their first 100 rows need, and in none of them is a word cut
  short that has no room in its column: it is broken.
- **Nested** text has eight columns at least; Rich goes on narrowing it until there is no room for a letter.
- **Paragraphs** of more than 2,000 characters never turn into headings by a line of dashes below them.
- **Hostile text** is made safe (`safe.py`), before it is laid out.
"""

from collections.abc import Iterator
from copy import copy

from markdown_it.token import Token
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from streamchat.views.blocks import Block, Blocks
from streamchat.views.elements import Line, Markdown
from streamchat.views.highlight import Highlighter
from streamchat.views.rewriting import SEAM, rewritten
from streamchat.views.structure import CONTAINERS

CODE_THEME = "ansi_dark"
"""The terminal's own colours: readable on whatever background they were chosen for."""

__all__ = ["CODE_THEME", "Line", "Sheet", "rendered"]

_NEVER_FIRST = CONTAINERS | {"table_open"}
"""Rich puts a blank line before these even at the start, because something is in them."""


class Sheet:
    """Renders the blocks of one answer in their order, and keeps what one needs to know about those before it."""

    def __init__(self, console: Console, *, code_theme: str = CODE_THEME) -> None:
        self.console = console
        self.code_theme = code_theme or CODE_THEME
        self.highlighter = Highlighter("", self.code_theme)  # of the last code
        self.carried = Text()  # the last line of the last part of a paragraph
        self.widths: list[int] = []  # of the columns of the last table
        self.begun = False  # whether there was any block
        self._codes = 0
        self._blank = False  # whether a blank line comes before the next block
        self._previewed: list[tuple[Block, list[Line], Sheet]] = []
        self._width = console.width

    def begin_code(self, language: str) -> int:
        """Another code block begins; its number."""
        self._codes += 1
        self.highlighter = Highlighter(language, self.code_theme)
        return self._codes

    def lines(self, block: Block) -> list[Line]:
        """The lines of a block."""
        self._previewed = []
        tokens = list(rewritten(block.tokens))
        if self._blank and not block.continued:
            tokens.insert(0, SEAM)
        if _ends_in_rule(tokens):
            tokens.insert(-1, SEAM)
        markdown = Markdown(tokens, self)
        lines = list(Segment.split_lines(self.console.render(markdown, self.console.options)))
        if block.continued and lines and not lines[0] and block.tokens[0].type in _NEVER_FIRST:
            del lines[0]
        self._blank = block.tokens[-1].type != "hr"
        self.begun = True
        return [_trimmed(line) for line in lines]

    def preview(self, waiting: list[Block], opened: list[Block]) -> list[Line]:
        """The lines of blocks as they would be now, without taking notice of them; those that wait are kept."""
        if self.console.width != self._width:
            self._previewed, self._width = [], self.console.width
        kept = 0
        while kept < min(len(waiting), len(self._previewed)) and self._previewed[kept][0] is waiting[kept]:
            kept += 1
        del self._previewed[kept:]
        for block in waiting[kept:]:
            sheet = self._latest()
            self._previewed.append((block, sheet.lines(block), sheet))
        sheet = self._latest()
        lines = [line for _, lines, _ in self._previewed for line in lines]
        return lines + [line for block in opened for line in sheet.lines(block)]

    def _latest(self) -> "Sheet":
        """One that goes on after the last block that was previewed, and does not change this one."""
        return (self._previewed[-1][2] if self._previewed else self)._copy()

    def _copy(self) -> "Sheet":
        other = copy(self)
        other._previewed = []
        other.highlighter = self.highlighter.copy()
        return other


def rendered(text: str, sheet: Sheet) -> Iterator[Line]:
    """A whole text as lines."""
    blocks = Blocks()
    blocks.feed(text)
    blocks.close()
    for block in blocks.take():
        yield from sheet.lines(block)


def _ends_in_rule(tokens: list[Token]) -> bool:
    """A quote whose last thing is a rule: Rich has no blank line before it, but what is last is not known in time."""
    return tokens[-1].type == "blockquote_close" and tokens[-2].type == "hr"


def _trimmed(line: Line) -> Line:
    """A line without the blanks at its end that nobody can see."""
    while line and not line[-1].control and not _is_visible(line[-1].style):
        text = line[-1].text.rstrip(" ")
        if text:
            if text != line[-1].text:
                line[-1] = Segment(text, line[-1].style)
            break
        line.pop()
    return line


def _is_visible(style: Style | None) -> bool:
    """Whether a blank of this style can be seen."""
    return style is not None and bool(style.bgcolor or style.underline or style.reverse or style.strike)
