"""A response of the SDKs' async clients, read with as little in between as there can be.

Over aiohttp the bytes are taken from aiohttp itself: the layers on the way to the SDK cost more for each packet than
everything that is done with it here, and they raise what broke the connection before they hand over what had come.
"""

import zlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any


class Awaited:
    """The response under the names that both kinds have here."""

    def __init__(self, response: Any) -> None:
        self.headers = response.headers
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        inner = getattr(getattr(response.stream, "_stream", None), "_aiohttp_response", None)
        content = getattr(inner, "content", None)  # None where there is another library below
        protocol = getattr(getattr(inner, "connection", None), "protocol", None)
        self._closed = getattr(protocol, "closed", None)
        self._tell = partial(_tell, protocol, content)
        if self._closed is not None:
            self._closed.add_done_callback(self._tell)
        self.iter_bytes = response.aiter_bytes
        if content is not None and encoding == "identity":
            self.iter_bytes = lambda: _Packets(content)
        elif content is not None and encoding in ("gzip", "deflate"):
            self.iter_bytes = lambda: _Inflated(content)

    def close(self) -> None:
        """It is read no more: its connection may have been lent to the next one."""
        if self._closed is not None:
            self._closed.remove_done_callback(self._tell)


class _Packets:
    """What has come since the last time, until nothing more comes. It owns nothing: the response is to be closed."""

    def __init__(self, content: Any) -> None:
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
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

    def __init__(self, content: Any) -> None:
        super().__init__(content)
        self._inflate = zlib.decompressobj(wbits=47).decompress
        self._more = True

    async def __anext__(self) -> bytes:
        while self._more:
            data, ends_chunk = await self._content.readchunk()
            self._more = bool(data or ends_chunk)
            if text := self._inflate(data):
                return text
        raise StopAsyncIteration


def _tell(protocol: Any, content: Any, closed: Any) -> None:
    """Say to who reads why the connection has ended: where its framing breaks, aiohttp says it to itself alone and lets
    the reader wait for ever, without a clock."""
    error = protocol.exception() or (None if closed.cancelled() else closed.exception())
    if error is not None and not content.is_eof() and content.exception() is None:
        content.set_exception(error)


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
