"""The conversations as the web side asks for them; here those on this machine, the same that the terminal has.

Everything here may block: the API calls it in threads.
"""

import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from streamchat.errors import UsageError
from streamchat.history.conversation import Conversation
from streamchat.history.index import Entry
from streamchat.history.store import Store
from streamchat.web.errors import WebError


class Page(Struct, frozen=True):
    """Some conversations, the last used first; `next` is the cursor of those that follow, None at the end."""

    entries: Sequence[Entry]
    next: str | None


class Shelf(Protocol):
    """Where conversations are kept. A conversation that is not there is WebError 404."""

    def page(self, words: str, *, cursor: str, limit: int) -> Page:
        """Those with a message that fits the words, or all."""

    def load(self, ref: str) -> Conversation:
        """One of them, to be read or gone on with; whoever loads one closes it."""

    def new(self, name: str = "") -> Conversation:
        """One more; it is kept from its first question on."""

    def rename(self, ref: str, name: str) -> None:
        """Give it this name."""

    def delete(self, ref: str) -> None:
        """Take it away; WebError 409 when another process is writing it."""

    def close(self) -> None:
        """Give back what is open."""


class Files:
    """The conversations in the data directory. With `save` off, nothing that is asked from here is kept."""

    def __init__(
        self, directory: Path, cache: Path, *, save: bool = True, redact: Sequence[re.Pattern[str]] = ()
    ) -> None:
        self._directory, self._cache, self._save, self._redact = directory, cache, save, tuple(redact)
        self._lock = threading.Lock()

    def page(self, words: str, *, cursor: str, limit: int) -> Page:
        start = int(cursor) if cursor.isdigit() else 0
        with self._lock, Store(self._directory, self._cache, redact=self._redact) as store:
            found = store.entries(words, limit=start + limit + 1)
        more = len(found) > start + limit
        return Page(found[start : start + limit], str(start + limit) if more else None)

    def load(self, ref: str) -> Conversation:
        return Conversation.load(self._find(ref), save=self._save, redact=self._redact)

    def new(self, name: str = "") -> Conversation:
        return Conversation.new(self._directory if self._save else None, name=name, redact=self._redact)

    def rename(self, ref: str, name: str) -> None:
        with self._lock, Store(self._directory, self._cache, redact=self._redact) as store:
            store.rename(self._known(store, ref).id, name)

    def delete(self, ref: str) -> None:
        with self._lock, Store(self._directory, self._cache, redact=self._redact) as store:
            if store.delete([self._known(store, ref)]):
                raise WebError(409, "in_use", "another process is writing this conversation")

    def close(self) -> None:
        """Nothing is kept open."""

    def _find(self, ref: str) -> Path:
        with self._lock, Store(self._directory, self._cache, redact=self._redact) as store:
            return self._known(store, ref).path

    def _known(self, store: Store, ref: str) -> Entry:
        try:
            entry = store.find(ref)
        except UsageError as exc:
            raise missing(ref) from exc
        if entry.id != ref:  # names and beginnings of ids are for people at a keyboard
            raise missing(ref)
        return entry


def missing(ref: str) -> WebError:
    """There is no such conversation."""
    return WebError(404, "not_found", f"there is no conversation {ref[:80]!r}")
