"""The line that is typed while an answer streams: a text with a cursor, and the keys of a line editor for it."""

import re
from collections.abc import Callable, Sequence
from unicodedata import category

from prompt_toolkit.document import Document
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from streamchat.repl.entry import Pastes
from streamchat.repl.recall import Recall

_LAST_WORD = re.compile(r"\S*\s*\Z")


class Draft:
    """What is typed so far. A folded paste in it is one character for every key; `earlier` gives what Up recalls, the
    latest last."""

    def __init__(self, pastes: Pastes, *, earlier: Callable[[], Sequence[str]] = tuple) -> None:
        self._pastes = pastes
        self._recall = Recall(earlier)
        self._column: int | None = None
        """The column to which Up and Down go, through lines that are shorter."""
        self.document = Document()

    @property
    def text(self) -> str:
        return self.document.text

    @text.setter
    def text(self, text: str) -> None:
        self.document = Document(text)
        self._recall.forget()

    @property
    def behind(self) -> str:
        """What stands behind the cursor."""
        return self.document.text_after_cursor

    def take(self) -> Document:
        """All of it; nothing is left."""
        self._settle()
        taken, self.text = self.document, ""
        return taken

    def begin_with(self, text: str) -> None:
        """This comes before what is typed, in lines of its own; the cursor stays where it is in that."""
        self._settle()
        before = f"{text}\n" if self.text else text
        self.document = Document(before + self.text, len(before) + self.document.cursor_position)

    def _settle(self) -> None:
        """The draft that Up has left comes back: it is not the person who ends the looking."""
        kept = self._recall.kept(self.text)
        if kept != self.text:
            self.document = Document(kept)
        self._recall.forget()

    def key(self, press: KeyPress) -> None:
        """One key; nothing comes of one that no line editor knows."""
        line, place = self.document, self.document.cursor_position
        column, self._column = self._column or line.cursor_position_col, None
        match press.key:
            case Keys.Up | Keys.ControlP if line.cursor_position_row:
                self._go(place + line.get_cursor_up_position(preferred_column=column))
                self._column = column
            case Keys.Down | Keys.ControlN if not line.on_last_line:
                self._go(place + line.get_cursor_down_position(preferred_column=column))
                self._column = column
            case Keys.Up | Keys.ControlP if (text := self._recall.step(self.text, -1)) is not None:
                self.document = Document(text)
            case Keys.Down | Keys.ControlN if (text := self._recall.step(self.text, 1)) is not None:
                self.document = Document(text, len(text.partition("\n")[0]))
            case Keys.Left | Keys.ControlB:
                self._go(self._pastes.left(self.text, place))
            case Keys.Right | Keys.ControlF:
                self._go(self._pastes.right(self.text, place))
            case Keys.Home | Keys.ControlA:
                self._go(place + line.get_start_of_line_position())
            case Keys.End | Keys.ControlE:
                self._go(place + line.get_end_of_line_position())
            case Keys.ControlLeft:
                self._go(place + (line.find_previous_word_beginning() or -place))
            case Keys.ControlRight:
                self._go(self._word_end())
            case Keys.ControlDelete:
                self._delete(self._word_end())
            case Keys.ControlH:
                self._delete(self._pastes.left(self.text, place))
            case Keys.Delete | Keys.ControlD:
                self._delete(self._pastes.right(self.text, place))
            case Keys.ControlW:
                self._delete(_LAST_WORD.search(line.text_before_cursor).start())  # type: ignore[union-attr]
            case Keys.ControlU:
                self._delete(place + (line.get_start_of_line_position() or -1))
            case Keys.ControlK:
                self._delete(place + (line.get_end_of_line_position() or 1))
            case Keys.BracketedPaste:
                self._insert(self._pastes.fold(press.data))
            case Keys.Any:
                self._insert(press.data)
            case Keys.ControlJ | "\r" | "\n":
                self._insert("\n")
            case key if not isinstance(key, Keys) and (category(key) != "Cc" or key == "\t"):
                self._insert(key)

    def _word_end(self) -> int:
        line = self.document
        ends = line.find_next_word_ending(include_current_position=True)
        return line.cursor_position + (ends or len(self.behind))

    def _go(self, place: int) -> None:
        """The cursor goes there, or to the place nearest to it that there is."""
        onwards = place > self.document.cursor_position
        place = max(0, min(place, len(self.text)))
        self.document = Document(self.text, self._pastes.outside(self.text, place, onwards=onwards))

    def _delete(self, place: int) -> None:
        """Delete what is between the cursor and there."""
        one, text = self.document.cursor_position, self.text
        self._go(place)
        begin, end = sorted((one, self.document.cursor_position))
        self.document = Document(text[:begin] + text[end:], begin)

    def _insert(self, text: str) -> None:
        before = self.document.text_before_cursor + text
        self.document = Document(before + self.behind, len(before))
