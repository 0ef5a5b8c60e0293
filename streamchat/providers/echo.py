"""Answers with what it was given, as JSON, word by word: for looking at one's own configuration, and for tests.

`--opt delay=SECONDS` makes it take that long for each word. Its tokens are words.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from streamchat.chat import Chat
from streamchat.errors import UsageError
from streamchat.events import Event, Stop, Text, Usage
from streamchat.providers.base import Wire
from streamchat.providers.offline import OfflineProvider, Piece
from streamchat.providers.wire.native import NativeWire, encode

_WORD = re.compile(r"\s*\S+")


class Provider(OfflineProvider):
    """Says what it was asked."""

    def request(self, chat: Chat) -> dict[str, Any]:
        given: dict[str, Any] = msgspec.to_builtins(chat)
        given["options"] |= self.endpoint.options
        return given

    def takes(self, media_type: str) -> bool:
        return True

    def wire(self, chat: Chat) -> Wire:
        return NativeWire()

    def pieces(self, chat: Chat) -> Iterator[Piece]:
        given = self.request(chat)
        delay = _delay(chat.options.extra.get("delay", 0))
        text = msgspec.json.format(msgspec.json.encode(given), indent=2).decode()
        words = _WORD.findall(text)
        asked = sum(len(message.content.split()) for message in chat.messages)
        closing: tuple[Event, ...] = (Usage(input_tokens=asked, output_tokens=len(words)), Stop("stop"))
        for index, word in enumerate(words, 1):
            yield index * delay, encode(Text(word))
        for event in closing:
            yield 0.0, encode(event)


def _delay(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise UsageError(f"echo: delay is a number of seconds, not {value!r}") from None
