"""Letters as a person counts them, for the keys of the prompt: one with its accents, an emoji of several parts, a
folded paste. By itself the editor counts code points, and takes half of one away."""

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import (
    Condition,
    emacs_insert_mode,
    has_focus,
    has_selection,
    vi_insert_mode,
    vi_navigation_mode,
)
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from streamchat.repl.entry import Pastes


def letter_keys(pastes: Pastes) -> KeyBindings:
    """The keys that go by one letter, or delete one."""
    keys = KeyBindings()
    writing = has_focus(DEFAULT_BUFFER) & (emacs_insert_mode | vi_insert_mode) & ~has_selection
    before_text = writing & Condition(lambda: bool(get_app().current_buffer.document.text_after_cursor))

    def ends_paste() -> bool:
        before = get_app().current_buffer.document.text_before_cursor
        return bool(before) and pastes.outside(before, len(before) - 1, onwards=False) < len(before) - 1

    def begins_parts() -> bool:
        here = get_app().current_buffer.document
        return pastes.right(here.text, here.cursor_position) > here.cursor_position + 1

    def begins_paste() -> bool:
        here = get_app().current_buffer.document
        return pastes.outside(here.text, here.cursor_position + 1, onwards=True) > here.cursor_position + 1

    before_paste = Condition(begins_paste)
    behind_paste, before_parts = Condition(ends_paste), Condition(begins_parts)

    @keys.add("left", filter=writing)
    @keys.add("c-b", filter=writing & emacs_insert_mode)
    def left(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_position -= _left(event)

    @keys.add("right", filter=before_text)
    @keys.add("c-f", filter=before_text & emacs_insert_mode)
    def right(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_position += _right(event)

    @keys.add("backspace", filter=writing)
    def delete_left(event: KeyPressEvent) -> None:
        event.current_buffer.delete_before_cursor(_left(event))

    @keys.add("c-w", filter=writing & behind_paste)
    @keys.add("escape", "backspace", filter=writing & emacs_insert_mode & behind_paste)
    def delete_paste(event: KeyPressEvent) -> None:
        event.current_buffer.delete_before_cursor(_left(event))

    @keys.add("delete", filter=writing)
    @keys.add("c-d", filter=before_text & emacs_insert_mode)
    def delete_right(event: KeyPressEvent) -> None:
        event.current_buffer.delete(_right(event))

    @keys.add("c-delete", filter=writing & before_paste)
    @keys.add("escape", "d", filter=writing & emacs_insert_mode & before_paste)
    def delete_next_paste(event: KeyPressEvent) -> None:
        event.current_buffer.delete(_right(event))

    @keys.add("x", filter=has_focus(DEFAULT_BUFFER) & vi_navigation_mode & before_parts)
    def take_out(event: KeyPressEvent) -> None:
        event.app.clipboard.set_text(event.current_buffer.delete(_right(event)))

    def _left(event: KeyPressEvent) -> int:
        here = place = event.current_buffer.cursor_position
        for _ in range(event.arg):
            place = pastes.left(event.current_buffer.text, place)
        return here - place

    def _right(event: KeyPressEvent) -> int:
        here = place = event.current_buffer.cursor_position
        for _ in range(event.arg):
            place = pastes.right(event.current_buffer.text, place)
        return place - here

    return keys


def keep_outside(buffer: Buffer, pastes: Pastes) -> None:
    """Let the cursor never stand inside of the mark of a folded paste, whatever moves it."""
    was = 0

    def moved(_: Buffer) -> None:
        nonlocal was
        place = pastes.outside(buffer.text, buffer.cursor_position, onwards=buffer.cursor_position > was)
        was = place
        if place != buffer.cursor_position:
            buffer.cursor_position = place

    buffer.on_cursor_position_changed += moved
