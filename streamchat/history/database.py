"""The SQLite file of the index: private, shared by processes, and thrown away when it is no good."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from streamchat.errors import UsageError
from streamchat.history.journal import make_private
from streamchat.views.safe import joined_surrogates

VERSION = 1
DELETES_WORDS = sqlite3.sqlite_version_info >= (3, 42)
"""Before, FTS5 only marked deleted words; merging everything, 2 s in a GB of conversations, took them out."""
_SCHEMA = f"""
CREATE TABLE conversations (
  key INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER, changed INTEGER, id TEXT, name TEXT, title TEXT,
  created TEXT, updated TEXT, model TEXT, turns INTEGER, imported TEXT
);
CREATE INDEX by_update ON conversations (updated);
CREATE INDEX by_id ON conversations (id);
CREATE INDEX by_name ON conversations (name) WHERE name != '';
CREATE INDEX by_import ON conversations (imported) WHERE imported != '';
CREATE TABLE rows (key INTEGER PRIMARY KEY, conversation INTEGER, turn TEXT, time TEXT);
CREATE INDEX by_conversation ON rows (conversation);
CREATE VIRTUAL TABLE said USING fts5 (
  text, role, model, columnsize = 0, prefix = '2 3 4', tokenize = "unicode61 remove_diacritics 2"
);
PRAGMA user_version = {VERSION};
"""


class Database:
    """The file at `path`; `fill` puts everything into it again after it had to be made anew.

    Where no file can be written it lives in memory.
    """

    def __init__(self, path: Path, fill: Callable[[], None]) -> None:
        self._path = path
        self._fill = fill
        self._db = self._opened()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        """One statement as it is, errors and all: for use inside of `healing` and `transaction`."""
        return self._db.execute(sql, _storable(values))

    def executemany(self, sql: str, rows: list[tuple[object, ...]]) -> None:
        """One statement for each row."""
        self._db.executemany(sql, rows)

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a question; if the file is broken, of a new one."""
        rows: list[tuple[Any, ...]] = []
        try:
            rows = self._db.execute(sql, _storable(values)).fetchall()
        except sqlite3.DatabaseError as exc:
            if not _is_broken(exc):
                raise
            self._rebuild()
            rows = self._db.execute(sql, _storable(values)).fetchall()
        return rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; other writers wait."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def healing(self) -> Iterator[None]:
        """A broken file is no trouble of the person's: it is thrown away and built again."""
        try:
            yield
        except sqlite3.DatabaseError as exc:
            if _is_broken(exc):
                self._rebuild()
            elif "locked" not in str(exc):  # locked: another process is at it; what there is will do
                raise

    # inside

    def _rebuild(self) -> None:
        with suppress(sqlite3.Error, OSError):
            self._db.close()
            self._remove()
        try:
            self._db = self._opened()
            self._fill()
        except sqlite3.DatabaseError:
            self._db = self._connected(":memory:")
            self._fill()

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected(self._private_file())
        except sqlite3.OperationalError as exc:
            if "locked" in str(exc):
                advice = "Try again, or delete it: it is made anew"
                raise UsageError(f"the index {self._path} is in use by another process", advice) from exc
        except sqlite3.DatabaseError:
            with suppress(OSError, sqlite3.DatabaseError):
                self._remove()
                return self._connected(self._private_file())
        except OSError:
            pass
        return self._connected(":memory:")

    def _private_file(self) -> str:
        make_private(self._path.parent)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        os.chmod(self._path, 0o600)  # the files beside it get the permissions of this one
        return str(self._path)

    def _connected(self, name: str) -> sqlite3.Connection:
        db = sqlite3.connect(name, timeout=10, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA cache_size = -32768")
            if db.execute("PRAGMA user_version").fetchone() != (VERSION,):
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone() != (VERSION,):  # nobody else was faster
                    _clear(db)
                    for statement in _SCHEMA.split(";\n"):
                        db.execute(statement)
                    if DELETES_WORDS:
                        db.execute("INSERT INTO said (said, rank) VALUES ('secure-delete', 1)")
                db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        return db

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _clear(db: sqlite3.Connection) -> None:
    for name in ("said", "rows", "conversations"):
        db.execute(f"DROP TABLE IF EXISTS {name}")


def _storable(values: tuple[object, ...]) -> list[object]:
    """The values without halves of surrogate pairs, which no database takes: a byte that was no UTF-8, say."""
    return [joined_surrogates(value) if isinstance(value, str) else value for value in values]


def _is_broken(exc: sqlite3.DatabaseError) -> bool:
    """The file is no good, which is not the same as: in use, or asked a strange question."""
    if not isinstance(exc, sqlite3.OperationalError):
        return True
    return any(sign in str(exc) for sign in ("no such", "malformed", "disk", "readonly", "unable to open"))
