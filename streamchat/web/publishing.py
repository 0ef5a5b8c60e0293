"""What this process tells the others of its runs, and what they tell it.

- Everything is written locally first; Redis gets what has gathered, at most every 50 ms. A batch's id in the stream is
  the number of frames up to its end, so that a place in the log is a place in the stream.
- An owner shows that it lives by a key that expires, and by listening on a channel of its own: whose process is killed
  is missed there at once. By that channel it is told to stop, and that somebody reads elsewhere.
- A Redis that was away, or that has lost what it had, gets the whole run again.
"""

import asyncio
import secrets
import time
from typing import TYPE_CHECKING

from streamchat.web import keys
from streamchat.web.encoding import Native
from streamchat.web.errors import StoppedError
from streamchat.web.link import FAILED, Link
from streamchat.web.run import Run

if TYPE_CHECKING:
    from streamchat.web.reader import Reader

BATCH = 0.05
"""Seconds between two writes of one run, at least."""
BEAT, ALIVE = 2.0, 8
"""How often an owner says that it lives, and for how many seconds that holds."""
_PAUSE, _TRIES = 1.0, 8
"""Between two tries while Redis does not answer, at most; tries for a run that has ended."""
_HEARD = 15.0
"""Seconds for which a reader of another process counts after it was last heard of."""


class Publishing:
    """The runs of this process, for the others."""

    def __init__(self, link: Link, *, retention: float, longest: float) -> None:
        """`retention`: seconds for which a run can be read after its end; `longest`: those that it may take."""
        self.owner = secrets.token_urlsafe(9)
        self._link = link
        self._retention, self._longest = max(1, round(retention)), max(1, round(longest + retention))
        self._published: dict[str, tuple[Run, asyncio.Task[None]]] = {}
        self._elsewhere: dict[str, tuple[Reader, float]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = asyncio.Event()

    def publish(self, run: Run, request_id: str | None = None) -> None:
        """Let the others find this run, from its first frame to a while after its last. Other formats than our own have
        no ids for who comes back."""
        if not isinstance(run.encoder, Native):
            return
        if not self._tasks:
            self._tasks = [asyncio.ensure_future(self._beat()), asyncio.ensure_future(self._listen())]
        task = asyncio.ensure_future(self._publish(run, request_id or ""))
        self._published[run.id] = run, task
        task.add_done_callback(lambda _: self._published.pop(run.id, None))

    async def aclose(self) -> None:
        """Write what is left, say that this process is gone."""
        waiting = [task for _, task in self._published.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=2)
        tasks = [*self._tasks, *(task for _, task in self._published.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with self._link.trying():
            await self._link.redis.delete(keys.owner(self.owner))

    async def _publish(self, run: Run, request_id: str) -> None:
        reader = run.watch()
        await self._heard_of(self._listening)
        begun, failed = False, 0
        try:
            while True:
                start = reader.place
                data = await reader.read()
                over = run.ended and reader.place == len(run.log)
                try:
                    if not begun:
                        await self._introduce(run, request_id)
                    begun = await self._write(run, start, data, reader.place, over=over)
                    failed, self._link.down = 0, False
                except FAILED as exc:
                    self._link.failed(exc)
                    begun, reader.place = False, 0  # what Redis has then is not known: all of it is written again
                    failed += 1
                    if over and failed > _TRIES:
                        return
                    await asyncio.sleep(min(_PAUSE, BATCH * 2**failed))
                    continue
                if not begun:  # Redis came back without what it had
                    reader.place = 0
                    continue
                if over:
                    return
                await asyncio.sleep(BATCH)
        finally:
            run.unwatch(reader)

    async def _introduce(self, run: Run, request_id: str) -> None:
        """All that it takes to find the run; none of its frames."""
        about, longest = keys.run_about(run.id), self._longest
        async with self._link.redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys.run(run.id))
            pipe.hset(about, mapping=_described(run, self.owner))
            pipe.expire(about, longest)
            pipe.sadd(keys.user(run.user), run.id)
            pipe.expire(keys.user(run.user), longest)
            if run.conversation:
                pipe.set(keys.conversation(run.conversation), run.id, ex=longest)
            if request_id:
                pipe.set(keys.asked(run.user, request_id), run.id, ex=longest)
            pipe.set(keys.owner(self.owner), 1, ex=ALIVE)
            await pipe.execute()

    async def _write(self, run: Run, start: int, data: bytes, end: int, *, over: bool) -> bool:
        """Add these frames; False if Redis does not know the run any more."""
        key, about = keys.run(run.id), keys.run_about(run.id)
        kept = self._retention if over else self._longest
        async with self._link.redis.pipeline(transaction=True) as pipe:
            pipe.hexists(about, "owner")
            pipe.xadd(key, {"from": start, "frames": data}, id=f"{end}-0")
            pipe.expire(key, kept)
            if over:
                pipe.hset(about, "ended", 1)
                pipe.expire(about, kept)
                pipe.srem(keys.user(run.user), run.id)
            return bool((await pipe.execute())[0])

    async def _beat(self) -> None:
        while True:
            try:
                await self._link.redis.set(keys.owner(self.owner), 1, ex=ALIVE)
            except FAILED as exc:
                self._link.failed(exc)
            now = time.monotonic()
            for run_id, (reader, until) in list(self._elsewhere.items()):
                if until < now:
                    del self._elsewhere[run_id]
                    reader.leave()
            await asyncio.sleep(BEAT)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._link.redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(keys.channel(self.owner))
                    self._listening.set()
                    while True:
                        message = await channel.get_message(timeout=BEAT)
                        if message is not None:
                            self._told(message["data"].decode("utf-8", "replace"))
            except FAILED as exc:
                self._link.failed(exc)
                self._listening.set()
                await asyncio.sleep(_PAUSE / 2)

    def _told(self, message: str) -> None:
        what, run_id, *values = message.split(" ")
        run, _ = self._published.get(run_id, (None, None))
        if run is None or run.ended:
            return
        if what == "stop":
            run.stop(StoppedError("stopped", "the answer was stopped; what came is kept"))
        elif what == "hold":
            run.hold(float(values[0]))
        elif what == "read":
            reader, _ = self._elsewhere.get(run_id) or (run.join(0), 0.0)
            self._elsewhere[run_id] = reader, time.monotonic() + _HEARD

    async def _heard_of(self, event: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(event.wait(), 3)
        except TimeoutError:
            return


def _described(run: Run, owner: str) -> dict[str, str]:
    return {
        "owner": owner,
        "user": run.user,
        "conversation": run.conversation or "",
        "message": run.message or "",
        "model": f"{run.reply.provider}/{run.reply.model}",
        "started": str(run.created),
    }
