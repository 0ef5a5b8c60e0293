"""Rich's elements of Markdown, where we show something otherwise or have to show it in parts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from markdown_it.token import Token
from rich import box
from rich._wrap import divide_line
from rich.cells import cell_len
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

from streamchat.views.cuts import TABLE_ROWS
from streamchat.views.safe import safe

if TYPE_CHECKING:
    from streamchat.views.markdown import Sheet

Line = list[Segment]

_FLUSH = Segment("", None, [(ControlType.CARRIAGE_RETURN,)])
"""Stands before a line that no container may indent or cut."""

_NARROWEST = 8


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


def is_flush(line: Line) -> bool:
    """Whether a line is to be wrapped by the terminal, if at all."""
    return bool(line) and line[0].control is not None


def broken(line: Line, width: int) -> list[Line]:
    """A line as rows of the screen: code that is too long is broken where the terminal would break it."""
    rows: list[Line] = [[]]
    room = width
    for segment in line:
        if segment.control:
            continue
        while segment.cell_length > room:
            head, segment = segment.split_cells(room)
            joining = _joining(segment.text)
            rows[-1] += [head, Segment(segment.text[:joining], segment.style)]
            segment = Segment(segment.text[joining:], segment.style)
            rows.append([])
            room = width
        rows[-1].append(segment)
        room -= segment.cell_length
    return rows


def _joining(text: str) -> int:
    """How many characters at the start of a text stand on the one before them."""
    return next((index for index, letter in enumerate(text) if cell_len(letter)), len(text))


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


def _language(token: Token) -> str:
    return safe(token.info).partition(" ")[0] if token.type == "fence" else ""
