"""One answer on its way: a task that owns the connection to the provider, a log of frames, readers that come and go.

Leaving, stopping and resuming are three different things. A reader that leaves starts a timer when it was the last one;
`stop` ends the answer now; who comes again reads on from any place. Nothing here waits for the garbage collector to
close a connection: the task does, in its `async with`, whoever ends it.
"""

import asyncio
import secrets
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from streamchat.chat import Reply
from streamchat.errors import ChatError
from streamchat.events import Event, Retry
from streamchat.pump import AsyncStream
from streamchat.web.encoding import Encoder
from streamchat.web.errors import StoppedError, WebError
from streamchat.web.log import Log
from streamchat.web.reader import Reader

if TYPE_CHECKING:
    from streamchat.web.page_view import PageView

PATIENCE = 1.0
"""Seconds for which the answer's headers wait for the provider's first word, so that its refusal is a real status."""


class Record(Protocol):
    """Where an answer is kept while it arrives."""

    def add(self, batch: Sequence[Event]) -> None:
        """What came; must not block."""

    async def end(self, reply: Reply, error: BaseException | None) -> None:
        """Nothing more comes; what came is safe when this is over."""


class Run:
    """An answer. `begin` starts it; `log` has its frames, `reply` what came, `error` what ended it if not
    its end, `view` the answer as pages see it, once one has asked."""

    __slots__ = (
        "_opened",
        "_task",
        "_timer",
        "_watchers",
        "_why",
        "conversation",
        "created",
        "encoder",
        "ended",
        "ended_at",
        "error",
        "grace",
        "id",
        "limit",
        "log",
        "message",
        "readers",
        "record",
        "stream",
        "user",
        "view",
    )

    def __init__(
        self,
        stream: AsyncStream,
        encoder: Encoder,
        *,
        id: str = "",  # noqa: A002
        grace: float = 0.0,
        limit: float | None = None,
        record: Record | None = None,
        conversation: str | None = None,
        message: str | None = None,
        user: str = "",
    ) -> None:
        """`grace`: seconds that it goes on without any reader. `limit`: seconds that it may take at all. `message`: the
        id of the answer in its conversation."""
        self.id = id or new_run_id()
        self.stream, self.encoder, self.record = stream, encoder, record
        self.grace, self.limit, self.user = grace, limit, user
        self.conversation, self.message = conversation, message
        self.log = Log()
        self.readers: list[Reader] = []
        self._watchers: list[Reader] = []
        self.created = time.time()
        self.ended = False
        self.ended_at = 0.0
        self.error: ChatError | None = None
        self.view: PageView | None = None
        self._opened: asyncio.Future[None] | None = None
        self._why: StoppedError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def reply(self) -> Reply:
        """What came so far."""
        return self.stream.reply

    def begin(self) -> None:
        """Ask the provider."""
        self._opened = asyncio.get_running_loop().create_future()
        self._put(self.encoder.start())
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def opened(self, patience: float = PATIENCE) -> None:
        """Until the first word has come, or the end, or it has taken too long to wait for that."""
        if self._opened is not None:
            await asyncio.wait((self._opened,), timeout=patience)

    async def over(self) -> None:
        """Until it has ended and everything is kept."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    def stop(self, why: StoppedError) -> None:
        """End it now, for this reason; what came is kept. Stopping twice, or after the end, does nothing."""
        if self._task is not None and not self.ended and self._why is None:
            self._why = why
            self._task.cancel()

    def join(self, place: int = 0) -> Reader:
        """A reader of the frames from this place on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        reader = Reader(self, place)
        self.readers.append(reader)
        return reader

    def watch(self) -> Reader:
        """A reader that does not count: the run does not go on for its sake."""
        reader = Reader(self, 0)
        self._watchers.append(reader)
        return reader

    def unwatch(self, reader: Reader) -> None:
        """This one watches no more."""
        self._watchers.remove(reader)

    def leave(self, reader: Reader) -> None:
        """This reader is gone; the last one starts the timer."""
        if reader in self.readers:
            self.readers.remove(reader)
        if self.readers or self.ended or self._timer is not None:
            return
        if self.grace <= 0:
            self.abandon()
        else:
            self._timer = asyncio.get_running_loop().call_later(self.grace, self.abandon)

    def hold(self, grace: float) -> None:
        """Go on for so many seconds without a reader from now on: one that will be away says so."""
        self.grace = grace
        if self._timer is not None:
            self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(grace, self.abandon)

    def abandon(self) -> None:
        """Stop, for nobody listens."""
        if not self.readers:
            self.stop(StoppedError("abandoned", "nobody was there to read the answer any more"))

    async def _live(self) -> None:
        try:
            await self._pull()
        except ChatError as exc:
            self.error = exc
        except TimeoutError:
            self.error = StoppedError("run_timeout", f"the answer took longer than {self.limit:g} s")
        except asyncio.CancelledError:
            if self._why is None:
                raise
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
            self.error = self._why
        except Exception as exc:  # a bug of ours ends this answer and nothing else, and is told without its insides
            print(f"streamchat: an answer ended by {type(exc).__name__}: {exc}", file=sys.stderr)  # noqa: T201
            self.error = WebError(500, "internal", "an error in the server itself")
        if self.error is not None:
            self.reply.stop(self.error.stop_reason, self.error.message)
        if self.record is not None:
            await self.record.end(self.reply, self.error)
        self._close()

    async def _pull(self) -> None:
        async with asyncio.timeout(self.limit), self.stream as stream:
            async for batch in stream.batches():
                if self.record is not None:
                    self.record.add(batch)
                self._put(self.encoder.events(batch))
                if self._opened is not None and not isinstance(batch[0], Retry):
                    self._open()

    def _close(self) -> None:
        error = self.error
        frames = self.encoder.done(self.reply) if error is None else self.encoder.error(error, self.reply)
        self.ended, self.ended_at = True, time.monotonic()
        self._put(frames)
        self._open()
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def _open(self) -> None:
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)
        self._opened = None

    def _put(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self.log.append(frame)
        if frames:
            self._wake()

    def _wake(self) -> None:
        for reader in self.readers:
            reader.wake()
        for reader in self._watchers:
            reader.wake()


def new_run_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_urlsafe(12)
