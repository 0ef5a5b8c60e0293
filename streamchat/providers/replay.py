"""Plays a recorded stream at its own pace, offline: the same bytes at the same times, every time.

The model's name is the recording: `showcase` and `reasoning` come with the program, anything else is a file. Two kinds
of file are understood, both JSON lines. A recording of a wire begins with `{"type": "recording", "wire": W}`, where W
is `chat`, `responses`, `messages` or `events` (our own), and goes on with `{"at": SECONDS, "data": TEXT}`, or `base64`
in the place of `data` where the bytes are no text. The other kind has the lines of a conversation's journal; its last
answer is played.
`--speed 2` plays twice as fast, `--speed 0` without waiting.
"""

import base64
import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any, Final

import msgspec

from streamchat.chat import Chat
from streamchat.errors import UsageError
from streamchat.events import Event, Stop
from streamchat.paths import expanded
from streamchat.providers.base import Wire
from streamchat.providers.offline import OfflineProvider, Piece
from streamchat.providers.wire.chat import ChatWire
from streamchat.providers.wire.messages import MessagesWire
from streamchat.providers.wire.native import NativeWire, encode
from streamchat.providers.wire.responses import ResponsesWire

SHIPPED: Final = ("showcase", "reasoning")
WIRES: Final[dict[str, Callable[[str], Wire]]] = {
    "chat": ChatWire,
    "responses": ResponsesWire,
    "messages": MessagesWire,
    "events": NativeWire,
}
Line = dict[str, Any]


class Provider(OfflineProvider):
    """Answers every question with the same recording."""

    def request(self, chat: Chat) -> dict[str, Any]:
        return {"recording": chat.model, "speed": self._speed(chat)}

    def wire(self, chat: Chat) -> Wire:
        lines = load(chat.model)
        if lines[0].get("type") == "recording":
            return WIRES[lines[0]["wire"]](self.name)
        return NativeWire()

    def pieces(self, chat: Chat) -> Iterator[Piece]:
        speed = self._speed(chat)
        lines = load(chat.model)
        play = _bytes if lines[0].get("type") == "recording" else _events
        for at, data in play(lines):
            yield (at / speed if speed else 0.0), data

    def _speed(self, chat: Chat) -> float:
        value = chat.options.extra.get("speed", self.endpoint.options.get("speed", 1))
        try:
            speed = float(str(value))
        except ValueError:
            speed = -1.0
        if not 0 <= speed < float("inf"):
            raise UsageError(f"the speed of a replay is a number from 0 (no waiting) up, not {value!r}")
        return speed


def load(name: str) -> list[Line]:
    """The lines of a recording; UsageError when it is not there or is none. Torn lines are passed over."""
    path = files("streamchat.providers") / "recordings" / f"{name}.jsonl" if name in SHIPPED else expanded(name)
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError as exc:
        raise UsageError(
            f"no recording {name!r}: {exc.strerror or exc}",
            f"These come with the program: replay/{', replay/'.join(SHIPPED)}.",
        ) from exc
    lines = [line for line in map(_line, text.splitlines()) if line is not None]
    if not lines or not (_is_recording(lines[0]) or any("at" in line for line in lines)):
        raise UsageError(f"{name} is not a recording", "Make one with: streamchat ask --record FILE ...")
    return lines


def _is_recording(line: Line) -> bool:
    return line.get("type") == "recording" and line.get("wire") in WIRES


def _line(text: str) -> Line | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def _bytes(lines: list[Line]) -> Iterator[Piece]:
    for line in lines[1:]:
        if "data" in line or "base64" in line:
            data = base64.b64decode(line["base64"]) if "base64" in line else str(line["data"]).encode()
            yield float(line.get("at", 0)), data


def _events(lines: list[Line]) -> Iterator[Piece]:
    """The events of the last answer; how it ended when it was not the provider's word is not played."""
    begun = max((index for index, line in enumerate(lines) if line.get("type") == "reply"), default=-1)
    for line in lines[begun + 1 :]:
        event = _event(line)
        if event is not None:
            yield float(line.get("at") or line.get("elapsed") or 0), encode(event)


def _event(line: Line) -> Event | None:
    if line.get("type") == "end":
        line = {"type": "stop", "reason": line.get("stop_reason"), "detail": line.get("detail")}
    try:
        event: Event = msgspec.convert(line, Event)
    except msgspec.ValidationError:
        return None
    return (
        None
        if isinstance(event, Stop) and event.reason in ("interrupted", "pipe_closed", "network", "error")
        else event
    )
