"""Choosing one of several rows, by arrow keys or by typing what to look for, without leaving anything on the screen."""

from collections.abc import Callable
from functools import partial

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, VSplit, Window
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.output import Output
from prompt_toolkit.styles import BaseStyle

from streamchat.errors import ChatError
from streamchat.repl.keyboard import without_mouse

_ROWS = 8
_TYPED = 12
"""Columns that what is typed needs, beside the title or else below it."""

Search = Callable[[str], list[str]]
"""The rows that fit what is typed, the best first; all of them for nothing. ChatError for what cannot be looked for."""


def pick(
    title: str,
    rows: list[str] | Search,
    source: Input,
    out: Output,
    *,
    begun: Callable[[Application[int | None]], None],
    style: BaseStyle | None = None,
    suspend: Callable[[], None] | None = None,
) -> int | None:
    """The chosen row's number, in the list or among those that were found last; None when the person chose none.

    Of a list the last row is offered first; what is searched for is typed below the title, and its first row offered.
    In a list that is longer than what is shown of it one can search too.
    `begun` is called once it is drawn; `suspend` is what Ctrl+Z does, while it is off the screen.
    """
    return _Choice(title, rows, suspend).run(source, out, begun, style)


class _Choice:
    def __init__(self, title: str, rows: list[str] | Search, suspend: Callable[[], None] | None) -> None:
        self._title, self._suspend = title, suspend
        self._list = rows if isinstance(rows, list) else None
        self._search = rows if not isinstance(rows, list) else self._among if len(rows) > _ROWS else None
        self._rows = self._list or []
        self._numbers = list(range(len(self._rows)))
        self._at = len(self._rows) - 1
        self._trouble = ""
        self._typed = Buffer(multiline=False, on_text_changed=self._look)
        self._look(self._typed)

    def run(
        self,
        source: Input,
        out: Output,
        begun: Callable[[Application[int | None]], None],
        style: BaseStyle | None,
    ) -> int | None:
        body = Window(FormattedTextControl(self._fragments, focusable=True, show_cursor=False), height=self._height())
        keys = "(Up, Down, Enter; Esc leaves it as it is)"
        if self._search is None:
            layout = Layout(HSplit([_text(f"{self._title}   {keys}"), body]))
        else:
            typed = Window(BufferControl(self._typed), height=1)
            hint = Window(FormattedTextControl(lambda: self._trouble or f"type to search {keys}"), height=1)
            beside = out.get_size().columns >= len(self._title) + _TYPED
            head = [VSplit([_text(f"{self._title} "), typed])] if beside else [_text(self._title), typed]
            layout = Layout(HSplit([*head, body, hint]), focused_element=typed)
        app: Application[int | None] = Application(
            layout, key_bindings=self._keys(), style=style, input=source, output=out, erase_when_done=True
        )
        app.ttimeoutlen = 0.05
        return app.run(pre_run=lambda: begun(app))

    def _height(self) -> Dimension:
        """As many rows as a low window leaves."""
        rows = _ROWS if self._search else min(len(self._rows), _ROWS)
        return Dimension(min=1, preferred=rows, max=rows)

    def _look(self, typed: Buffer) -> None:
        if self._search is None:
            return
        try:
            self._rows, self._trouble = self._search(typed.text), ""
        except ChatError as exc:  # a date that is half typed, say: what was found stays
            self._trouble = exc.message
        self._at = len(self._rows) - 1 if self._list is not None else min(0, len(self._rows) - 1)

    def _among(self, text: str) -> list[str]:
        """The rows of the list that have all of these words, in any order."""
        rows, words = self._list or [], text.lower().split()
        self._numbers = [number for number, row in enumerate(rows) if all(word in row.lower() for word in words)]
        return [rows[number] for number in self._numbers]

    def _fragments(self) -> StyleAndTextTuples:
        shown: StyleAndTextTuples = []
        for number, row in enumerate(self._rows):
            if number == self._at:
                shown.append(("[SetCursorPosition]", ""))
            shown.append(("bold" if number == self._at else "", f"{'>' if number == self._at else ' '} {row}\n"))
        return shown

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        without_mouse(keys)

        def move(by: int) -> None:
            self._at = min(max(self._at + by, 0), len(self._rows) - 1)

        for key, by in (("up", -1), ("c-p", -1), ("down", 1), ("c-n", 1), ("pageup", -_ROWS), ("pagedown", _ROWS)):
            keys.add(key, eager=True)(partial(lambda by, _: move(by), by))

        @keys.add("enter", eager=True)
        def take(event: KeyPressEvent) -> None:
            if self._at >= 0:
                event.app.exit(result=self._at if self._list is None else self._numbers[self._at])

        if (suspend := self._suspend) is not None:
            keys.add("c-z")(lambda _: run_in_terminal(suspend) and None)

        @keys.add("escape", eager=True)
        @keys.add("c-c")
        @keys.add("c-d")
        @keys.add("<sigint>")
        def leave(event: KeyPressEvent) -> None:
            event.app.exit(result=None)

        return keys


def _text(text: str) -> Window:
    return Window(
        FormattedTextControl(text),
        height=Dimension(max=2),
        wrap_lines=True,
        dont_extend_width=True,
        dont_extend_height=True,
    )
