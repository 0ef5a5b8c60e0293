"""A run's answer in its conversation: what comes is gathered here and written in another thread, never on the loop.

A second or 4 KiB is what a crash of the machine or of this process can cost.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from streamchat.chat import Reply
from streamchat.events import Event, Reasoning, Retry, Text
from streamchat.history.turn import Turn
from streamchat.web.encoding import joined

SECONDS, LETTERS = 1.0, 4096
"""How long what came waits at most, and how much of it."""
_APART = 0.1
"""Seconds within which deltas are kept as one: enough for a replay to look as it was."""


class Kept:
    """One answer that is kept. `ended` is called, in the other thread, when its last line is written."""

    def __init__(self, turn: Turn, ended: Callable[[], None]) -> None:
        self._turn, self._ended = turn, ended
        self._begun = self._written = time.monotonic()
        self._waiting: list[tuple[float, list[Event]]] = []
        self._letters = 0
        self._writing: asyncio.Future[None] | None = None

    def add(self, batch: Sequence[Event]) -> None:
        """Take in what came; write when it is time."""
        at = time.monotonic() - self._begun
        if self._waiting and at - self._waiting[-1][0] < _APART:
            self._waiting[-1][1].extend(batch)
        else:
            self._waiting.append((at, list(batch)))
        self._letters += sum(len(event.text) for event in batch if isinstance(event, Text | Reasoning))
        if self._writing is not None and not self._writing.done():
            return
        if self._letters >= LETTERS or at + self._begun - self._written >= SECONDS:
            self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, self._taken())

    async def end(self, reply: Reply, error: BaseException | None) -> None:
        """Write what is left and the last line."""
        if self._writing is not None:
            await self._writing
        await asyncio.get_running_loop().run_in_executor(None, self._finish, self._taken(), reply, error)

    def _taken(self) -> list[tuple[float, list[Event]]]:
        waiting, self._waiting, self._letters = self._waiting, [], 0
        self._written = time.monotonic()
        return waiting

    def _write(self, waiting: list[tuple[float, list[Event]]]) -> None:
        for at, events in waiting:
            for event in joined(events):
                if not isinstance(event, Retry):
                    self._turn.add(event, at=at)

    def _finish(self, waiting: list[tuple[float, list[Event]]], reply: Reply, error: BaseException | None) -> None:
        try:
            self._write(waiting)
            self._turn.end(reply, error)
        finally:
            self._ended()
