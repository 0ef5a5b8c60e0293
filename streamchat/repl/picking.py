"""Choosing one of several rows with the arrow keys, below the prompt, without leaving anything on the screen."""

from functools import partial

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.styles import BaseStyle

_ROWS = 8


def pick(title: str, rows: list[str], source: Input, out: Output, *, style: BaseStyle | None = None) -> int | None:
    """The chosen row's number; None when the person chose none. The last row is offered first."""
    at = len(rows) - 1
    keys = KeyBindings()

    def fragments() -> StyleAndTextTuples:
        shown: StyleAndTextTuples = []
        for number, row in enumerate(rows):
            if number == at:
                shown.append(("[SetCursorPosition]", ""))
            shown.append(("bold" if number == at else "", f"{'>' if number == at else ' '} {row}\n"))
        return shown

    def move(by: int) -> None:
        nonlocal at
        at = min(max(at + by, 0), len(rows) - 1)

    for key, by in (("up", -1), ("c-p", -1), ("down", 1), ("c-n", 1), ("pageup", -_ROWS), ("pagedown", _ROWS)):
        keys.add(key)(partial(lambda by, _: move(by), by))

    @keys.add("enter")
    def take(event: KeyPressEvent) -> None:
        event.app.exit(result=at)

    @keys.add("escape", eager=True)
    @keys.add("c-c")
    @keys.add("c-d")
    @keys.add("<sigint>")
    def leave(event: KeyPressEvent) -> None:
        event.app.exit(result=None)

    head = Window(FormattedTextControl(f"{title}   (Up, Down, Enter; Esc leaves it as it is)"), height=1)
    body = Window(FormattedTextControl(fragments, focusable=True, show_cursor=False), height=min(len(rows), _ROWS))
    app: Application[int | None] = Application(
        Layout(HSplit([head, body])), key_bindings=keys, style=style, input=source, output=out, erase_when_done=True
    )
    app.ttimeoutlen = 0.05
    return app.run()
