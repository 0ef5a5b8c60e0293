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
from typing import Any, ClassVar

from markdown_it.token import Token
from rich import box
from rich._wrap import divide_line
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.containers import Renderables
from rich.markdown import (
    BlockQuote,
    CodeBlock,
    ListElement,
    ListItem,
    MarkdownElement,
    Paragraph,
    TableElement,
    TableRowElement,
    TextElement,
)
from rich.markdown import Markdown as RichMarkdown
from rich.segment import ControlType, Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from streamchat.views.blocks import Block, Blocks
from streamchat.views.cuts import TABLE_ROWS
from streamchat.views.highlight import Highlighter
from streamchat.views.safe import safe
from streamchat.views.structure import CONTAINERS

CODE_THEME = "ansi_dark"
"""The terminal's own colours: readable on whatever background they were chosen for."""

_FLUSH = Segment("", None, [(ControlType.CARRIAGE_RETURN,)])
"""Stands before a line that no container may indent or cut."""

_SEAM = Token("seam", "", 0)
"""An element that Rich does not know: it renders nothing, and a blank line comes before the next block."""

_NARROWEST = 8

_ALERTS = {"NOTE": "Note", "TIP": "Tip", "IMPORTANT": "Important", "WARNING": "Warning", "CAUTION": "Caution"}

_NEVER_FIRST = CONTAINERS | {"table_open"}
"""Rich puts a blank line before these even at the start, because something is in them."""

Line = list[Segment]


class Code(CodeBlock):
    """Code that copies clean, below a dim line with its number."""

    def __init__(self, token: Token, sheet: "Sheet") -> None:
        super().__init__(_language(token), sheet.code_theme)
        self.sheet = sheet
        self.continued, self.more = bool(token.meta.get("continued")), "more" in token.meta

    @classmethod
    def create(cls, markdown: RichMarkdown, token: Token) -> "Code":
        assert isinstance(markdown, Markdown)
        return cls(token, markdown.sheet)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.continued:
            number = self.sheet.begin_code(self.lexer_name)
            yield Text(f"── {number} · {self.lexer_name}" if self.lexer_name else f"── {number}", style="dim")
        for line in self.sheet.highlighter.feed(self.text.plain, last=not self.more):
            yield _FLUSH
            yield from line
            yield Segment.line()


class Prose(Paragraph):
    """A paragraph, or a part of a long one: its last line is kept for the next part to go on with."""

    def __init__(self, justify: JustifyMethod, token: Token, sheet: "Sheet") -> None:
        super().__init__(justify)
        self.sheet = sheet
        self.continued, self.more = bool(token.meta.get("continued")), "more" in token.meta

    @classmethod
    def create(cls, markdown: RichMarkdown, token: Token) -> "Prose":
        assert isinstance(markdown, Markdown)
        return cls(markdown.justify or "left", token, markdown.sheet)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self.text
        if self.continued:
            text = self.sheet.carried.copy().append_text(text)
        if self.more:
            start = _last_line(text.plain, options.max_width)
            text, self.sheet.carried = text.divide([start]) if start else (Text(), text)
            if text.plain.endswith("\n"):
                text.right_crop()
        text.justify = self.justify
        if text or not (self.more or self.continued):
            yield text


class Rows(TableElement):
    """A table whose columns are as wide as its first rows need; its later parts are rows alone."""

    def __init__(self, token: Token, sheet: "Sheet") -> None:
        super().__init__()
        self.sheet = sheet
        self.continued, self.more = bool(token.meta.get("continued")), "more" in token.meta

    @classmethod
    def create(cls, markdown: RichMarkdown, token: Token) -> "Rows":
        assert isinstance(markdown, Markdown)
        return cls(token, markdown.sheet)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = self.body.rows if self.body else []
        if not self.continued:
            self.sheet.widths = self._grid(rows[:TABLE_ROWS]).widths_for(console, options)
        grid = self._grid(rows)
        grid.settled = self.sheet.widths
        grid.show_header = not self.continued
        lines = list(Segment.split_lines(console.render(grid, options)))
        for line in lines[1 if self.continued else 0 : -1 if self.more else None]:
            yield from line
            yield Segment.line()

    def _grid(self, rows: "list[TableRowElement]") -> "Grid":
        grid = Grid(
            box=box.SIMPLE, pad_edge=False, style="markdown.table.border", show_edge=True, collapse_padding=True
        )
        for column in self.header.row.cells if self.header and self.header.row else []:
            heading = column.content.copy()
            heading.stylize("markdown.table.header")
            grid.add_column(heading, overflow="fold")
        for row in rows:
            grid.add_row(*[cell.content for cell in row.cells])
        return grid


class Grid(Table):
    """Rich's table, with widths that were settled by others of its rows."""

    settled: list[int] | None = None

    def widths_for(self, console: Console, options: ConsoleOptions) -> list[int]:
        return self._calculate_column_widths(console, options.update_width(options.max_width - self._extra_width))

    def _calculate_column_widths(self, console: Console, options: ConsoleOptions) -> list[int]:
        if self.settled is None:
            return super()._calculate_column_widths(console, options)
        if sum(self.settled) <= options.max_width:
            return self.settled
        return self._collapse_widths(self.settled, [True] * len(self.settled), options.max_width)


class Html(TextElement):
    """An HTML block, or a part of one, as the text that it is."""

    def __init__(self, more: bool) -> None:
        self.more = more

    @classmethod
    def create(cls, markdown: RichMarkdown, token: Token) -> "Html":  # noqa: ARG003
        return cls("more" in token.meta)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.more:
            self.text.right_crop()
        else:
            self.text.rstrip()
        yield self.text


class Quote(BlockQuote):
    """A quote that leaves code alone."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from _framed(console, options, self.elements, self.style, Segment("▌ ", self.style), 4)


class List(ListElement):
    """A list whose items know their numbers."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for item in self.items:
            yield from console.render(item, options)


class Item(ListItem):
    """An item that may go on with one that was begun in an earlier part."""

    def __init__(self, meta: dict[str, Any]) -> None:
        super().__init__()
        self.meta = meta

    @classmethod
    def create(cls, markdown: RichMarkdown, token: Token) -> "Item":  # noqa: ARG003
        return cls(token.meta)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if "number" in self.meta:
            number = self.meta["number"]
            width = self.meta["numbering"].digits(number) + 2
            mark = f"{number}".rjust(width - 1) + " "
            style = console.get_style("markdown.item.number", default="none")
        else:
            mark, width = " • ", 3
            style = console.get_style("markdown.item.bullet", default="none")
        padding = Segment(" " * width, style)
        first = padding if self.meta.get("continued") else Segment(mark, style)
        yield from _framed(console, options, self.elements, self.style, padding, width, first=first)


class Markdown(RichMarkdown):
    """A block's tokens, ready for Rich to render."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **RichMarkdown.elements,
        "paragraph_open": Prose,
        "table_open": Rows,
        "fence": Code,
        "code_block": Code,
        "html_block": Html,
        "blockquote_open": Quote,
        "bullet_list_open": List,
        "ordered_list_open": List,
        "list_item_open": Item,
    }
    inlines = RichMarkdown.inlines | {"link", "link_url"}

    def __init__(self, tokens: list[Token], sheet: "Sheet") -> None:
        # Not super().__init__: it makes a parser of its own, which costs more than most blocks.
        self.parsed = tokens
        self.sheet = sheet
        self.style = "none"
        self.justify = None
        self.hyperlinks = True
        self.inline_code_lexer = None
        self.code_theme = self.inline_code_theme = sheet.code_theme


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
        tokens = list(_rewritten(block.tokens))
        if self._blank and not block.continued:
            tokens.insert(0, _SEAM)
        if _ends_in_rule(tokens):
            tokens.insert(-1, _SEAM)
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


def is_flush(line: Line) -> bool:
    """Whether a line is to be wrapped by the terminal, if at all."""
    return bool(line) and line[0].control is not None


def _ends_in_rule(tokens: list[Token]) -> bool:
    """A quote whose last thing is a rule: Rich has no blank line before it, but what is last is not known in time."""
    return tokens[-1].type == "blockquote_close" and tokens[-2].type == "hr"


def _last_line(text: str, width: int) -> int:
    """Where the last line of a text begins when it is wrapped."""
    start = text.rfind("\n") + 1
    breaks = divide_line(text[start:], width)
    return start + (breaks[-1] if breaks else 0)


def _framed(
    console: Console,
    options: ConsoleOptions,
    elements: Renderables,
    style: Style,
    padding: Segment,
    width: int,
    *,
    first: Segment | None = None,
) -> Iterator[Segment]:
    """The lines of a container behind its mark, as Rich has them; code goes through as it is."""
    inner = options.update(width=max(options.max_width - width, _NARROWEST), height=None)
    mark = first or padding
    for line in Segment.split_lines(Segment.apply_style(console.render(elements, inner), style)):
        if is_flush(line):
            yield from line
        else:
            yield mark
            yield from line
            if (blank := inner.max_width - Segment.get_line_length(line)) > 0:
                yield Segment(" " * blank, style)
            mark = padding
        yield Segment.line()


def _rewritten(tokens: list[Token]) -> Iterator[Token]:
    """The tokens with our ways of showing things put into those that Rich knows."""
    for index, token in enumerate(tokens):
        if token.type == "inline":
            children = list(_inline(token.children or []))
            container = tokens[index - 2] if index >= 2 else _SEAM
            if container.type == "list_item_open" and not container.meta["continued"]:
                _check_box(children)
            elif container.type == "blockquote_open" and not container.meta["continued"]:
                children = _alert(children)
            token = _with(token, children=children)
        elif token.content:
            token = _with(token, content=safe(token.content))
        yield token


def _inline(children: list[Token]) -> Iterator[Token]:
    """Links, images and HTML in terms of text and styles."""
    links: list[Token] = []
    for index, token in enumerate(children):
        match token.type:
            case "link_open":
                links.append(token)
                own = _is_own_text(children, index)
                yield token if own else _style("link", 1)
            case "link_close":
                link = links.pop()
                own = token.meta.get("own") or _is_own_text(children, children.index(link))
                yield token if own else _style("link", -1)
                if not own:
                    yield from _target(link.attrs.get("href", ""))
            case "image":
                yield _text("🌆 " + safe(token.content))
                yield from _target(token.attrs.get("src", ""))
            case "html_inline":
                yield _html(token, children)
            case _:
                yield _with(token, content=safe(token.content)) if token.content else token


def _html(token: Token, children: list[Token]) -> Token:
    tag = token.content.lower().replace(" ", "")
    if tag in ("<br>", "<br/>"):
        return Token("hardbreak", "br", 0)
    if tag in ("<kbd>", "</kbd>") and _kbd_pairs(children):
        return _with(token, content=tag)
    return _text(safe(token.content))


def _kbd_pairs(children: list[Token]) -> bool:
    tags = [child.content for child in children if child.type == "html_inline" and "kbd" in child.content]
    return tags == ["<kbd>", "</kbd>"] * (len(tags) // 2)


def _is_own_text(children: list[Token], index: int) -> bool:
    """Whether the link that opens here has its own address as its text, and one that a terminal may open."""
    href = str(children[index].attrs.get("href", ""))
    text = children[index + 1]
    closed = children[index + 2].type == "link_close" if index + 2 < len(children) else False
    return closed and text.content == href and href.startswith(("http://", "https://")) and safe(href) == href


def _target(url: str | int | float) -> Iterator[Token]:
    yield _text(" (")
    yield Token("code", "link_url", 0, content=safe(str(url)))
    yield _text(")")


def _check_box(children: list[Token]) -> None:
    """A task's box, in place."""
    if children and children[0].type == "text" and children[0].content[:4].lower() in ("[ ] ", "[x] "):
        mark = "☐" if children[0].content[1] == " " else "☑"
        children[0] = _with(children[0], content=mark + children[0].content[3:])


def _alert(children: list[Token]) -> list[Token]:
    """The kind of an alert, on a line of its own."""
    first = children[0].content if children else ""
    if not (first.startswith("[!") and first.endswith("]") and first[2:-1] in _ALERTS):
        return children
    rest = children[1:]
    if rest and rest[0].type in ("softbreak", "hardbreak"):
        rest = [Token("hardbreak", "br", 0), *rest[1:]]
    elif rest:
        return children
    return [_style("strong", 1), _text(_ALERTS[first[2:-1]]), _style("strong", -1), *rest]


def _language(token: Token) -> str:
    return safe(token.info).partition(" ")[0] if token.type == "fence" else ""


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _style(name: str, nesting: int) -> Token:
    return Token("style", name, nesting)  # type: ignore[arg-type]


def _with(token: Token, **changes: Any) -> Token:
    return Token(**{**{name: getattr(token, name) for name in _FIELDS}, **changes})


_FIELDS = ("type", "tag", "nesting", "attrs", "map", "level", "children", "content", "markup", "info", "meta")


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
