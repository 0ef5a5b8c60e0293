"""What a provider is: how to send a chat, how to read what comes back, how to name what went wrong.

A vendor is written once for both worlds. `open` and `aopen` give the raw response, `wire` gives a reader of its frames
that does no input or output, `error` turns the vendor's exceptions into ours; the two pumps in `streamchat.pump` do
the rest. To add a provider, add a module here whose class `Provider` derives from this one: the module's name is the
`kind` by which a configuration table asks for it.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from msgspec import Struct, field

from streamchat.chat import Chat
from streamchat.errors import ChatError, CutError
from streamchat.events import Event, Stop
from streamchat.sse import Frame

_SHORTEST_KEY = 6
"""Shorter ones ("none", "ollama") are no secrets, and taking them out would garble the message."""


class Secret:
    """An API key that nothing prints: its repr and str are stars, only `reveal` gives it away."""

    __slots__ = ("reveal",)

    def __init__(self, value: str) -> None:
        self.reveal: Callable[[], str] = lambda: value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


class Endpoint(Struct, frozen=True):
    """Where a provider is and how it wants to be spoken to: one `[providers.NAME]` table, resolved.

    `idle_timeout` is the longest silence in seconds, before and within a reply; `retries` counts the tries after the
    first; `options` go into every request; `stop_reason_optional` is for servers that end a reply without saying so.
    """

    name: str
    base_url: str | None = None
    api_key: Secret | None = None
    api: str = "auto"
    idle_timeout: float = 120.0
    retries: int = 2
    proxy: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    stop_reason_optional: bool = False
    key_places: tuple[str, ...] = ()
    """Where the key was looked for, in order, up to where it was: for the error that refuses it."""

    def without_key(self, text: str) -> str:
        """The text with the key taken out: some servers quote it back when they refuse it."""
        key = self.api_key.reveal() if self.api_key else ""
        return text.replace(key, "***") if len(key) >= _SHORTEST_KEY else text


class Response(Protocol):
    """The raw bytes of one answer, as both SDKs' streaming responses give them."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    def iter_bytes(self) -> Iterator[bytes]: ...


class AsyncResponse(Protocol):
    """The same for a program that awaits."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    def iter_bytes(self) -> AsyncIterator[bytes]: ...


class Wire(ABC):
    """Reads one response's frames; does no input or output. `ended` is true once the end marker was seen.

    A dialect may send its stop reason before its last usage figures, so the Stop is kept in `stop` and handed out
    by `close`: it is always the last event.
    """

    def __init__(self, *, stop_reason_optional: bool = False) -> None:
        self.ended = False
        self.stop: Stop | None = None
        self._optional = stop_reason_optional

    @abstractmethod
    def read(self, frame: Frame) -> Iterable[Event]:
        """The events of one frame; ChatError for an error event or for what is not this dialect."""

    def close(self) -> Stop:
        """The stream has ended: its Stop, or CutError when the provider never said that it was the end."""
        if self.stop is not None:
            return self.stop
        if self.ended or self._optional:
            return Stop("stop")
        raise CutError(
            "the answer was cut: the stream ended without its end",
            "What came is kept. Ask again; a server that never sends a stop reason can be given"
            ' stop_reason = "optional" in its provider table.',
        )


class Provider(ABC):
    """One place to ask. `name` is what the person calls it."""

    needs_key: ClassVar[bool] = False
    """Whether this kind's own service refuses requests without a key."""
    structures: ClassVar[bool] = False
    """Whether it can be held to a JSON schema."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @property
    def name(self) -> str:
        return self.endpoint.name

    @property
    def host(self) -> str:
        """Where it is, as host and port; "" for what runs in this machine's own processes."""
        return ""

    @property
    def notice(self) -> str | None:
        """What must be said of every answer from here, if anything."""
        return None

    @property
    def dialect(self) -> str:
        """The public format that it is spoken to in: `chat`, `responses` or `messages`; "" for none of them."""
        return ""

    def speaking(self, dialect: str, headers: Mapping[str, str] = MappingProxyType({})) -> "Provider | None":
        """The same provider on the same connections, for requests that are in this format already and are sent with
        these headers too; None where it does not know the format."""
        return None

    async def acounted(self, body: Mapping[str, Any]) -> int | None:
        """The tokens that a request in its own format comes to, by its own word; None where it does not say."""
        return None

    def thinks(self, model: str) -> bool:
        """Whether there is a control over how much this model thinks."""
        return False

    def warm(self, model: str = "") -> None:
        """Begin now with what takes time before the first request, without waiting for it."""

    def ready(self) -> None:
        """Do now, in a thread, what would hold up every other answer of a program that awaits."""

    @abstractmethod
    def request(self, chat: Chat) -> dict[str, Any]:
        """The exact request body that `open` sends, for `--dry-run` and the tests."""

    @abstractmethod
    def open(self, chat: Chat) -> AbstractContextManager[Response]:
        """Send the chat; leaving the context closes the connection, and with it the model's work."""

    @abstractmethod
    def aopen(self, chat: Chat) -> AbstractAsyncContextManager[AsyncResponse]:
        """The same for a program that awaits."""

    @abstractmethod
    def wire(self, chat: Chat) -> Wire:
        """A fresh reader for the answer to this chat."""

    def takes(self, media_type: str) -> bool:
        """Whether files of this kind can go with a message."""
        return False

    def models(self) -> list[str]:
        """The models that it says it has; empty for a kind that has no list."""
        return []

    def described(self) -> list[dict[str, Any]]:
        """The entries of that list as they were sent, each with at least its `id`."""
        return [{"id": model} for model in self.models()]

    def pause(self, seconds: float) -> None:
        """Wait before the request is sent again; Ctrl-C ends it."""
        time.sleep(seconds)

    async def apause(self, seconds: float) -> None:
        """The same for a program that awaits."""
        import asyncio  # not where nothing awaits

        await asyncio.sleep(seconds)

    def error(self, exc: Exception) -> ChatError | None:
        """The vendor's exception in our words, or None when it is not the vendor's."""
        return None

    def close(self) -> None:
        """Give back what is kept between requests: connections, a child process."""

    async def aclose(self) -> None:
        """The same for a program that awaits."""
        self.close()
