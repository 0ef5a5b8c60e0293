"""A run of another process as it is read here: its frames come through Redis into a log of our own.

All who read it in this process share it. When its owner dies in the middle, they get everything that was written, and
then an `error` event with the code `server_lost`.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from streamchat.chat import Reply
from streamchat.events import Reasoning, Text
from streamchat.web.encoding import Native
from streamchat.web.errors import StoppedError
from streamchat.web.log import Log
from streamchat.web.reader import Reader

if TYPE_CHECKING:
    from streamchat.web.page_view import PageView

SILENCE = 15.0
_WAIT = 0.5
"""Seconds for which Redis is listened to before the owner is looked for."""
_MISSED = 3
"""Times that the owner must be missed in a row: one that only lost its connection is back by then."""
_IDLE = 5.0
"""Seconds without readers after which nothing is followed any more."""
_BREAKS = 5
"""Tries to reach Redis before the readers are let go; they may come back."""
_TELL = 4.0


class Source(Protocol):
    """What is known of other processes, as far as it matters here."""

    async def after(self, run_id: str, place: int, *, wait: float) -> list[tuple[int, bytes]]: ...

    async def lives(self, owner: str) -> bool: ...

    async def heard(self, run_id: str, owner: str) -> None: ...


class Followed:
    """A run that is read here and lives elsewhere. It is read like a `Run`."""

    def __init__(self, source: Source, id: str, user: str, owner: str) -> None:  # noqa: A002
        self.id, self.user = id, user
        self.log = Log()
        self.encoder = Native({}, priced=lambda _: None)
        self.reply = Reply()
        self.error = None
        self.ended = False
        self.view: PageView | None = None
        self.readers: list[Reader] = []
        self._source, self._owner = source, owner
        self._task: asyncio.Task[None] | None = None
        self._read = 0.0
        self._told = float("-inf")

    def begin(self, forgotten: Callable[[], Any]) -> None:
        """Follow it, until its end or until nobody reads; `forgotten` is called then."""
        if self._task is None:
            self._read = asyncio.get_running_loop().time()
            self._task = asyncio.ensure_future(self._follow())
            self._task.add_done_callback(lambda _: forgotten())

    def close(self) -> None:
        """Follow it no more; who reads is let go, and may come back."""
        if self._task is not None:
            self._task.cancel()
        for reader in self.readers:
            reader.gone()

    def join(self, place: int = 0) -> Reader:
        """A reader of the frames from this place on."""
        reader = Reader(self, place)
        self.readers.append(reader)
        return reader

    def leave(self, reader: Reader) -> None:
        """This reader is gone."""
        if reader in self.readers:
            self.readers.remove(reader)
        self._read = asyncio.get_running_loop().time()

    async def _follow(self) -> None:
        missed = broken = 0
        while not self.ended:
            try:
                await self._tell()
                if self._take(await self._source.after(self.id, len(self.log), wait=_WAIT)):
                    continue
                missed = 0 if await self._source.lives(self._owner) else missed + 1
                if missed >= _MISSED and not self._take(await self._source.after(self.id, len(self.log), wait=0)):
                    self._lost()
                broken = 0
            except Exception:  # whatever the connection to Redis raises: it has said so
                broken += 1
                if broken >= _BREAKS:
                    break
                await asyncio.sleep(_WAIT)
            now = asyncio.get_running_loop().time()
            if not self.readers and now - self._read > _IDLE:
                return
            self._ping(now)
        for reader in self.readers if not self.ended else ():
            reader.gone()

    async def _tell(self) -> None:
        now = asyncio.get_running_loop().time()
        if self.readers and now - self._told >= _TELL:
            self._told = now
            await self._source.heard(self.id, self._owner)

    def _take(self, batches: list[tuple[int, bytes]]) -> bool:
        """Take in what is new of these; whether there was anything."""
        before = len(self.log)
        for start, data in batches:
            for place, event in enumerate(data.split(b"\n\n")[:-1], start):
                if place == len(self.log):
                    self._frame(event)
        if len(self.log) > before:
            self._wake()
        return len(self.log) > before

    def _frame(self, event: bytes) -> None:
        self.log.append(event + b"\n\n")
        _, name, data = event.split(b"\n", 2)
        match name:
            case b"event: token":
                self.reply.add(Text(_delta(data)))
            case b"event: reasoning":
                self.reply.add(Reasoning(_delta(data)))
            case b"event: done" | b"event: error":
                self.ended = True

    def _lost(self) -> None:
        error = StoppedError("server_lost", "the server that asked is gone; what came until then is kept")
        self.encoder.go_on(len(self.log))
        for frame in self.encoder.error(error, self.reply):
            self.log.append(frame)
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        for reader in self.readers:
            reader.wake()

    def _ping(self, now: float) -> None:
        for reader in self.readers:
            if reader.waiting and now - reader.waiting_since >= SILENCE:
                reader.ping()


def _delta(data: bytes) -> str:
    return str(msgspec.json.decode(data.removeprefix(b"data: "))["t"])
