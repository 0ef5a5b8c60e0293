"""One conversation's journal in the database: lines wait for one another and go out together.

Trouble is a sentence and never raised into an answer. What could not be written waits here and is tried again while
the answer goes on; what is left at its end is taken over by `late`, which goes on trying.
"""

import threading
import time
from pathlib import Path

from streamchat.errors import StoreError
from streamchat.history.keeping import Busy
from streamchat.history.postgres.batch import Batch, Packer
from streamchat.history.postgres.claims import Claims
from streamchat.history.postgres.database import Lost
from streamchat.history.records import Record

SECONDS, LINES = 1.0, 2000
"""How long a line waits at most while others come, and how many go out together."""
PAUSE = 1.0
"""Seconds between two tries while the database does not answer."""


class Journal:
    """The lines of one conversation, on their way to the database."""

    path: Path | None = None

    def __init__(self, claims: Claims, id: str, *, created: str | None = None, size: int = 0) -> None:  # noqa: A002
        """`created`: it is a new one, of this time. `size`: how much of it was read."""
        self.id = id
        self.size = size
        self.trouble: str | None = None
        self._claims = claims
        self._created = created
        self._number: int | None = None
        self._waiting: list[Record] = []
        self._since = 0.0
        self._sending: Batch | None = None
        self._packer = Packer()
        self._again = 0.0
        self._gone = self._taken = False
        self._mixed = False  # others wrote between lines of ours
        self._lock = threading.RLock()

    @property
    def unsaved(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting or self._sending)

    def open(self) -> None:
        """Be the only one who writes; raises Busy, and only that."""
        with self._lock:
            if self._number is not None:
                return
            try:
                self._claim()
            except (StoreError, Lost) as exc:
                self._failed(exc)

    def write(self, record: Record) -> None:
        """Add a line, which waits for others a second at most."""
        with self._lock:
            now = time.monotonic()
            if not self._waiting:
                self._since = now
            self._waiting.append(record)
            if now - self._since >= SECONDS or len(self._waiting) >= LINES:
                self.flush()

    def append(self, record: Record) -> str | None:
        """Add a line that stands for itself, whoever else writes; gives the trouble with it, if any."""
        with self._lock:
            if self._number is not None or self._created is not None:
                self.write(record)
                self.settle()
                return None
            try:
                self.size = self._claims.database.write(self.id, Packer().batch([record]), None)
            except (StoreError, Lost) as exc:
                return _sentence(exc)
            return None

    def flush(self) -> None:
        """What waits goes out, unless it just failed."""
        with self._lock:
            if self.trouble is None or time.monotonic() >= self._again:
                self.settle()

    def settle(self) -> None:
        """See everything safely kept."""
        with self._lock:
            if self._gone:
                self._waiting.clear()
                return
            try:
                self._drain()
                self.trouble = None
            except Busy:
                self.trouble = "this conversation is not being saved: another process writes it"
            except (StoreError, Lost) as exc:
                self._failed(exc)

    def close(self) -> None:
        """Let go of it; what could not be written is tried again in the background."""
        with self._lock:
            if self.unsaved:
                self._claims.late(self)
            elif self._number is not None:
                self._claims.release(self, self._number)
                self._number = None

    def _claim(self) -> None:
        if self._created is not None:
            self._claims.database.create(self.id, self._created)
        seen = self.size
        self._number, self.size = self._claims.take(self)
        self._mixed = self._mixed or (self._taken and self.size > seen)
        self._created, self._taken = None, True

    def _drain(self) -> None:
        database = self._claims.database
        if self._number != database.number:  # the connection that showed that we live was lost meanwhile
            self._number = None
        while self.unsaved:
            if self._number is None:
                self._claim()
            assert self._number is not None
            if self._sending is None:
                self._sending = self._packer.batch(self._waiting[:LINES])
                del self._waiting[:LINES]
            if self._mixed:
                self._sending.name_replies()
            try:
                self.size = database.write(self.id, self._sending, self._number)
            except Lost:
                self._number = None
                self._claim()  # says whether it is somebody else's, or gone
            else:
                self._sending = None

    def _failed(self, exc: StoreError | Lost) -> None:
        self.trouble = _sentence(exc)
        self._number = None
        self._again = time.monotonic() + PAUSE
        if isinstance(exc, Lost):
            self._gone, self._sending = True, None
            self._waiting.clear()


def _sentence(exc: StoreError | Lost) -> str:
    if isinstance(exc, Lost):
        return "this conversation is not being saved: it was deleted while it was in use"
    return f"this conversation is not being saved: {exc.message}"
