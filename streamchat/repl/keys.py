"""The keys of the prompt beyond those of every line editor."""

from collections.abc import Callable

from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, emacs_mode, has_focus, is_searching, vi_navigation_mode
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, KeyPressEvent, merge_key_bindings
from prompt_toolkit.keys import Keys

from streamchat.repl.entry import Pastes, broken
from streamchat.repl.keyboard import without_mouse
from streamchat.repl.letters import letter_keys
from streamchat.repl.outside import trouble

LEAVE = "\0leave"
REWIND = "/rewind"

HELP = (
    ("Enter", "send; while an answer streams: queue"),
    ("Alt+Enter, Ctrl+J, \\ Enter", 'new line; also inside a """ block'),
    ("Esc, Ctrl+C", "while an answer streams: stop it, keep what came and what is typed"),
    ("Esc", "while something is queued: take it back into the line"),
    ("Esc Esc", "on an empty line: go back to an earlier question, edit it, ask again"),
    ("Ctrl+C", "clear the line; twice on an empty line: leave"),
    ("Ctrl+D, exit", "on an empty line: leave"),
    ("Up, Ctrl+R, Right", "earlier lines, search in them, take the suggestion"),
    ("Ctrl+G, Ctrl+X Ctrl+E", "write the message in $EDITOR"),
    ("Ctrl+O", "show the last reasoning; while it comes: unfold it, or fold it again"),
    ("Tab", "complete commands, models, profiles, names and @files"),
    ("Ctrl+Z", "suspend"),
)
"""Each key with what it does, as /help shows them."""


def bindings(
    pastes: Pastes,
    *,
    reasoning: Callable[[], None],
    suspend: Callable[[], None],
    cleared: Callable[[], str],
    hint: Callable[[str], None],
) -> KeyBindingsBase:
    """The keys of the prompt; `reasoning` and `suspend` print or stop while the prompt is off the screen, `cleared`
    hears that the line was cleared and gives a hint about it."""
    keys = KeyBindings()
    without_mouse(keys)
    editing = has_focus(DEFAULT_BUFFER) & ~is_searching
    warned = False

    @keys.add("enter", filter=editing)
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        chosen = buffer.complete_state is not None and buffer.complete_state.current_completion is not None
        if chosen and not buffer.text.startswith("/"):
            buffer.complete_state = None  # a file for a message that goes on
            return
        more = broken(buffer.text) if buffer.document.is_cursor_at_the_end else None
        if more is not None:
            buffer.text = more
            buffer.cursor_position = len(more)
        elif buffer.text.strip():
            buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=editing & emacs_mode)
    @keys.add("c-j", filter=editing)
    def newline(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add(Keys.BracketedPaste, filter=editing)
    def paste(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(pastes.fold(event.data))

    @keys.add("c-c", filter=editing)
    @keys.add("<sigint>", filter=editing)
    def clear_or_leave(event: KeyPressEvent) -> None:
        nonlocal warned
        if event.current_buffer.text:
            event.current_buffer.reset()
            hint(cleared())
            warned = False
        elif warned and event.is_repeat:
            event.app.exit(result=LEAVE)
        else:
            warned = True
            hint("Ctrl+C again leaves")

    @keys.add("escape", "escape", filter=editing & Condition(lambda: not get_app().current_buffer.text))
    def rewind(event: KeyPressEvent) -> None:
        event.app.erase_when_done = True
        event.app.exit(result=REWIND)

    @keys.add("c-g", filter=editing)
    @keys.add("c-x", "c-e", filter=editing & emacs_mode)
    @keys.add("v", filter=editing & vi_navigation_mode)
    def edit(event: KeyPressEvent) -> None:
        if why := trouble():
            hint(why)
        else:
            event.current_buffer.open_in_editor()

    @keys.add("c-o", filter=editing)
    def show_reasoning(_: KeyPressEvent) -> None:
        run_in_terminal(reasoning)

    @keys.add("c-z")
    def stop(_: KeyPressEvent) -> None:
        run_in_terminal(suspend)

    return merge_key_bindings([keys, letter_keys(pastes)])
