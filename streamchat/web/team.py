"""The conversations of a team, kept in PostgreSQL: every process and every machine shows the same."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from streamchat.errors import ConfigError
from streamchat.history.conversation import Conversation
from streamchat.history.keeping import Busy
from streamchat.history.tree import is_id
from streamchat.web.errors import WebError
from streamchat.web.shelf import Page, missing


class Team:
    """A shelf in the database at `url`."""

    def __init__(self, url: str, *, save: bool = True, redact: Sequence[re.Pattern[str]] = ()) -> None:
        try:
            from streamchat.history.postgres.store import Store
        except ImportError as exc:
            raise ConfigError(
                "serve.store needs SQLAlchemy and psycopg", "Install them: pip install 'streamchat[postgres]'"
            ) from exc
        self._store = Store(url, save=save, redact=redact, refuse=in_use)

    def check(self) -> None:
        """See that the database is there and fit; StoreError that says what is wrong."""
        self._store.check()

    def page(self, words: str, *, cursor: str, limit: int) -> Page:
        return Page(*self._store.entries(words, after=cursor, limit=limit))

    def load(self, ref: str) -> Conversation:
        with self._found(ref):
            return self._store.load(ref)

    def new(self, name: str = "") -> Conversation:
        return self._store.new(name)

    def rename(self, ref: str, name: str) -> None:
        with self._found(ref):
            self._store.rename(ref, name)

    def delete(self, ref: str) -> None:
        with self._found(ref):
            self._store.delete(ref)

    def close(self) -> None:
        self._store.close()

    @contextmanager
    def _found(self, ref: str) -> Iterator[None]:
        from streamchat.history.postgres.store import Missing

        if not is_id(ref):
            raise missing(ref)
        try:
            yield
        except Missing as exc:
            raise missing(ref) from exc
        except Busy as exc:
            raise in_use() from exc


def in_use() -> WebError:
    """Another process answers in this conversation."""
    return WebError(409, "run_active", "an answer of this conversation is still under way", "Stop it, or wait.")
