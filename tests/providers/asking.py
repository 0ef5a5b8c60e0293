"""Asks the loopback server through a real provider, by either pump, and gives back all that came of it."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from msgspec import Struct

from streamchat.chat import Chat, Message, Options, Reply
from streamchat.errors import ChatError
from streamchat.events import Event, Reasoning, Stop, Text, Usage
from streamchat.providers import make
from streamchat.providers.base import Endpoint, Provider, Secret
from streamchat.pump import AsyncStream, Stream
from tests.wire.answers import MESSAGES, RESPONSES, Format
from tests.wire.server import Server

Pump = Literal["sync", "async", "aiohttp"]
"""The pumps, the one that awaits over each of the libraries that it may find: `async` is without aiohttp."""
PUMPS: tuple[Pump, ...] = ("sync", "async", "aiohttp")
KEY = "sk-test-1234567890"
QUESTION = Chat("a-model", (Message("user", "What is the answer?"),))


class Outcome(Struct):
    """What the consumer of a stream saw."""

    events: list[Event]
    reply: Reply
    error: ChatError | None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))

    @property
    def reasoning(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Reasoning))

    @property
    def usages(self) -> list[Usage]:
        return [event for event in self.events if isinstance(event, Usage)]

    @property
    def stops(self) -> list[Stop]:
        return [event for event in self.events if isinstance(event, Stop)]


def provider(form: Format, url: str, **fields: Any) -> Provider:
    """The provider that speaks this format, at this place."""
    kind = "anthropic" if form is MESSAGES else "openai"
    api = "responses" if form is RESPONSES else "chat"
    settings: dict[str, Any] = {
        "name": "wire",
        "base_url": url,
        "api_key": Secret(KEY),
        "api": api,
        "idle_timeout": 10.0,
        "retries": 0,
    }
    return make(kind, Endpoint(**(settings | fields)))


def url_of(form: Format, server: Server) -> str:
    """What a person writes as this format's base URL."""
    return server.url if form is MESSAGES else server.v1


def ask(
    form: Format,
    server: Server,
    pump: Pump = "sync",
    *,
    chat: Chat = QUESTION,
    url: str | None = None,
    then: Callable[[], None] = lambda: None,
    **fields: Any,
) -> Outcome:
    """One answer, to its end or to its error; `then` is called when something of it has come."""
    source = provider(form, url or url_of(form, server), **fields)
    if pump == "sync":
        return _read(source, chat, then)
    with over(pump):
        return asyncio.run(_aread(source, chat, then))


@contextmanager
def over(pump: Pump) -> Iterator[None]:
    """What is asked in here finds aiohttp, or does not."""
    if pump == "aiohttp":
        yield
        return
    import anthropic  # noqa: F401  # which look for it once, when they are imported

    before = sys.modules.pop("aiohttp", None)
    sys.modules["aiohttp"] = None  # type: ignore[assignment]  # how Python marks what is not to be found
    try:
        yield
    finally:
        del sys.modules["aiohttp"]
        if before is not None:
            sys.modules["aiohttp"] = before


def chat_with(**options: Any) -> Chat:
    """A question with options."""
    return Chat("a-model", QUESTION.messages, options=Options(**options))


def _read(source: Provider, chat: Chat, then: Callable[[], None]) -> Outcome:
    events: list[Event] = []
    with Stream(source, chat, own=True) as stream:
        try:
            for event in stream.events():
                events.append(event)  # what came before an error is kept
                then()
        except ChatError as error:
            return Outcome(events, stream.reply, error)
        return Outcome(events, stream.reply, None)


async def _aread(source: Provider, chat: Chat, then: Callable[[], None]) -> Outcome:
    events: list[Event] = []
    async with AsyncStream(source, chat, own=True) as stream:
        try:
            async for event in stream.events():
                events.append(event)
                then()
        except ChatError as error:
            return Outcome(events, stream.reply, error)
        return Outcome(events, stream.reply, None)
