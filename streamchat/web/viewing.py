"""The page's reader of a run: the same answer as trees, as often as a page can use it.

It costs who asks for it and nobody else: the view is made when the first page reads the run, and all pages share it.
"""

import asyncio

from streamchat.web.pacing import Pacing
from streamchat.web.page_view import PageView, Position
from streamchat.web.page_view import Reader as TreeReader
from streamchat.web.run import Reader, Run

_LAST = (b"error", b"done")
_DELTAS = (b"token", b"reasoning")
_AT_FIRST = (b"start", b"retry")


class PageReader:
    """Reads as `run.Reader` does: bytes to send, b"" at the end. Who comes back says from which position on."""

    def __init__(self, run: Run, raw: Reader, position: Position | None) -> None:
        """`raw` reads the run from its beginning."""
        if run.view is None:
            run.view = PageView()
        self._run, self._raw, self._view = run, raw, run.view
        self._resumed = position is not None
        self._trees = TreeReader(run.view, position)
        self._pacing = Pacing()
        self._first = self._end = b""
        self._behind = self._over = self._gone = False

    async def read(self) -> bytes:
        """The events that are new, or a ping."""
        while not self._gone and not (self._over and not self._behind and not self._end):
            if not (self._behind or self._over):
                frames = await self._raw.read()
                if frames == self._run.encoder.ping:
                    return frames
                self._over = not frames
                self._sort(frames)
            await asyncio.sleep(max(0.0, self._pacing.due - asyncio.get_running_loop().time()))
            if not self._gone and (data := self._shown()):
                return data
        return b""

    def ping(self) -> None:
        """As for any reader."""
        self._raw.ping()

    def gone(self) -> None:
        """Who read has hung up."""
        self._gone = True
        self._raw.gone()

    def leave(self) -> None:
        """Read no more."""
        self._raw.leave()

    def _sort(self, frames: bytes) -> None:
        """What of the run's own events the page gets as it is: without ids, which are positions here."""
        for event in frames.split(b"\n\n"):
            number, _, rest = event.partition(b"\n")
            name = rest.partition(b"\n")[0].removeprefix(b"event: ")
            if not number or name in _DELTAS or (self._resumed and name in _AT_FIRST):
                continue
            if name in _LAST:
                self._end += rest + b"\n\n"
            else:
                self._first += rest + b"\n\n"

    def _shown(self) -> bytes:
        clock = asyncio.get_running_loop().time
        begun = clock()
        reply, ended = self._run.reply, self._run.ended
        self._behind = not self._view.update(reply.text, reply.reasoning, closed=ended)
        data = self._first + self._trees.take()
        self._first = b""
        if ended and not self._behind:
            data, self._end = data + self._end, b""
        self._pacing.after(begun, clock())
        return data
