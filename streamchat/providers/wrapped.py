"""A provider made of another: it does what that one does, but for what a subclass changes."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import MappingProxyType
from typing import Any

from streamchat.chat import Chat
from streamchat.errors import ChatError
from streamchat.providers import base


class Wrapped(base.Provider):
    """Everything is asked of `provider`."""

    def __init__(self, provider: base.Provider) -> None:
        super().__init__(provider.endpoint)
        self.provider = provider
        self.structures = provider.structures  # type: ignore[misc]  # of this one, as of the one inside

    @property
    def host(self) -> str:
        return self.provider.host

    @property
    def notice(self) -> str | None:
        return self.provider.notice

    @property
    def dialect(self) -> str:
        return self.provider.dialect

    def speaking(self, dialect: str, headers: Mapping[str, str] = MappingProxyType({})) -> base.Provider | None:
        return self.provider.speaking(dialect, headers)

    async def acounted(self, body: Mapping[str, Any]) -> int | None:
        return await self.provider.acounted(body)

    def ready(self) -> None:
        self.provider.ready()

    def thinks(self, model: str) -> bool:
        return self.provider.thinks(model)

    def warm(self, model: str = "") -> None:
        self.provider.warm(model)

    def request(self, chat: Chat) -> dict[str, Any]:
        return self.provider.request(chat)

    def open(self, chat: Chat) -> AbstractContextManager[base.Response]:
        return self.provider.open(chat)

    def aopen(self, chat: Chat) -> AbstractAsyncContextManager[base.AsyncResponse]:
        return self.provider.aopen(chat)

    def wire(self, chat: Chat) -> base.Wire:
        return self.provider.wire(chat)

    def takes(self, media_type: str) -> bool:
        return self.provider.takes(media_type)

    def models(self) -> list[str]:
        return self.provider.models()

    def described(self) -> list[dict[str, Any]]:
        return self.provider.described()

    def pause(self, seconds: float) -> None:
        self.provider.pause(seconds)

    async def apause(self, seconds: float) -> None:
        await self.provider.apause(seconds)

    def error(self, exc: Exception) -> ChatError | None:
        return self.provider.error(exc)

    def close(self) -> None:
        self.provider.close()

    async def aclose(self) -> None:
        await self.provider.aclose()
