"""The connections to one PostgreSQL: who writes what, how its errors are told, what happens when it goes away.

Who writes a conversation stands in its row, as the number of a process. A process shows that it is alive by holding
the advisory lock of its number, on one connection that it keeps for this alone. So a claim ends with its process,
however that ends, and needs no clock; and one that was lost is noticed, for every batch names its writer.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from streamchat.errors import ConfigError, StoreError
from streamchat.history.keeping import Busy
from streamchat.history.postgres.batch import Batch, named
from streamchat.history.postgres.schema import conversations, journal, prepare, said, writers

_ALIVE = 0x7374726D
"""The first half of the advisory locks that say that a process lives."""
_CONNECTING = {
    "connect_timeout": 5,
    "application_name": "streamchat",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


class Lost(Exception):  # noqa: N818 - a state, not a fault
    """The conversation is not ours to write any more, or not there."""


class Database:
    """One database, for all threads of a process. It is first asked when something is wanted of it."""

    def __init__(self, url: str) -> None:
        self._url = parsed(url)
        self._engine: Engine = create_engine(
            self._url,
            connect_args=_CONNECTING,
            hide_parameters=True,
            max_overflow=10,
            pool_pre_ping=True,
            pool_timeout=10,
        )
        self._ready = False
        self._lock = threading.Lock()
        self._presence: Connection | None = None
        self.number = 0
        """This process for the others, 0 while it is none; a new one whenever its connection was lost."""

    @property
    def name(self) -> str:
        """The database in words, without who opens it."""
        port = f":{self._url.port}" if self._url.port else ""
        return f"postgresql://{self._url.host or 'localhost'}{port}/{self._url.database or ''}"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing; every error of the database's is a StoreError, without values and passwords."""
        try:
            with self._engine.begin() as connection:
                if not self._ready:
                    prepare(connection)
            self._ready = True
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as exc:
            raise self._told(exc) from None

    def close(self) -> None:
        """Give all connections back."""
        with self._lock:
            self._leave()
        self._engine.dispose()

    # who writes

    def claim(self, id: str) -> tuple[int, int]:  # noqa: A002
        """Be the only process that writes this conversation: our number, and how far it goes. Raises Busy, Lost."""
        with self.transaction() as connection:
            mine = self._alive()
            row = connection.execute(
                select(conversations.c.seq, conversations.c.writer).where(conversations.c.id == id).with_for_update()
            ).first()
            if row is None:
                raise Lost
            if row.writer not in (None, mine) and _lives(connection, row.writer):
                raise Busy
            connection.execute(update(conversations).where(conversations.c.id == id).values(writer=mine))
            return mine, int(row.seq)

    def create(self, id: str, created: str) -> None:  # noqa: A002
        """The row of a new conversation, if it is not there yet."""
        with self.transaction() as connection:
            row = postgresql.insert(conversations).values(id=id, created=created, updated=created)
            connection.execute(row.on_conflict_do_nothing())

    def release(self, id: str, number: int) -> None:  # noqa: A002
        """Anybody may write it now. If that cannot be said of this one, it is said of all: claims follow."""
        mine = (conversations.c.id == id) & (conversations.c.writer == number)
        try:
            with self.transaction() as connection:
                connection.execute(update(conversations).where(mine).values(writer=None))
        except StoreError:
            with self._lock:
                self._leave()

    def write(self, id: str, batch: Batch, number: int | None) -> int:  # noqa: A002
        """Add these lines, once however often they are sent; gives how far the conversation goes now. Without a number
        it is for lines that stand for themselves. Raises Lost."""
        table = conversations.c
        text_ = batch.lines
        ours = (table.id == id) & (table.writer == number) if number is not None else table.id == id
        with self.transaction() as connection:
            sent = connection.scalar(
                select(journal.c.seq).where(journal.c.conversation == id, journal.c.token == batch.token)
            )
            if sent is not None:  # only the word of it was lost
                return int(sent)
            row = connection.execute(
                update(conversations)
                .where(ours)
                .values(_changes(batch, len(text_)))
                .returning(table.seq, table.created)
            ).first()
            if row is None:
                raise Lost
            lines = {"conversation": id, "seq": row.seq, "token": batch.token, "lines": text_}
            connection.execute(insert(journal).values(lines))
            if batch.name is not None:
                connection.execute(delete(said).where(said.c.conversation == id, said.c.role == "name"))
            new = [*batch.said, *(named(batch.name, row.created) if batch.name else [])]
            if new:
                connection.execute(insert(said).values([{"conversation": id, **each} for each in new]))
            return int(row.seq)

    def delete(self, id: str) -> None:  # noqa: A002
        """Take a conversation away. Raises Busy while another process writes it, Lost when it is not there."""
        with self.transaction() as connection:
            row = connection.execute(
                select(conversations.c.writer).where(conversations.c.id == id).with_for_update()
            ).first()
            if row is None:
                raise Lost
            if row.writer not in (None, self.number) and _lives(connection, row.writer):
                raise Busy
            connection.execute(delete(conversations).where(conversations.c.id == id))

    def _alive(self) -> int:
        """Our number, with its lock held for sure."""
        with self._lock:
            if self._presence is not None:
                try:
                    self._presence.execute(text("SELECT 1"))
                except SQLAlchemyError:
                    self._leave()
            if not self.number:
                self._leave()
                connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                connection.detach()
                self._presence = connection
                number = int(connection.scalar(select(writers.next_value())) or 0)
                connection.execute(select(func.pg_advisory_lock(_ALIVE, number)))
                self.number = number
            return self.number

    def _leave(self) -> None:
        """Hold nothing any more."""
        if self._presence is not None:
            with suppress(SQLAlchemyError):
                self._presence.close()
        self._presence, self.number = None, 0

    def _told(self, exc: SQLAlchemyError) -> StoreError:
        cause = exc.orig if isinstance(exc, DBAPIError) else exc
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        reason = re.sub(r"^connection failed: |^connection to server .*? failed: ", "", lines[0])
        reason = re.sub(r"^connection to server .*? failed: ", "", reason)
        password = self._url.password
        if password:
            for secret in {password, unquote(password)}:
                reason = reason.replace(secret, "***")
        return StoreError(f"the database {self.name} does not answer: {reason[:1].lower()}{reason[1:]}")


def parsed(url: str) -> URL:
    """The address of a database; ConfigError, without a word of what was written, for what is none."""
    try:
        found = make_url(url)
        if found.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
            raise ValueError
    except (ArgumentError, ValueError):
        raise ConfigError(
            "serve.store is not the address of a PostgreSQL database", "It looks like postgresql://USER@HOST/DATABASE"
        ) from None
    return found.set(drivername="postgresql+psycopg")


def _lives(connection: Connection, number: int) -> bool:
    """Whether the process of this number is there. Who asks takes the lock beside others who ask, for a moment."""
    return not connection.scalar(select(func.pg_try_advisory_xact_lock_shared(_ALIVE, number)))


def _changes(batch: Batch, size: int) -> dict[str, Any]:
    table = conversations.c
    changes: dict[str, Any] = {
        "seq": table.seq + 1,
        "size": table.size + size,
        "updated": func.greatest(table.updated, batch.updated),
        "turns": table.turns + batch.turns,
    }
    if batch.begins:
        changes["begins"] = func.coalesce(func.nullif(table.begins, ""), batch.begins)
    if batch.model:
        changes["model"] = batch.model
    if batch.name is not None:
        changes["name"] = batch.name
    return changes
