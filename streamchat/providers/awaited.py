"""A response of the SDKs' async clients, read with as little in between as there can be.

Over aiohttp the bytes are taken from aiohttp itself: the layers on the way to the SDK cost more for each packet than
everything that is done with it here, and they raise what broke the connection before they hand over what had come.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any


class Awaited:
    """The response under the names that both kinds have here."""

    def __init__(self, response: Any, patience: float) -> None:
        """`patience`: the longest silence in seconds."""
        self.headers = response.headers
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        content = _content(response)
        self.iter_bytes = response.aiter_bytes
        if content is not None and encoding == "identity":
            self.iter_bytes = lambda: _Packets(content, patience)
        elif content is not None and encoding in ("gzip", "deflate"):
            self.iter_bytes = lambda: _Inflated(content, patience)


class _Packets:
    """What has come since the last time, until nothing more comes. It owns nothing: the response is to be closed.

    The patience is kept here too: where the framing breaks, aiohttp ends the connection and its own clock, and may
    leave who reads waiting.
    """

    def __init__(self, content: Any, patience: float) -> None:
        self._content, self._patience = content, patience

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            async with asyncio.timeout(self._patience):
                data: bytes = await self._content.readany()
        except Exception:
            data = _left(self._content)
            if not data:
                raise
        if not data:
            raise StopAsyncIteration
        return data


class _Inflated(_Packets):
    """The same from a server that compresses though it was asked not to: chunk by chunk, so that one that is damaged
    takes none of those before it away."""

    def __init__(self, content: Any, patience: float) -> None:
        super().__init__(content, patience)
        self._inflate = zlib.decompressobj(wbits=47).decompress
        self._more = True

    async def __anext__(self) -> bytes:
        while self._more:
            async with asyncio.timeout(self._patience):
                data, ends_chunk = await self._content.readchunk()
            self._more = bool(data or ends_chunk)
            if text := self._inflate(data):
                return text
        raise StopAsyncIteration


def _content(response: Any) -> Any:
    """aiohttp's own reader below a response, None where there is another library below."""
    stream = getattr(response.stream, "_stream", None)
    return getattr(getattr(stream, "_aiohttp_response", None), "content", None)


def _left(content: Any) -> bytes:
    """What had come when the connection broke; the next reading raises the error again."""
    error = content.exception()
    if error is None:
        return b""
    content.set_exception(None)
    try:
        data: bytes = content.read_nowait()
    finally:
        content.set_exception(error)
    return data
