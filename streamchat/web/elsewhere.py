"""Runs of other processes, found again through Redis, and ours for them.

Without Redis answers go on; only other processes do not find them. A local run always wins: nothing here is asked for
it.
"""

from typing import Any

from streamchat.web import keys
from streamchat.web.followed import Followed
from streamchat.web.link import Link
from streamchat.web.publishing import Publishing
from streamchat.web.run import Run


class Elsewhere:
    """What one process tells the others of its runs, and hears of theirs."""

    def __init__(self, url: str, *, retention: float, longest: float) -> None:
        """`retention`: seconds for which a run can be read after its end; `longest`: those that it may take."""
        self._link = Link(url)
        self._publishing = Publishing(self._link, retention=retention, longest=longest)
        self._followed: dict[str, Followed] = {}

    def publish(self, run: Run, request_id: str | None = None) -> None:
        """Let the others find this run."""
        self._publishing.publish(run, request_id)

    def let_go(self) -> None:
        """Nobody reads the others' runs here any more; who did may come back elsewhere."""
        for followed in list(self._followed.values()):
            followed.close()

    async def aclose(self) -> None:
        """Write what is left, say that this process is gone."""
        self.let_go()
        await self._publishing.aclose()
        await self._link.redis.aclose()

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
        with self._link.trying():
            run_id = await self._link.redis.get(keys.asked(user, request_id)) if request_id else None
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
        with self._link.trying():
            for run_id in await self._link.redis.smembers(keys.user(user)):
                about = await self._about(run_id.decode())
                if about and about["owner"] == self._publishing.owner:
                    continue
                if not about or "ended" in about:
                    await self._link.redis.srem(keys.user(user), run_id)
                    continue
                if not await self.lives(about["owner"]):
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
        with self._link.trying():
            run_id = await self._link.redis.get(keys.conversation(conversation))
            about = await self._about(run_id.decode()) if run_id else {}
            if about and "ended" not in about and await self.lives(about["owner"]):
                return str(run_id.decode())
        return None

    async def first_use(self, code: str) -> bool:
        """Whether this one-time code was not used anywhere yet; from now on it was. Without Redis nobody knows."""
        with self._link.trying():
            return bool(await self._link.redis.set(keys.code(code), 1, nx=True, ex=86400 * 2))
        return False

    # for those who follow

    async def after(self, run_id: str, place: int, *, wait: float) -> list[tuple[int, bytes]]:
        """The batches that end behind this place, each with the place of its first frame; raises what Redis raises."""
        found = await self._link.redis.xread(
            {keys.run(run_id): f"{place}-0"}, block=round(wait * 1000) if wait else None
        )
        return [(int(fields[b"from"]), fields[b"frames"]) for _, entries in found or () for _, fields in entries]

    async def lives(self, owner: str) -> bool:
        """Whether the process is there; raises what Redis raises."""
        if not await self._link.redis.exists(keys.owner(owner)):
            return False
        return any(count for _, count in await self._link.redis.pubsub_numsub(keys.channel(owner)))

    async def heard(self, run_id: str, owner: str) -> None:
        """Tell the owner that somebody reads here; raises what Redis raises."""
        await self._link.redis.publish(keys.channel(owner), f"read {run_id}")

    # inside

    async def _tell(self, run_id: str, user: str, message: str) -> bool:
        about = await self._about(run_id)
        if about.get("user") != user:
            return False
        with self._link.trying():
            await self._link.redis.publish(keys.channel(about["owner"]), message)
        return True

    async def _about(self, run_id: str) -> dict[str, str]:
        found: dict[bytes, bytes] = {}
        with self._link.trying():
            found = await self._link.redis.hgetall(keys.run_about(run_id))
        return {name.decode(): value.decode() for name, value in found.items()}

    async def _seq(self, run_id: str) -> int:
        last = await self._link.redis.xrevrange(keys.run(run_id), count=1)
        return int(last[0][0].partition(b"-")[0]) if last else 0
