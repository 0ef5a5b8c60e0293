"""What a view is: the one consumer of a reply's events."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from streamchat.chat import Reply
from streamchat.events import Event

Tell = Callable[[str], None]
"""Where a line for the person goes that is no part of the answer: stderr."""

Typed = tuple[list[str], str]
"""Lines that a person types below an answer, the last of which goes on, and what of that stands behind the cursor."""


def quiet(line: str) -> None:
    """Tell nobody."""


class View(Protocol):
    """Shows one reply while it arrives.

    `show` pulls the events until they end; whatever the iterator raises (an error, Ctrl-C) passes through after the
    view has left its output in order: what had come stays shown, cursor and modes are restored. `reply` is the growing
    whole: it already contains an event when the iterator yields it.
    """

    def show(self, events: Iterator[Event], reply: Reply) -> None: ...


class Stepped(ABC):
    """A view that can be shown in steps too, by those who have the events one at a time: `begin`, `take`, `end`."""

    def show(self, events: Iterator[Event], reply: Reply) -> None:
        """Show the reply until its events end; whatever they raise passes through when the screen is in order."""
        self.begin(reply)
        try:
            for event in events:
                self.take(event)
        finally:
            self.end()

    @abstractmethod
    def begin(self, reply: Reply) -> None:
        """Nothing has come yet."""

    @abstractmethod
    def take(self, event: Event) -> None:
        """Show one event, which the reply has already."""

    @abstractmethod
    def end(self) -> None:
        """Leave the screen in order, with the last line."""


@runtime_checkable
class Redrawn(Protocol):
    """A view that draws again what may still change."""

    def pause(self, meanwhile: Callable[[], None]) -> None:
        """Take off the screen what may still change, call `meanwhile`, and draw it again on the line it ends on."""
