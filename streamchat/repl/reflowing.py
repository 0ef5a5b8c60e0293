"""What the editor has drawn, when the window has changed its width: terminals break the rows anew, and the editor's
library, which goes up as many rows as it drew, would leave the first half of each that was broken."""

from collections.abc import Callable, Mapping
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.screen import Char
from prompt_toolkit.renderer import Renderer

from streamchat.views.tty import ERASE_DOWN, reflows


def reflowing(app: Application[Any]) -> None:
    """Let this application find what it has drawn, whatever the window has become meanwhile."""
    if reflows() and not isinstance(app.renderer, Reflowing):
        app.renderer = Reflowing(
            app.renderer.style, app.output, cpr_not_supported_callback=app.cpr_not_supported_callback
        )
        _hear(app, app.renderer, app._on_resize)


def _hear(app: Application[Any], renderer: "Reflowing", resized: Callable[[], None]) -> None:
    """Let a signal be news only where nothing was drawn for this size. By the time of a late one the terminal may have
    broken the rows for its next size, which nobody can ask for yet: erasing by this one would leave some of them."""

    def changed() -> None:
        if not renderer.fits():
            resized()

    app._on_resize = changed  # type: ignore[method-assign]


class Reflowing(Renderer):
    """Erases by where the cursor is now."""

    def fits(self) -> bool:
        """Whether what stands there was drawn for the window as it is."""
        return self._last_size == self.output.get_size()

    def render(self, app: Application[Any], layout: Layout, is_done: bool = False) -> None:
        if self._last_size and not self.fits():  # a key was quicker than the signal, which has nothing to do any more
            self.erase()
            app._request_absolute_cursor_position()
        super().render(app, layout, is_done)

    def erase(self, leave_alternate_screen: bool = True) -> None:
        self._cursor_pos = Point(0, self._above())
        self.output.write_raw("\r")
        self.output.cursor_up(self._cursor_pos.y)
        self.output.write_raw(ERASE_DOWN)
        self.output.reset_attributes()
        self.output.enable_autowrap()
        self.output.flush()
        self.reset(leave_alternate_screen=leave_alternate_screen)

    def _above(self) -> int:
        """How many rows of what was drawn are above the cursor's."""
        cursor, screen, drawn = self._cursor_pos, self.last_rendered_screen, self._last_size
        size = self.output.get_size()
        if screen is None or drawn is None or drawn.columns <= size.columns:
            return cursor.y
        *above, own = (_begins(screen.data_buffer[y], drawn.columns, size.columns) for y in range(cursor.y + 1))
        within = sum(0 < begin <= cursor.x for begin in own)
        return min(sum(map(len, above)) + within, size.rows - 1)


def _begins(row: Mapping[int, Char], drawn: int, columns: int) -> list[int]:
    """The column at which each row begins that a row of so many columns becomes in fewer."""
    begins, used = [0], 0
    for column in range(1 + max((x for x, cell in row.items() if x < drawn and not cell.char.isspace()), default=0)):
        width = row[column].width if column in row else 1
        if used + width > columns:
            begins.append(column)
            used = 0
        used += width
    return begins
