"""A response of the SDKs' async clients, read with as little in between as there can be.

Over aiohttp the bytes are taken from aiohttp itself: the layers on the way to the SDK cost more for each packet than
everything that is done with it here, and they raise what broke the connection before they hand over what had come.
"""

import zlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

_KIND = "content-type"


class Awaited:
    """The response under the names that both kinds have here; whoever asked for it closes it.

    Over aiohttp nothing of the SDK's response is kept but the header that says what it is: the request in it, with all
    that went into it, would be held for as long as the answer takes, and be a seventh of what a stream weighs.
    """

    __slots__ = ("_closed", "_silence", "_source", "_tell", "headers", "iter_bytes")

    def __init__(self, response: Any) -> None:
        self.headers = {_KIND: response.headers.get(_KIND, "")}
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        own = getattr(response.stream, "_stream", None)
        inner = getattr(own, "_aiohttp_response", None)
        content = getattr(inner, "content", None)  # None where there is another library below
        protocol = getattr(getattr(inner, "connection", None), "protocol", None)
        self._closed = getattr(protocol, "closed", None)
        self._tell = partial(_tell, protocol, content)
        if self._closed is not None:
            self._closed.add_done_callback(self._tell)
        self._source, self.iter_bytes = response, response.aiter_bytes
        self._silence: _Silence | None = None
        if content is not None and encoding in _READ:
            self._silence = silence = _Silence(protocol, content)
            self._source, self.iter_bytes = own, lambda: _READ[encoding](content, silence)

    async def aclose(self) -> None:
        """It is read no more: its connection may have been lent to the next one."""
        if self._closed is not None:
            self._closed.remove_done_callback(self._tell)
            self._closed.remove_done_callback(_hear)  # that of the answer before this one
            self._closed.add_done_callback(_hear)
        if self._silence is not None:
            self._silence.end()
        await self._source.aclose()


class _Silence:
    """The longest silence that is borne, taken over from aiohttp, which sets a timer anew for each packet: here one
    looks, when it is due, how long ago the last packet was taken. What has come and waits to be taken is no silence."""

    __slots__ = ("_broken", "_content", "_longest", "_loop", "_now", "_taken", "_timer")

    def __init__(self, protocol: Any, content: Any) -> None:
        import asyncio  # not where nothing awaits

        self._content = content
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._broken = self._now()
        self._taken = 0
        self._timer: Any = None
        self._longest: float = getattr(protocol, "read_timeout", None) or 0.0
        if self._longest:
            protocol.read_timeout = None
            protocol.start_timeout()  # it has none now, and its own timer ends
            self._look()

    def took(self, data: bytes) -> None:
        """These bytes were taken."""
        self._taken += len(data)
        self._broken = self._now()

    def end(self) -> None:
        """Nothing is waited for any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        left = self._broken + self._longest - self._now()
        if self._content.total_bytes > self._taken:
            left = self._longest
        if self._content.is_eof():
            return
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
            return
        from aiohttp import SocketTimeoutError

        self._content.set_exception(SocketTimeoutError("nothing came"))


class _Packets:
    """What has come since the last time, until nothing more comes. It owns nothing: the response is to be closed.

    aiohttp lets the server go on after each chunk that is taken, though it was not held up: half the cost of taking it.
    With a low-water mark of nothing it leaves that to who reads, and here it is done where it is needed.
    """

    def __init__(self, content: Any, silence: _Silence) -> None:
        self._content, self._silence = content, silence
        self._protocol: Any = getattr(content, "_protocol", None)
        self._lazy = hasattr(content, "_low_water") and hasattr(self._protocol, "_reading_paused")
        if self._lazy:
            content._low_water = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            data: bytes = await self._content.readany()
            self._took(data)
        except Exception:
            data = _left(self._content)
            if not data:
                raise
        if not data:
            raise StopAsyncIteration
        return data

    def _took(self, data: bytes) -> None:
        self._silence.took(data)
        if self._lazy and self._protocol._reading_paused:
            self._protocol.resume_reading()


class _Inflated(_Packets):
    """The same from a server that compresses though it was asked not to: chunk by chunk, so that one that is damaged
    takes none of those before it away."""

    def __init__(self, content: Any, silence: _Silence) -> None:
        super().__init__(content, silence)
        self._inflate = zlib.decompressobj(wbits=47).decompress
        self._more = True

    async def __anext__(self) -> bytes:
        while self._more:
            data, ends_chunk = await self._content.readchunk()
            self._took(data)
            self._more = bool(data or ends_chunk)
            if text := self._inflate(data):
                return text
        raise StopAsyncIteration


_READ: Final = {"identity": _Packets, "gzip": _Inflated, "deflate": _Inflated}
"""How each encoding is read; any other is left to the SDK."""


def _tell(protocol: Any, content: Any, closed: Any) -> None:
    """Say to who reads why the connection has ended: where its framing breaks, aiohttp says it to itself alone and lets
    the reader wait for ever, without a clock."""
    why = _hear(closed)
    error = protocol.exception() or why
    if error is not None and not content.is_eof() and content.exception() is None:
        content.set_exception(error)


def _hear(closed: Any) -> Any:
    """Why the connection has ended, if that was an error: asyncio logs one that nobody has asked for."""
    return None if closed.cancelled() else closed.exception()


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
