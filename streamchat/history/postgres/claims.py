"""Which conversations this process writes, one journal for each, and the journals that still owe the database lines."""

import sys
import threading
from typing import TYPE_CHECKING

from streamchat.history.keeping import Busy
from streamchat.history.postgres.database import Database

if TYPE_CHECKING:
    from streamchat.history.postgres.journal import Journal

_PAUSE = 1.0


class Claims:
    """The journals of one process. Between processes the database decides; within one, this does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._held: dict[str, Journal] = {}
        self._late: list[Journal] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, journal: "Journal") -> tuple[int, int]:
        """The conversation is this journal's alone: the number of this process, and how far it goes. Raises Busy."""
        with self._lock:
            if self._held.setdefault(journal.id, journal) is not journal:
                raise Busy
        try:
            return self.database.claim(journal.id)
        except BaseException:
            if not journal.unsaved:  # what waits for the database keeps others away meanwhile
                self._forget(journal)
            raise

    def release(self, journal: "Journal", number: int) -> None:
        """It is everybody's."""
        self.database.release(journal.id, number)
        self._forget(journal)

    def holds(self, id: str) -> bool:  # noqa: A002
        """Whether a journal of this process writes this conversation."""
        with self._lock:
            return id in self._held

    def late(self, journal: "Journal") -> None:
        """Go on trying to write what this journal has."""
        with self._lock:
            self._late.append(journal)
            if self._thread is None:
                self._thread = threading.Thread(target=self._catch_up, name="streamchat-late", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Try once more, and say what is lost."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for journal in list(self._late):
            self._again(journal)
        for journal in self._late:
            print(f"streamchat: conversation {journal.id}: {journal.trouble}", file=sys.stderr)  # noqa: T201

    def _catch_up(self) -> None:
        while not self._stop.wait(_PAUSE):
            with self._lock:
                waiting = list(self._late)
                if not waiting:
                    self._thread = None
                    return
            for journal in waiting:
                self._again(journal)

    def _again(self, journal: "Journal") -> None:
        journal.settle()
        if journal.unsaved:
            return
        with self._lock:
            self._late.remove(journal)
        journal.close()

    def _forget(self, journal: "Journal") -> None:
        with self._lock:
            if self._held.get(journal.id) is journal:
                del self._held[journal.id]
