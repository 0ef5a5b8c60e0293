"""The answer for programs: one JSON object a line while it arrives (`jsonl`), or one object at its end (`json`).

The lines are the conversation journal's: `reply`, then each event with the second `at` which it came, then `end`. Both
forms are a stable interface; a field may be added, none changes its meaning.
"""

import time
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from streamchat.chat import Reply
from streamchat.errors import ChatError
from streamchat.events import Event, Retry, Stop
from streamchat.views.base import Tell, quiet


class JsonLinesView:
    """Each event as a line, at once."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def show(self, events: Iterator[Event], reply: Reply) -> None:
        begun = time.monotonic()
        self._line({"type": "reply", "provider": reply.provider, "model": reply.model})
        try:
            for event in events:
                if not isinstance(event, Stop):
                    at = round(time.monotonic() - begun, 3)
                    self._line({**msgspec.to_builtins(event), "at": at})
        except ChatError as exc:
            self._line({"type": "end", **ending(reply, exc)})
            raise
        except KeyboardInterrupt:
            reply.stop("interrupted")
            self._line({"type": "end", **ending(reply, None)})
            raise
        self._line({"type": "end", **ending(reply, None)})

    def _line(self, line: dict[str, Any]) -> None:
        self._out.write(msgspec.json.encode(line) + b"\n")
        self._out.flush()


class JsonView:
    """The whole reply as one object when it has ended, also when it was cut."""

    def __init__(self, out: BinaryIO, *, tell: Tell = quiet) -> None:
        self._out, self._tell = out, tell

    def show(self, events: Iterator[Event], reply: Reply) -> None:
        error: ChatError | None = None
        try:
            for event in events:
                if isinstance(event, Retry):
                    self._tell(str(event))
        except ChatError as exc:
            error = exc
            raise
        except KeyboardInterrupt:
            reply.stop("interrupted")
            raise
        finally:
            self._out.write(msgspec.json.format(msgspec.json.encode(whole(reply, error)), indent=2) + b"\n")
            self._out.flush()


def whole(reply: Reply, error: ChatError | None) -> dict[str, Any]:
    """A reply as one object."""
    return {
        "provider": reply.provider,
        "model": reply.model,
        "text": reply.text,
        "reasoning": reply.reasoning,
        **ending(reply, error),
    }


def ending(reply: Reply, error: ChatError | None) -> dict[str, Any]:
    """How a reply ended, as the last line of it has it."""
    return {
        "stop_reason": reply.stop_reason or (error.stop_reason if error else None),
        "detail": reply.detail,
        "usage": msgspec.to_builtins(reply.usage),
        "first_token": None if reply.first_token is None else round(reply.first_token, 3),
        "elapsed": round(reply.elapsed, 3),
        "error": error.message if error else None,
    }
