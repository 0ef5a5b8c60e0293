"""What is typed while an answer streams: a draft that grows, and the finished messages that wait in a queue."""

import threading
from collections.abc import Callable, Sequence

from prompt_toolkit.document import Document
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from streamchat.repl.draft import Draft
from streamchat.repl.entry import Pastes, broken

_SHOWN = 3
_LEAVE = "/exit"


class TypeAhead:
    """Takes keys from the keyboard's thread; what it holds may be read and taken by any.

    Enter queues the draft, wherever the cursor is in it. Esc takes the queue back into the draft, and stops the answer
    where nothing is queued; Ctrl+C always stops it. Ctrl+D without a draft queues the leaving.
    """

    def __init__(
        self, pastes: Pastes, *, stop: Callable[[], None], earlier: Callable[[], Sequence[str] | None] = tuple
    ) -> None:
        """`earlier` gives the messages of the prompt's history, the latest last; None where nothing is recalled."""
        self.changed: Callable[[], None] = lambda: None
        """Called after each key."""
        self.say: Callable[[str], None] = lambda _: None
        """Called with what has become of a message that was typed, for who cannot see it."""
        self.unfold: Callable[[], None] = lambda: None
        """Called for Ctrl+O: shows the reasoning that comes, or hides it."""
        self.queue: list[str] = []
        self._draft, self._stop = Draft(pastes, earlier=self._recalled), stop
        self._earlier = earlier
        self._lock = threading.Lock()

    def key(self, press: KeyPress) -> None:
        """One key."""
        stops = False
        with self._lock:
            queued = len(self.queue)
            match press.key:
                case Keys.ControlC:
                    stops = True
                case Keys.Escape if self.queue:
                    self._take_back()
                case Keys.Escape:
                    stops = True
                case Keys.ControlM:
                    self._enter()
                case Keys.ControlD if not self.draft:
                    self.queue.append(_LEAVE)
                case _:
                    self._draft.key(press)
            told = self._told(queued)
        if press.key == Keys.ControlO:
            self.unfold()
        if told:
            self.say(told)
        if stops:
            self._stop()
        self.changed()

    @property
    def draft(self) -> str:
        """What is typed and not queued."""
        return self._draft.text

    def begin_with(self, text: str) -> None:
        """Put this into the draft, in front of what is typed already."""
        with self._lock:
            self._draft.begin_with(text)

    def lines(self) -> tuple[list[str], str]:
        """What is to be seen of it: the queue, and the draft as the last line; and what of that is behind the cursor.
        No lines when nothing was typed."""
        with self._lock:
            queue, draft, behind = list(self.queue), self.draft, self._draft.behind
        if not queue and not draft:
            return [], ""
        shown = [f"queued: {text}" for text in queue[-_SHOWN:]]
        if len(queue) > _SHOWN:
            shown.insert(0, f"queued: {len(queue) - _SHOWN} more")
        return [*shown, f"> {draft}"], behind

    def next(self) -> str | None:
        """The first message of the queue, which is no longer in it; None when there is none."""
        with self._lock:
            return self.queue.pop(0) if self.queue else None

    def take_draft(self) -> Document:
        """The draft with its cursor, for the editor; there is none then."""
        with self._lock:
            return self._draft.take()

    def take_back(self) -> None:
        """The whole queue goes back into the draft."""
        with self._lock:
            self._take_back()

    def _recalled(self) -> Sequence[str]:
        earlier = self._earlier()
        return () if earlier is None else [*earlier, *self.queue]

    def _told(self, queued: int) -> str:
        """What a key has changed of a queue of that length."""
        if len(self.queue) > queued:
            return f"queued: {self.queue[-1]}"
        return f"taken back: {self.draft}" if len(self.queue) < queued else ""

    def _enter(self) -> None:
        more = None if self._draft.behind else broken(self.draft)
        if more is not None:
            self._draft.text = more
        elif self.draft.strip():
            self.queue.append(self.draft)
            self._draft.text = ""

    def _take_back(self) -> None:
        if texts := [text for text in self.queue if text != _LEAVE]:
            self._draft.begin_with("\n".join(texts))
        self.queue = []
