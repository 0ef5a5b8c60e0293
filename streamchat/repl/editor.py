"""The prompt on a terminal that can move its cursor: history, search, suggestions, completion, a line of state."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any, TextIO

from prompt_toolkit.application import Application
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from streamchat.repl.completion import mention_begun
from streamchat.repl.drawing import Drawing
from streamchat.repl.early import PROMPT
from streamchat.repl.entry import Pastes
from streamchat.repl.joined import FirstParts
from streamchat.repl.keyboard import unread
from streamchat.repl.keys import HELP, LEAVE, bindings
from streamchat.repl.letters import keep_outside
from streamchat.repl.picking import Search, pick
from streamchat.repl.runs import Input, runs
from streamchat.repl.terminal import Terminal
from streamchat.views.footer import Phrase, joined

CONTINUED = "  "

_STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "bottom-toolbar": "noreverse",
        "bottom-toolbar.text": "fg:ansibrightblack",
        "auto-suggestion": "fg:ansibrightblack",
    }
)
_PLAIN = Style.from_dict({"bottom-toolbar": "noreverse"})
_MENU_ROWS = 4


class Editor:
    """Reads one message after the other; `state` gives what the line below the prompt says."""

    keys = HELP

    def __init__(
        self,
        terminal: Terminal,
        out: TextIO,
        source: TextIO,
        *,
        history: History,
        completer: Completer,
        pastes: Pastes,
        state: Callable[[], list[Phrase]],
        vi: bool = False,
        color: bool = True,
    ) -> None:
        self.reasoning: Callable[[], None] = lambda: None
        """Shows or hides the last reasoning: what Ctrl+O does."""
        self.cleared: Callable[[], str] = lambda: ""
        """Hears that the line was cleared, and gives a hint about it."""
        self.early: Callable[[], bytes] = lambda: b""
        """Gives the keys, as the terminal sent them, that were typed before there was an editor."""
        self.drawn = Event()
        self._terminal, self._state = terminal, state
        self._drawing = Drawing()
        self._stopping = False
        self._hint = ""
        self._input, self._output = Input(source), Vt100_Output.from_pty(out)
        self._session: PromptSession[str] = PromptSession(
            history=history,
            completer=completer,
            complete_while_typing=Condition(self._completes),
            complete_in_thread=True,
            auto_suggest=AutoSuggestFromHistory(),
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            enable_open_in_editor=False,  # it would take another one for one that is not there
            enable_suspend=False,
            tempfile_suffix=".md",
            multiline=True,
            prompt_continuation=CONTINUED,
            bottom_toolbar=self._toolbar,
            input_processors=[FirstParts()],
            reserve_space_for_menu=_MENU_ROWS,
            key_bindings=bindings(
                pastes,
                reasoning=lambda: self.reasoning(),
                suspend=self._suspend,
                cleared=lambda: self.cleared(),
                hint=self._say,
            ),
            style=_STYLE if color else _PLAIN,
            include_default_pygments_style=False,
            input=self._input,
            output=self._output,
        )
        keep_outside(self._session.default_buffer, pastes)
        self._session.default_buffer.on_text_changed += lambda _: self._say("")
        self._app.after_render += lambda _: self.drawn.set()
        self._app.ttimeoutlen, self._app.timeoutlen = 0.05, 0.5

    def read(self, draft: Document) -> str | None:
        """The next message, begun with `draft`; None when the person leaves."""
        self._output.write_raw("\r")
        self._app.erase_when_done = False
        self._hint = ""
        with self._shown():
            try:
                text = self._session.prompt([("class:prompt", PROMPT)], default=draft, pre_run=self._begin)
            except EOFError:
                return None
        return None if text == LEAVE else text

    def pick(self, title: str, rows: list[str] | Search) -> int | None:
        """The number of the row that the person chooses, from 0; None for none of them."""
        with self._shown():
            return pick(
                title,
                rows,
                self._input,
                self._output,
                begun=self._drawing.begun,
                style=self._session.style,
                suspend=self._suspend,
            )

    def ahead(self) -> str:
        """The keys that came in one piece with the end of the last message: nobody has seen them yet."""
        return unread(self._input)

    def earlier(self) -> list[str]:
        """The messages of the history, the latest last."""
        return self._session.history.get_strings()

    def echo(self, text: str) -> None:
        """Show a message that was not typed here as if it had been; it belongs to the history as well."""
        self._session.history.append_string(text)
        lines = text.replace("\x1b", "\u241b").split("\n")
        self._output.write(PROMPT + f"\n{CONTINUED}".join(lines) + "\n")
        self._output.flush()

    # for the terminal: it stops this process

    def stopping(self, stop: Callable[[], None]) -> None:
        if self._stopping:
            stop()
        else:
            self._drawing.aside(stop)

    def _suspend(self) -> None:
        """Ctrl+Z at the prompt: the whole process group stops, as if the terminal had sent the signal."""
        self._stopping = True
        try:
            os.kill(0, signal.SIGTSTP)
        finally:
            self._stopping = False

    # inside

    @property
    def _app(self) -> Application[Any]:
        return self._session.app

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """Draws on the terminal."""
        with self._drawing.guarded():
            self._terminal.paused = self.stopping
            try:
                yield
            finally:
                self._terminal.paused = None

    def _begin(self) -> None:
        self._drawing.begun(self._app)
        self._take_early()

    def _take_early(self) -> None:
        """The earlier keys come before all that are still to come. The first key costs as much as the rest together
        (all bindings are looked through), so one that does nothing goes before the keys are seen here and not there."""
        self._app.key_processor.feed(KeyPress(Keys.Ignore))
        self._app.key_processor.process_keys()
        if keys := self.early():
            self._input.vt100_parser.feed(keys.decode(errors="replace"))  # it goes on where they end, in a paste too
            store_typeahead(self._input, list(runs(self._input.flush_keys())))

    def _completes(self) -> bool:
        before = self._session.default_buffer.document.text_before_cursor
        return before.startswith("/") or mention_begun(before) is not None

    def _say(self, hint: str) -> None:
        self._hint = hint

    def _toolbar(self) -> StyleAndTextTuples:
        room = self._output.get_size().columns - 1
        return [("class:bottom-toolbar.text", (self._hint or joined(self._state(), room, wide=get_cwidth))[:room])]
