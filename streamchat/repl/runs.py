"""Text that comes in one piece is one key. Pasted without brackets, each letter of it would cost as much as a key that
a person presses: all bindings are looked through for it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from unicodedata import category

from prompt_toolkit.application import get_app
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import emacs_insert_mode, has_focus, vi_insert_mode
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

_TYPED = 16
"""So many letters in one piece may have been typed."""
_PIECE = 65536
"""Letters that are read in one piece at most, before what they are is shown."""
_BETWEEN = (Keys.ControlM, Keys.ControlI)
"""The other keys that a text may have."""
_writes = has_focus(DEFAULT_BUFFER) & (emacs_insert_mode | vi_insert_mode)


def runs(pressed: Sequence[KeyPress]) -> Iterator[KeyPress]:
    """The keys of one piece; where they are a text, each long run of letters is one `Keys.Any` that writes them all."""
    text = all(_written(press) or press.key in _BETWEEN for press in pressed)
    for written, group in groupby(pressed, lambda press: bool(_written(press))):
        presses = list(group)
        if text and written and len(presses) > _TYPED:
            yield KeyPress(Keys.Any, "".join(map(_written, presses)))
        else:
            yield from presses


def _written(press: KeyPress) -> str:
    """The letter that a key writes, or the line break; "" for all others."""
    if press.key == Keys.ControlJ:
        return "\n"
    return "" if isinstance(press.key, Keys) or category(press.key) == "Cc" else press.key


class Input(Vt100Input):
    """The keys of a terminal for the editor, in pieces as large as they come."""

    def read_keys(self) -> list[KeyPress]:
        data = piece = self.stdin_reader.read()
        while piece and len(data) < _PIECE:
            piece = self.stdin_reader.read()
            data += piece
        self.vt100_parser.feed(data)
        keys, self._buffer = self._buffer, []
        return list(runs(keys)) if self._are_written() else keys

    def _are_written(self) -> bool:
        """Whether letters write themselves just now, and are no commands or a part of one."""
        return _writes() and not get_app().key_processor.key_buffer
