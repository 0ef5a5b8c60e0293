"""Runs that are found again by other processes, through Redis: the owner writes down what it sends, others follow.

- Everything is written locally first; Redis gets what has gathered, at most every 50 ms. A batch's id in the stream is
  the number of frames up to its end, so that a place in the log is a place in the stream.
- An owner shows that it lives by a key that expires, and by listening on a channel of its own: whose process is killed
  is missed there at once. By that channel it is told to stop, and that somebody reads elsewhere.
- Without Redis answers go on; only other processes do not find them. After a while without it, an owner writes its log
  anew as a whole, whatever Redis has kept.

A local run always wins: nothing here is asked for it.
"""

import asyncio
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streamchat.errors import ConfigError
from streamchat.web.encoding import Native
from streamchat.web.errors import StoppedError
from streamchat.web.followed import Followed
from streamchat.web.run import Reader, Run

BATCH = 0.05
"""Seconds between two writes of one run, at least."""
BEAT, ALIVE = 2.0, 8
"""How often an owner says that it lives, and for how many seconds that holds."""
_PAUSE, _TRIES = 1.0, 8
"""Between two tries while Redis does not answer, at most; tries for a run that has ended."""
_HEARD = 15.0
"""Seconds for which a reader of another process counts after it was last heard of."""
_FAILED = (RedisError, OSError, TimeoutError)


class Elsewhere:
    """What one process tells the others of its runs, and hears of theirs."""

    def __init__(self, url: str, *, retention: float, longest: float) -> None:
        """`retention`: seconds for which a run can be read after its end; `longest`: those that it may take."""
        try:
            self._redis: Any = Redis.from_url(  # its replies are typed as unions of what all versions send
                url,
                protocol=2,
                socket_connect_timeout=2,
                socket_timeout=5,
                retry=Retry(NoBackoff(), 0),
                health_check_interval=15,
            )
        except ValueError:
            raise ConfigError("serve.runs is not the address of a Redis", "It looks like redis://HOST:6379/0") from None
        self.owner = secrets.token_urlsafe(9)
        self._retention, self._longest = max(1, round(retention)), max(1, round(longest + retention))
        self._published: dict[str, tuple[Run, asyncio.Task[None]]] = {}
        self._followed: dict[str, Followed] = {}
        self._elsewhere: dict[str, tuple[Reader, float]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = asyncio.Event()
        self._down = False

    # what this process owns

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

    def let_go(self) -> None:
        """Nobody reads the others' runs here any more; who did may come back elsewhere."""
        for followed in list(self._followed.values()):
            followed.close()

    async def aclose(self) -> None:
        """Write what is left, say that this process is gone."""
        waiting = [task for _, task in self._published.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=2)
        tasks = [*self._tasks, *(task for _, task in self._published.values())]
        self.let_go()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with self._trying():
            await self._redis.delete(_owner(self.owner))
        await self._redis.aclose()

    # what others own

    async def find(self, run_id: str, user: str) -> Followed | None:
        """A run of another process and of this user, to be read from any place; None if nobody knows it."""
        known = self._followed.get(run_id)
        if known is not None:
            return known if known.user == user else None
        about = await self._about(run_id)
        if about.get("user") != user:
            return None
        followed = self._followed.setdefault(run_id, Followed(self, run_id, user, about["owner"]))
        followed.begin(lambda: self._followed.pop(run_id, None))
        return followed

    async def asked_before(self, user: str, request_id: str | None) -> Followed | None:
        """The run that a request of this id has started elsewhere."""
        run_id = None
        with self._trying():
            run_id = await self._redis.get(_asked(user, request_id)) if request_id else None
        return await self.find(run_id.decode(), user) if run_id else None

    async def stop(self, run_id: str, user: str) -> bool:
        """Have its owner stop it; whether there is such a run."""
        return await self._tell(run_id, user, f"stop {run_id}")

    async def hold(self, run_id: str, user: str, grace: float) -> bool:
        """Have its owner go on for so many seconds without a reader; whether there is such a run."""
        return await self._tell(run_id, user, f"hold {run_id} {grace}")

    async def active(self, user: str) -> list[dict[str, Any]]:
        """The runs of this user under way in other processes."""
        found: list[dict[str, Any]] = []
        with self._trying():
            for run_id in await self._redis.smembers(_user(user)):
                about = await self._about(run_id.decode())
                if about and about["owner"] == self.owner:
                    continue
                if not about or "ended" in about or not await self.lives(about["owner"]):
                    await self._redis.srem(_user(user), run_id)
                    continue
                found.append(
                    {
                        "run": run_id.decode(),
                        "conversation": about["conversation"] or None,
                        "message": about["message"] or None,
                        "model": about["model"],
                        "started": float(about["started"]),
                        "seq": await self._seq(run_id.decode()),
                    }
                )
        return found

    async def running(self, conversation: str) -> str | None:
        """The id of the run that another process has under way in this conversation."""
        with self._trying():
            run_id = await self._redis.get(_conversation(conversation))
            about = await self._about(run_id.decode()) if run_id else {}
            if about and "ended" not in about and await self.lives(about["owner"]):
                return str(run_id.decode())
        return None

    async def first_use(self, code: str) -> bool:
        """Whether this one-time code was not used anywhere yet; from now on it was. Without Redis nobody knows."""
        with self._trying():
            return bool(await self._redis.set(f"streamchat:code:{code}", 1, nx=True, ex=86400 * 2))
        return False

    # for those who follow

    async def after(self, run_id: str, place: int, *, wait: float) -> list[tuple[int, bytes]]:
        """The batches that end behind this place, each with the place of its first frame; raises what Redis raises."""
        found = await self._redis.xread({_run(run_id): f"{place}-0"}, block=round(wait * 1000) if wait else None)
        return [(int(fields[b"from"]), fields[b"frames"]) for _, entries in found or () for _, fields in entries]

    async def lives(self, owner: str) -> bool:
        """Whether the process is there; raises what Redis raises."""
        if not await self._redis.exists(_owner(owner)):
            return False
        return any(count for _, count in await self._redis.pubsub_numsub(_channel(owner)))

    async def heard(self, run_id: str, owner: str) -> None:
        """Tell the owner that somebody reads here; raises what Redis raises."""
        await self._redis.publish(_channel(owner), f"read {run_id}")

    # inside

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
                    failed, self._down = 0, False
                except _FAILED as exc:
                    self._failed(exc)
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
        about, longest = _run_about(run.id), self._longest
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(_run(run.id))
            pipe.hset(about, mapping=_described(run, self.owner))
            pipe.expire(about, longest)
            pipe.sadd(_user(run.user), run.id)
            pipe.expire(_user(run.user), longest)
            if run.conversation:
                pipe.set(_conversation(run.conversation), run.id, ex=longest)
            if request_id:
                pipe.set(_asked(run.user, request_id), run.id, ex=longest)
            pipe.set(_owner(self.owner), 1, ex=ALIVE)
            await pipe.execute()

    async def _write(self, run: Run, start: int, data: bytes, end: int, *, over: bool) -> bool:
        """Add these frames; False if Redis does not know the run any more."""
        key, about = _run(run.id), _run_about(run.id)
        kept = self._retention if over else self._longest
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hexists(about, "owner")
            pipe.xadd(key, {"from": start, "frames": data}, id=f"{end}-0")
            pipe.expire(key, kept)
            if over:
                pipe.hset(about, "ended", 1)
                pipe.expire(about, kept)
                pipe.srem(_user(run.user), run.id)
            return bool((await pipe.execute())[0])

    async def _beat(self) -> None:
        while True:
            try:
                await self._redis.set(_owner(self.owner), 1, ex=ALIVE)
            except _FAILED as exc:
                self._failed(exc)
            now = time.monotonic()
            for run_id, (reader, until) in list(self._elsewhere.items()):
                if until < now:
                    del self._elsewhere[run_id]
                    reader.leave()
            await asyncio.sleep(BEAT)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(_channel(self.owner))
                    self._listening.set()
                    while True:
                        message = await channel.get_message(timeout=BEAT)
                        if message is not None:
                            self._told(message["data"].decode("utf-8", "replace"))
            except _FAILED as exc:
                self._failed(exc)
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

    async def _tell(self, run_id: str, user: str, message: str) -> bool:
        about = await self._about(run_id)
        if about.get("user") != user:
            return False
        with self._trying():
            await self._redis.publish(_channel(about["owner"]), message)
        return True

    async def _about(self, run_id: str) -> dict[str, str]:
        found: dict[bytes, bytes] = {}
        with self._trying():
            found = await self._redis.hgetall(_run_about(run_id))
        return {name.decode(): value.decode() for name, value in found.items()}

    async def _seq(self, run_id: str) -> int:
        last = await self._redis.xrevrange(_run(run_id), count=1)
        return int(last[0][0].partition(b"-")[0]) if last else 0

    async def _heard_of(self, event: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(event.wait(), 3)
        except TimeoutError:
            return

    @contextmanager
    def _trying(self) -> Iterator[None]:
        """What cannot be asked is not known."""
        try:
            yield
        except _FAILED as exc:
            self._failed(exc)

    def _failed(self, exc: BaseException) -> None:
        if not self._down:
            self._down = True
            where = self._redis.connection_pool.connection_kwargs
            name = where.get("path") or f"{where.get('host', 'localhost')}:{where.get('port', 6379)}"
            print(  # noqa: T201
                f"streamchat: the Redis at {name} does not answer ({type(exc).__name__}): answers go on, but other "
                "processes do not find them",
                file=sys.stderr,
            )


def _described(run: Run, owner: str) -> dict[str, str]:
    return {
        "owner": owner,
        "user": run.user,
        "conversation": run.conversation or "",
        "message": run.message or "",
        "model": f"{run.reply.provider}/{run.reply.model}",
        "started": str(run.created),
    }


def _owner(owner: str) -> str:
    return f"streamchat:owner:{owner}"


def _channel(owner: str) -> str:
    return f"streamchat:tell:{owner}"


def _run(run_id: str) -> str:
    return f"streamchat:run:{run_id}"


def _run_about(run_id: str) -> str:
    return f"streamchat:about:{run_id}"


def _user(user: str) -> str:
    return f"streamchat:user:{user}"


def _asked(user: str, request_id: str | None) -> str:
    return f"streamchat:asked:{user}:{request_id}"


def _conversation(conversation: str) -> str:
    return f"streamchat:conversation:{conversation}"
