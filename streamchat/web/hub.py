"""All runs of a process: who may start one, where one is found again, what happens to them when the server stops."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from streamchat.web.errors import StoppedError, WebError
from streamchat.web.limits import Limits
from streamchat.web.run import Run

SILENCE = 15.0
"""Seconds after which a reader is told that the server is still there."""
_TICK = 1.0


class Hub:
    """The runs by their ids. One ticker for all of them sends the pings and forgets what is long over."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.draining = False
        self._runs: dict[str, Run] = {}
        self._asked: dict[tuple[str, str], str] = {}
        self._busy: set[str] = set()
        self._starting: list[str] = []
        self._ticker: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return sum(1 for _ in self.active())

    def active(self, user: str | None = None) -> Iterator[Run]:
        """The runs that have not ended, of this user or of all."""
        return (run for run in self._runs.values() if not run.ended and user in (None, run.user))

    def find(self, run_id: str) -> Run | None:
        """The run of this id, for a while after its end too."""
        return self._runs.get(run_id)

    def asked_before(self, user: str, request_id: str | None) -> Run | None:
        """The run that a request of this id has started: a request that is sent twice is answered once."""
        return self.find(self._asked.get((user, request_id or ""), ""))

    @contextmanager
    def place(self, user: str) -> Iterator[None]:
        """A place for one more run, held until it has begun; WebError when none may begin now."""
        if self.draining:
            raise WebError(503, "draining", "the server is stopping", retry_after=5.0)
        limits, own = self.limits, sum(1 for _ in self.active(user)) + self._starting.count(user)
        if len(self) + len(self._starting) >= limits.concurrent:
            most = limits.concurrent
            raise WebError(503, "full", f"{most} answers are under way, the most at once", retry_after=5.0)
        if own >= limits.concurrent_per_user:
            most = limits.concurrent_per_user
            raise WebError(
                429, "too_many_runs", f"{most} answers are under way for you, the most at once", retry_after=5.0
            )
        self._starting.append(user)
        try:
            yield
        finally:
            self._starting.remove(user)

    def claim(self, conversation: str) -> None:
        """Nobody else asks in this conversation until it is let go; WebError 409 when somebody does. "" is none."""
        if not conversation:
            return
        if conversation in self._busy:
            raise WebError(409, "run_active", "an answer of this conversation is still under way", "Stop it, or wait.")
        self._busy.add(conversation)

    def release(self, conversation: str) -> None:
        """The conversation may be asked again."""
        self._busy.discard(conversation)

    def running(self, conversation: str) -> Run | None:
        """The run under way in this conversation."""
        return next((run for run in self.active() if run.conversation == conversation), None)

    def begin(self, run: Run, *, request_id: str | None = None) -> None:
        """Start it, and keep it findable."""
        self._runs[run.id] = run
        if request_id:
            self._asked[run.user, request_id] = run.id
        if self._ticker is None:
            self._ticker = asyncio.get_running_loop().create_task(self._tick())
        run.begin()

    async def drain(self, seconds: float) -> None:
        """Begin no more; give those under way this long, then end each with `server_stopping`, all of it kept."""
        self.draining = True
        running = list(self.active())
        if running and seconds > 0:
            await asyncio.wait([asyncio.ensure_future(run.over()) for run in running], timeout=seconds)
        await self.stop()

    async def stop(self) -> None:
        """End everything now."""
        self.draining = True
        running = list(self.active())
        for run in running:
            run.stop(StoppedError("server_stopping", "the server is stopping; what came is kept"))
        await asyncio.gather(*(run.over() for run in running))
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self._ping(asyncio.get_running_loop().time())
            self._forget(time.monotonic())

    def _ping(self, now: float) -> None:
        for run in self.active():
            for reader in run.readers:
                if reader.waiting and now - reader.waiting_since >= SILENCE:
                    reader.ping()

    def _forget(self, now: float) -> None:
        old = [run.id for run in self._runs.values() if run.ended and now - run.ended_at > self.limits.retention]
        for run_id in old:
            del self._runs[run_id]
        if old:
            self._asked = {request: run for request, run in self._asked.items() if run in self._runs}
