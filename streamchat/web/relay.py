"""Passing an answer on as it came, where provider and client speak the same format: what we do not know survives.

The wire that reads the answer keeps each whole event beside what it makes of it; the encoder sends those instead of
writing its own. So the run's reply, limits and errors are those of every answer, and the ordinary path pays nothing.
An error event is not passed on but told by us: a server may quote the key that it refuses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from streamchat.chat import Chat, Reply
from streamchat.errors import ChatError, ProviderError
from streamchat.events import Event, Stop, Usage
from streamchat.providers.base import Provider, Wire
from streamchat.providers.wire.datum import lenient
from streamchat.providers.wrapped import Wrapped
from streamchat.sse import Frame, frame

_NOTHING_NEW = Usage()
"""An event for what we have no word for, such as a tool call: it changes no reply, and says that something came."""


class Passing(Struct):
    """What is on its way through: the events that came since the last time, and the one that said it was the end."""

    came: list[Frame] = []
    last: Frame | None = None
    begun: bool = False

    def take(self) -> list[Frame]:
        """The events that are to go out now."""
        taken, self.came = self.came, []
        return taken


class Relayed(Wrapped):
    """A provider whose answer is passed on. Once some of it has gone out, it is not asked for again."""

    def __init__(self, provider: Provider, passing: Passing, *, usage_asked: bool = True) -> None:
        """Without `usage_asked`, an event that has usage and nothing else is for us alone."""
        super().__init__(provider)
        self._passing, self._usage_asked = passing, usage_asked

    def wire(self, chat: Chat) -> Wire:
        return _RelayWire(self.provider.wire(chat), self._passing, usage_asked=self._usage_asked)

    def error(self, exc: Exception) -> ChatError | None:
        ours = super().error(exc)
        if ours is not None and self._passing.begun:
            ours.transient = False
        return ours


class _RelayWire(Wire):
    def __init__(self, wire: Wire, passing: Passing, *, usage_asked: bool) -> None:
        super().__init__()
        self._wire, self._passing, self._usage_asked = wire, passing, usage_asked

    def read(self, frame: Frame) -> Iterable[Event]:
        passing = self._passing
        try:
            events = list(self._wire.read(frame))
        except ChatError as exc:
            exc.transient = exc.transient and not passing.begun
            raise
        if self._wire.ended:
            self.ended, passing.last = True, frame
            return events
        if frame.event == "ping" or (not self._usage_asked and _is_usage_alone(events, frame)):
            return events
        passing.came.append(frame)
        passing.begun = True
        return events or (_NOTHING_NEW,)

    def close(self) -> Stop:
        return self._wire.close()


class Passed:
    """The encoder of what came as it came. `end` is for a server that did not send its own end."""

    def __init__(self, passing: Passing, *, ping: bytes, end: bytes, told: Callable[[ChatError], bytes]) -> None:
        self.ping = ping
        self._passing, self._end, self._told = passing, end, told

    def start(self) -> Sequence[bytes]:
        return ()

    def events(self, batch: Sequence[Event]) -> Sequence[bytes]:
        return list(map(_bytes, self._passing.take()))

    def done(self, reply: Reply) -> Sequence[bytes]:
        last = self._passing.last
        return [*map(_bytes, self._passing.take()), _bytes(last) if last else self._end]

    def error(self, error: ChatError, reply: Reply) -> Sequence[bytes]:
        return [*map(_bytes, self._passing.take()), self._told(error)]


class Gathered:
    """The encoder for who wants the whole answer at once: nothing is sent, each event is put to what came before."""

    ping = b""

    def __init__(self, passing: Passing, add: Callable[[Mapping[str, Any]], None]) -> None:
        self._passing, self._add = passing, add

    def start(self) -> Sequence[bytes]:
        return ()

    def events(self, batch: Sequence[Event]) -> Sequence[bytes]:
        for each in self._passing.take():
            try:
                self._add(lenient(each.data))
            except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as exc:
                raise ProviderError("a chunk of the answer has an unexpected shape") from exc
        return ()

    def done(self, reply: Reply) -> Sequence[bytes]:
        return self.events(())

    def error(self, error: ChatError, reply: Reply) -> Sequence[bytes]:
        return ()


class _Choices(Struct):
    choices: list[msgspec.Raw] | None = None


_CHOICES = msgspec.json.Decoder(_Choices)


def _is_usage_alone(events: Sequence[Event], frame: Frame) -> bool:
    if not events or not isinstance(events[-1], Usage):
        return False
    try:
        return not _CHOICES.decode(frame.data).choices
    except msgspec.DecodeError:
        return False


def _bytes(came: Frame) -> bytes:
    return frame(came.data, event=None if came.event == "message" else came.event)
