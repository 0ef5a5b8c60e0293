"""What the providers without a network share: a response whose pieces come at their own times."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Self

from streamchat.chat import Chat
from streamchat.providers import base

Piece = tuple[float, bytes]
"""Seconds from the request on, and the bytes that came then."""


class OfflineProvider(base.Provider):
    """Answers from this process. A subclass says what comes when."""

    @abstractmethod
    def pieces(self, chat: Chat) -> Iterable[Piece]:
        """The response's pieces in the order of their times."""

    def open(self, chat: Chat) -> AbstractContextManager[base.Response]:
        return _Response(self.pieces(chat))

    def aopen(self, chat: Chat) -> AbstractAsyncContextManager[base.AsyncResponse]:
        return _AsyncResponse(self.pieces(chat))


class _Timed:
    headers = {"content-type": "text/event-stream"}  # noqa: RUF012  # read, never written

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = pieces
        self._start = time.monotonic()

    def _due(self) -> Iterator[tuple[float, bytes]]:
        """Each piece with the seconds left until its time."""
        for at, data in self._pieces:
            yield self._start + at - time.monotonic(), data


class _Response(_Timed):
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def iter_bytes(self) -> Iterator[bytes]:
        for wait, data in self._due():
            if wait > 0:
                time.sleep(wait)
            yield data


class _AsyncResponse(_Timed):
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        for wait, data in self._due():
            if wait > 0:
                await asyncio.sleep(wait)
            yield data
