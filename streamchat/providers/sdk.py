"""What the providers that stand on a vendor's SDK share: its two clients, its call, its exceptions in our words.

A subclass names its SDK's classes and says how the call is spelled; it is the only one to import the SDK, and only
when the first request is made.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from copy import copy
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.request import getproxies

from streamchat.chat import Chat
from streamchat.errors import AuthError, ChatError, ConfigError, ProviderError
from streamchat.firstuse import imported
from streamchat.providers import base
from streamchat.providers.awaited import Awaited
from streamchat.providers.wire.faults import api_error, body_error, host_of, network_error, one_line

_NO_KEY = "none"
"""The SDKs insist on a key; servers that want none take anything."""

_CONNECT = 15.0
"""Seconds to take a connection at most; a model may think for minutes, a handshake may not."""

_OVER_AIOHTTP = "DefaultAioHttpClient"

_KEPT_OPEN = 100
"""Connections without a request that are kept for the next ones."""


class SDKProvider(base.Provider):
    """A vendor reached through its own SDK. The SDK sends; the response is taken as raw bytes."""

    base_url: ClassVar[str]
    clients: ClassVar[tuple[str, str]]
    """Names of the SDK's client and of its async client."""
    root_error: ClassVar[str]
    """Name of the class above all of the SDK's exceptions."""
    needs_key: ClassVar[bool] = True
    structures: ClassVar[bool] = True
    sent: Mapping[str, str] = MappingProxyType({})
    """Headers that go with its requests beside those of the endpoint."""

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.endpoint.base_url or self.base_url

    @property
    def host(self) -> str:
        return host_of(self.url)

    @staticmethod
    @abstractmethod
    def sdk() -> Any:
        """Import the SDK: done when it is first needed."""

    @abstractmethod
    def path(self) -> str:
        """Where requests for an answer go, below the address."""

    def warm(self, model: str = "") -> None:
        """Import the SDK and make its client: most of a second that a person or a pipe may need anyway."""
        with suppress(Exception):  # what is wrong is said when the first request meets it again
            self._client  # noqa: B018  # made by being looked at

    def ready(self) -> None:
        self._aclient.default_headers  # noqa: B018  # looked at, as for `_client`

    @contextmanager
    def open(self, chat: Chat) -> Iterator[base.Response]:
        response = self._client.post(self.path(), **self._posted(chat))
        try:
            yield response
        finally:
            response.close()

    @asynccontextmanager
    async def aopen(self, chat: Chat) -> AsyncIterator[base.AsyncResponse]:
        awaited = Awaited(await self._aclient.post(self.path(), **self._posted(chat)))
        try:
            yield awaited
        finally:
            await awaited.aclose()

    def _posted(self, chat: Chat) -> dict[str, Any]:
        """A request for the response as it comes, in the way that the SDKs document for endpoints they do not know.

        Their own methods for the endpoints load a thousand types of what could be asked and answered, to send this.
        """
        return {
            "body": {**self.request(chat), "stream": True},
            "cast_to": _below(self.sdk()).Response,
            "options": {"headers": {"Accept-Encoding": "identity", **self.sent}},  # packed, a delta is longer
            "stream": True,
        }

    def speaking(self, dialect: str, headers: Mapping[str, str] = MappingProxyType({})) -> "SDKProvider | None":
        if self.dialect != dialect:
            return None
        self._aclient  # noqa: B018  # made by being looked at, so that both have it
        twin = copy(self)
        twin.sent = headers
        return twin

    def takes(self, media_type: str) -> bool:
        return media_type.startswith("image/") or media_type == "application/pdf"

    def models(self) -> list[str]:
        return [model["id"] for model in self.described()]

    def described(self) -> list[dict[str, Any]]:
        try:
            return [model.to_dict() for model in self._client.models.list()]
        except Exception as exc:  # whatever the SDK raises, where the SDK ends
            ours = self.error(exc)
            if ours is None:
                raise
            raise ours from exc

    def error(self, exc: Exception) -> ChatError | None:
        ours = named(self.sdk(), self.root_error, self.endpoint, self.url, exc)
        if isinstance(ours, AuthError) and self.endpoint.key_places:
            *before, last = self.endpoint.key_places
            ours.hint = f"The key is from {last}" + (f"; looked for before in {', '.join(before)}" if before else "")
        return ours

    def close(self) -> None:
        if "_client" in self.__dict__:
            self.__dict__.pop("_client").close()

    async def aclose(self) -> None:
        self.close()
        if "_aclient" in self.__dict__:
            await self.__dict__.pop("_aclient").close()

    @cached_property
    def _client(self) -> Any:
        def ready() -> Any:
            client = self._connected(self.clients[0], "DefaultHttpxClient")
            client.default_headers  # noqa: B018  # being looked at, they are made: of what a request needs, the slow part
            return client

        return imported(ready)

    @cached_property
    def _aclient(self) -> Any:
        return imported(lambda: self._connected(self.clients[1], self._transport()))

    def _connected(self, client: str, http: str) -> Any:
        sdk = self.sdk()
        return getattr(sdk, client)(**self._settings(sdk), http_client=getattr(sdk, http)(**self._http(http)))

    def _transport(self) -> str:
        """The SDK's client over aiohttp where that is installed: a third of the work for each chunk. Not through a
        proxy, of which it knows less."""
        plain = self.endpoint.proxy or getproxies() or not find_spec("aiohttp")
        return "DefaultAsyncHttpxClient" if plain else _OVER_AIOHTTP

    def _settings(self, sdk: Any) -> dict[str, Any]:
        end = self.endpoint
        key = end.api_key.reveal() if end.api_key else _NO_KEY
        if not _sendable(key):
            raise UnicodeError  # the HTTP libraries would quote the key as they refuse it
        for name, value in end.headers.items():
            if not _sendable(name + value):
                wrong = f"{end.name}: the header {name!r} has characters that no header has"
                raise ConfigError(wrong, "Correct the headers in its table.")
        return {
            "api_key": key,
            "base_url": self.url,
            "timeout": sdk.Timeout(end.idle_timeout, connect=min(end.idle_timeout, _CONNECT)),
            "max_retries": 0,  # tries are counted in one place, where error events and what was shown are known
            "default_headers": dict(end.headers),
        }

    def _http(self, http: str) -> dict[str, Any]:
        """No redirects: an API has no business redirecting a request that carries a key. No TLS context, which costs
        up to 0.1 s, where the address is plain HTTP and no proxy is in between."""
        settings: dict[str, Any] = {"follow_redirects": False, "limits": _limits(self.sdk(), http)}
        if self.endpoint.proxy:
            settings["proxy"] = self.endpoint.proxy
        elif self.url.startswith("http://") and not getproxies():
            settings["verify"] = False
        return settings


def _sendable(text: str) -> bool:
    """Whether it can stand in a header."""
    return text.isascii() and text.replace("\t", " ").isprintable()


def _below(sdk: Any) -> Any:
    """The HTTP library that the SDK stands on."""
    client = sdk.DefaultHttpxClient.__mro__
    return import_module(next(kind.__module__ for kind in client if kind.__name__ == "Client").partition(".")[0])


def _limits(sdk: Any, http: str) -> Any:
    """As many connections at once as there are streams: the SDKs' thousand would make the next one wait for the end of
    another. aiohttp calls that 0, and its own hundred None."""
    most = 0 if http == _OVER_AIOHTTP else None
    return _below(sdk).Limits(max_connections=most, max_keepalive_connections=_KEPT_OPEN)


def named(sdk: Any, root: str, endpoint: base.Endpoint, url: str, exc: Exception) -> ChatError | None:
    """An exception of the SDK, or of what it stands on, as ours; None for any other.

    The SDK lets its HTTP library's exceptions out where the connection breaks inside a response, and its clients raise
    plain ImportError for a SOCKS proxy without its library. UnicodeError is a key that is no text for a header.
    """
    name = endpoint.name
    if isinstance(exc, sdk.APIConnectionError) or type(exc).__module__.split(".")[0] in (
        "httpx2",
        "httpcore2",
        "httpx",
        "aiohttp",
        "zlib",
    ):
        return network_error(name, url, exc, timeout=endpoint.idle_timeout, proxy=endpoint.proxy)
    if isinstance(exc, sdk.APIStatusError):
        return _status_error(name, url, exc)
    if isinstance(exc, sdk.APIError):
        return body_error(name, exc.body or exc.message)
    if isinstance(exc, getattr(sdk, root)):
        kind = AuthError if "redential" in type(exc).__name__ or "Token" in type(exc).__name__ else ProviderError
        return kind(f"{name}: {one_line(exc)}")
    if isinstance(exc, UnicodeError):
        return AuthError(
            f"{name}: the API key has characters that no key has", "Copy it again, without quotes or spaces."
        )
    if isinstance(exc, ImportError) and "socks" in str(exc).lower():
        return ConfigError(
            "the proxy is a SOCKS proxy, which needs one more package", "Install it: pip install socksio"
        )
    return None


def _status_error(name: str, url: str, exc: Any) -> ChatError:
    headers, status = exc.response.headers, exc.status_code
    if 300 <= status < 400:
        there = host_of(headers.get("location", "elsewhere"))
        return ProviderError(
            f"{name}: {host_of(url)} redirects to {there} (HTTP {status})",
            "Redirects are not followed: correct base_url.",
        )
    if isinstance(exc.body, dict | list):
        return body_error(name, exc.body, status=status, headers=headers)
    said = exc.body if isinstance(exc.body, str) and exc.body.strip() else exc.message
    words = "a page instead of an answer" if "<html" in said.lower() else said
    return api_error(name, words, status=status, headers=headers)
