"""The view on a terminal while Rich is not there yet: the first words stand there at once, and Rich goes on from them.

Rich, its Markdown and its colours are a quarter of the way to the first word. So they are loaded by a thread when the
question is on its way: most models think longer than that takes. Words that come sooner are written here, as long as
they are nothing but the beginning of a paragraph, which Rich would show letter by letter as it came.
"""

import re
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from streamchat.chat import Reply
from streamchat.events import Event, Text, Usage
from streamchat.threads import deaf
from streamchat.views.base import Stepped
from streamchat.views.tty import size_of

if TYPE_CHECKING:
    from streamchat.views.panel import LiveView

PLAIN = re.compile(r"""[A-Za-z\u00c0-\u024f][A-Za-z0-9\u00c0-\u024f ,.;:()'"?%/-]*""")
"""Text that is a paragraph's beginning whatever follows on its line, every letter of it one column wide."""

_HEAD_START = 0.05
"""Seconds in which the question has gone out and a server that answers at once has answered."""
_UNKNOWN = 40
"""The width of a terminal that does not say it: no less than this."""
_TURN = 0.0005
"""Seconds after which a thread that imports lets the one that reads the answer have its turn."""


class FirstView(Stepped):
    """Shows a reply on a terminal that can move its cursor, `width` wide; `load` makes the view that goes on."""

    def __init__(self, out: TextIO, load: Callable[[], "LiveView"], *, width: int = 0) -> None:
        self._out, self._load = out, load
        self._width = width or size_of(out).columns or _UNKNOWN
        self._early: list[Event] = []
        self._text = self._written = ""
        self._plain = True
        self._view: LiveView | None = None
        self._failure: BaseException | None = None
        self._taking = threading.RLock()
        self._wanted = threading.Event()

    def begin(self, reply: Reply) -> None:
        self._loading = threading.Thread(target=self._go_on, args=(reply,), name="load-view", daemon=True)
        with deaf():
            self._loading.start()

    def take(self, event: Event) -> None:
        with self._taking:
            if self._failure is not None:
                raise self._failure
            if self._view is not None:
                self._view.take(event)
                return
            self._early.append(event)
            if isinstance(event, Text):
                self._paint(event.text)
            elif not isinstance(event, Usage):
                self._plain = False

    def end(self) -> None:
        self._wanted.set()
        self._loading.join()
        if self._failure is not None:
            raise self._failure
        assert self._view is not None
        self._view.end()

    def pause(self, meanwhile: Callable[[], None]) -> None:
        """Take off the screen what may still change, call `meanwhile`, go on from the start of an empty line."""
        with self._taking:
            if self._view is not None:
                self._view.pause(meanwhile)
                return
            if self._written:
                self._write("\r\x1b[K")
            self._written, self._plain = "", False
            meanwhile()

    def _paint(self, more: str) -> None:
        """Write what is new, unless Rich has to be waited for. Blanks at the end are shown when something follows."""
        self._text += more
        text = self._text.rstrip(" ")
        self._plain = self._plain and len(text) < self._width - 1 and (not text or bool(PLAIN.fullmatch(text)))
        if self._plain and text:
            self._write(text[len(self._written) :])
            self._written = text
            self._wanted.set()

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def _go_on(self, reply: Reply) -> None:
        """Load the view, and let it have what came until then."""
        self._wanted.wait(_HEAD_START)
        turn = sys.getswitchinterval()
        sys.setswitchinterval(_TURN)
        try:
            view = self._load()
            with self._taking:
                view.take_over(self._written)
                view.begin(reply)
                for event in self._early:
                    view.take(event)
                self._view = view
        except BaseException as error:  # it belongs to whoever shows
            self._failure = error
        finally:
            sys.setswitchinterval(turn)
