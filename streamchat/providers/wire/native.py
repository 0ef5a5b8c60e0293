"""Our own events as a wire format: what `echo` and `replay` speak, and the journal's lines too."""

from collections.abc import Iterable

import msgspec

from streamchat.events import Event, Stop
from streamchat.providers.base import Wire
from streamchat.providers.wire.datum import decode
from streamchat.sse import Frame, frame

_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class NativeWire(Wire):
    """Reads frames whose data is one event each. `name` is the provider's."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self.name = name

    def read(self, frame: Frame) -> Iterable[Event]:
        event = decode(_EVENT, frame.data)
        if isinstance(event, Stop):
            self.stop, self.ended = event, True
            return ()
        return (event,)


def encode(event: Event) -> bytes:
    """One event as a frame on the wire."""
    return frame(msgspec.json.encode(event).decode())
