"""Who reads an answer: a place in its log, moved on by reading, wherever the run itself lives."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from streamchat.chat import Reply
from streamchat.web.encoding import Encoder
from streamchat.web.log import Log

if TYPE_CHECKING:
    from streamchat.web.page_view import PageView


Push = Callable[[bytes], bool]
"""Sends a piece of the body now; False where it has to wait, and then it is not sent."""


class Source(Protocol):
    """What a reader reads: a run of this process, or one of another's as it is followed here."""

    id: str
    user: str
    view: "PageView | None"

    @property
    def log(self) -> Log: ...

    @property
    def ended(self) -> bool: ...

    @property
    def encoder(self) -> Encoder: ...

    @property
    def reply(self) -> Reply: ...

    def join(self, place: int = 0) -> "Reader":
        """A reader of the frames from this place on."""

    def leave(self, reader: "Reader") -> None:
        """This reader is gone."""


class Reader:
    """A place in a run's log, moved on by reading. What is queued is read at once, so a slow reader gets bigger pieces
    and one that has stopped reading holds nothing but its place."""

    __slots__ = ("_gone", "_ping", "_run", "_wait", "place", "push", "waiting_since")

    def __init__(self, run: Source, place: int) -> None:
        self.place = max(0, place)
        self.push: Push | None = None
        """A way to send at once while the reader waits, where its server has one."""
        self.waiting_since = 0.0
        self._run = run
        self._gone = self._ping = False
        self._wait: asyncio.Future[None] | None = None

    async def read(self) -> bytes:
        """The frames that have come since the last time, or a ping; b"" at the end."""
        run = self._run
        while not self._gone:
            if data := run.log.since(self.place):
                self.place = len(run.log)
                return data
            if run.ended:
                return b""
            if self._ping:
                self._ping = False
                return run.encoder.ping
            loop = asyncio.get_running_loop()
            self._wait = loop.create_future()
            self.waiting_since = loop.time()
            await self._wait
            self._wait = None
        return b""

    def wake(self) -> None:
        """There is something to read."""
        if self._wait is not None and not self._wait.done() and not self._pushed():
            self._wait.set_result(None)

    def ping(self) -> None:
        """Say that the server is there, if nothing else is said."""
        self._ping = True
        self.wake()

    def gone(self) -> None:
        """Who read has hung up: what reads is to end."""
        self._gone = True
        self.wake()

    def _pushed(self) -> bool:
        """Whether all that has come is sent without the task that reads: waking it costs more than sending."""
        if self.push is None or self._wait is None or self._gone or self._run.ended:
            return False
        data = self._run.log.since(self.place)
        if not data or not self.push(data):
            return False
        self.place = len(self._run.log)
        self.waiting_since = self._wait.get_loop().time()
        return True

    @property
    def waiting(self) -> bool:
        """Whether it has nothing to send."""
        return self._wait is not None and not self._wait.done()

    def leave(self) -> None:
        """Read no more."""
        self._run.leave(self)
