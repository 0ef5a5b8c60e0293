"""A stored answer once more, as it came: its events at their own times."""

import time
from collections.abc import Iterator
from pathlib import Path

from streamchat.chat import Reply
from streamchat.errors import UsageError
from streamchat.events import Event, Stop
from streamchat.history.conversation import Conversation
from streamchat.history.turn import Turn


def timed(path: Path) -> Iterator[tuple[float, Event]]:
    """The last answer in a conversation file as a provider replays it: events with their seconds, and how it ended."""
    turn = next((turn for turn in reversed(Conversation.load(path, save=False).turns()) if turn.answer), None)
    if turn is None:
        raise UsageError(f"there is no answer in {path}")
    at = 0.0
    for at, event in turn.timed():
        if not isinstance(event, Stop):
            yield at, event
    if turn.stop_reason is not None:
        end = turn.ended
        yield (end.elapsed or at if end else at), Stop(turn.stop_reason, end.detail if end else None)


def played(turn: Turn, reply: Reply, *, speed: float = 1.0) -> Iterator[Event]:
    """The turn's events, each at its time (`speed` 2: in half of it, 0: at once), added to the reply as they go."""
    begun = time.monotonic()
    for at, event in turn.timed():
        if speed and (wait := begun + at / speed - time.monotonic()) > 0:
            time.sleep(wait)
        first = reply.first_token is None
        reply.add(event)
        reply.elapsed = at  # its own times, however fast it is played
        if first and reply.first_token is not None:
            reply.first_token = at
        yield event
    reply.stop(turn.stop_reason or "interrupted")
    if turn.ended is not None:
        reply.elapsed = turn.ended.elapsed
