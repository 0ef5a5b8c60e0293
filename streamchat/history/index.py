"""The index: an SQLite file that knows what stands in every conversation. A cache; it may be deleted at any time.

It catches up by comparing each file's size and time of change with what it has seen and reads only what differs, so
what another process, a sync or a hand did is found too. Rows are numbered by the time of their conversation, so the
newest hits come first without sorting, however many there are. An index that is missing, broken or of another version
is built anew; one that cannot be written is built in memory.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from msgspec import Struct

from streamchat.history import records
from streamchat.history.formats import heading
from streamchat.history.journal import make_private
from streamchat.history.query import Query, spaced, unspaced
from streamchat.history.tree import Tree, instant
from streamchat.views.safe import joined_surrogates

Progress = Callable[[int, int], None]
Stamp = tuple[int, int]
"""A file's size and its time of change in nanoseconds."""

VERSION = 1
BATCH = 200
_DELETES_WORDS = sqlite3.sqlite_version_info >= (3, 42)
"""Before, FTS5 only marked deleted words; merging everything, 2 s in a GB of conversations, took them out."""
_ROOM = 1 << 16
"""Numbers kept for each conversation's rows."""
_OPEN, _SHUT = "\x01", "\x02"
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
_BEGINS = "length(?1) >= 4 AND id >= lower(?1) AND id < lower(?1) || '{'"
_FIELDS = "conversations.id, path, name, title, created, updated, conversations.model, turns, size"
_HITS = (
    "FROM said CROSS JOIN rows ON rows.key = said.rowid "
    "CROSS JOIN conversations ON conversations.key = rows.conversation "
    "WHERE said MATCH ?1 AND time >= ?2 AND (?3 = '' OR time < ?3)"
)


class Entry(Struct, frozen=True):
    """A conversation as lists show it. `title` is its name or how it begins; times are in UTC."""

    id: str
    path: Path
    name: str
    title: str
    created: str
    updated: str
    model: str
    turns: int
    size: int


class Hit(Struct, frozen=True):
    """A message that was searched for: the words around what was found, the found ones marked True."""

    entry: Entry
    turn: str
    role: str
    time: str
    pieces: tuple[tuple[str, bool], ...]


class Index:
    """The index of the conversations under `directory`, kept in the file `path`."""

    def __init__(self, directory: Path, path: Path, *, progress: Progress | None = None) -> None:
        self._directory = directory
        self._path = path
        self._progress = progress
        self._db = self._opened()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def refresh(self) -> None:
        """Read what changed since the last time. Another process may do the same at the same time."""
        with self._healing():
            self._catch_up()

    def entries(self, query: Query = Query(), *, limit: int | None = None) -> list[Entry]:  # noqa: B008 - frozen
        """The conversations (those with a message that fits), the one that was used last first."""
        if query.match:
            return self._entries_with(query, limit)
        sql = (
            f"SELECT {_FIELDS} FROM conversations WHERE turns > 0 AND updated >= ?1 AND (?2 = '' OR updated < ?2) "
            "ORDER BY updated DESC, key DESC LIMIT ?3"
        )
        return [self._entry(row) for row in self._select(sql, query.after, query.before, _limit(limit))]

    def _entries_with(self, query: Query, limit: int | None) -> list[Entry]:
        """Stops reading hits, which come in the order of their conversations, when there are enough."""
        sql = f"SELECT conversation {_HITS} ORDER BY said.rowid DESC"
        keys: dict[int, None] = {}
        for (key,) in self._db.execute(sql, (query.match, query.after, query.before)):
            keys[key] = None
            if len(keys) == limit:
                break
        one = f"SELECT {_FIELDS} FROM conversations WHERE key = ?"
        return [self._entry(row) for key in keys for row in self._select(one, key)]

    def named(self, word: str) -> list[Entry]:
        """The conversations with this name or whose id begins so, exact ones alone if there are any, newest first."""
        if not word:
            return []
        for condition in ("id = lower(?1)", "name = ?1 COLLATE NOCASE", _BEGINS):
            sql = f"SELECT {_FIELDS} FROM conversations WHERE turns > 0 AND {condition} ORDER BY updated DESC LIMIT 20"
            if found := [self._entry(row) for row in self._select(sql, word)]:
                return found
        return []

    def names(self) -> list[str]:
        """All names that were given."""
        return [str(name) for (name,) in self._select("SELECT DISTINCT name FROM conversations WHERE name != ''")]

    def imported(self) -> set[str]:
        """Where the imported ones came from, so that nothing is imported twice."""
        return {str(source) for (source,) in self._select("SELECT imported FROM conversations WHERE imported != ''")}

    def search(self, query: Query, *, limit: int | None = None) -> list[Hit]:
        """The messages that fit, those of the conversation that was used last first."""
        sql = (
            f"SELECT {_FIELDS}, turn, said.role, time, snippet(said, 0, '{_OPEN}', '{_SHUT}', '…', 24) "
            f"{_HITS} ORDER BY said.rowid DESC LIMIT ?4"
        )
        match = query.match or "role : (user OR assistant)"
        rows = self._select(sql, match, query.after, query.before, _limit(limit))
        return [Hit(self._entry(row[:9]), row[9], row[10], row[11], _pieces(row[12])) for row in rows]

    def forget(self, paths: Iterable[Path]) -> None:
        """Take deleted conversations out, and their words out of the file too."""
        with self._healing(), self._transaction():
            for path in paths:
                self._drop(str(path.relative_to(self._directory)))
        with self._healing():
            if not _DELETES_WORDS:
                self._db.execute("INSERT INTO said (said) VALUES ('optimize')")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # inside

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected(self._private_file())
        except sqlite3.OperationalError as exc:
            if "locked" in str(exc):
                raise
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
                    if _DELETES_WORDS:
                        db.execute("INSERT INTO said (said, rank) VALUES ('secure-delete', 1)")
                db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        return db

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    @contextmanager
    def _healing(self) -> Iterator[None]:
        """A broken file is no trouble of the person's: it is thrown away and built again."""
        try:
            yield
        except sqlite3.DatabaseError as exc:
            if _is_broken(exc):
                self._rebuild()
            elif "locked" not in str(exc):  # locked: another process is at it; what there is will do
                raise

    def _rebuild(self) -> None:
        with suppress(sqlite3.Error, OSError):
            self._db.close()
            self._remove()
        try:
            self._db = self._opened()
            self._catch_up()
        except sqlite3.DatabaseError:
            self._db = self._connected(":memory:")
            self._catch_up()

    def _select(self, sql: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]  # as wide as the query
        rows: list[tuple] = []  # type: ignore[type-arg]
        try:
            rows = self._db.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as exc:
            if not _is_broken(exc):
                raise
            self._rebuild()
            rows = self._db.execute(sql, values).fetchall()
        return rows

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _catch_up(self) -> None:
        gone = self._known()
        changed: list[tuple[int, str]] = []
        for path, stamp in files_under(self._directory):
            if gone.pop(path, None) != stamp:
                changed.append((stamp[1], path))
        changed.sort()
        if gone:
            with self._transaction():
                for path in gone:
                    self._drop(path)
        for start in range(0, len(changed), BATCH):
            self._tell(start, len(changed))
            self._take_in([path for _, path in changed[start : start + BATCH]])
        self._tell(len(changed), len(changed))

    def _tell(self, done: int, total: int) -> None:
        if self._progress is not None and total > BATCH:
            self._progress(done, total)

    def _known(self) -> dict[str, Stamp]:
        rows = self._db.execute("SELECT path, size, changed FROM conversations")
        return {path: (size, changed) for path, size, changed in rows}

    def _take_in(self, paths: list[str]) -> None:
        with self._transaction():
            for path in paths:
                with suppress(OSError):
                    self._take_in_one(path)

    def _take_in_one(self, path: str) -> None:
        file = self._directory / path
        status = file.stat()
        stamp = status.st_size, status.st_mtime_ns
        seen = self._db.execute("SELECT size, changed FROM conversations WHERE path = ?", (path,)).fetchone()
        if seen == stamp:  # another process was faster
            return
        lines, _ = records.decode(file.read_bytes())
        head = next((line for line in lines if isinstance(line, records.Head)), None) or records.Head(file.stem)
        tree = Tree(head)
        tree.read(lines)
        self._drop(path)
        self._put(path, stamp, tree)

    def _put(self, path: str, stamp: Stamp, tree: Tree) -> None:
        turns = tree.every()
        last = tree.last
        times = [tree.head.created, *(turn.time for turn in turns)]
        updated = max((time for time in times if _milliseconds(time)), default="") or _utc(stamp[1])
        title = heading(tree.name or next((turn.question.content for turn in turns), ""))
        head = tree.head
        about = head.id, tree.name, title, head.created, updated, last.model if last else "", len(turns), head.imported
        cursor = self._db.execute(
            "INSERT INTO conversations VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [value if not isinstance(value, str) else joined_surrogates(value) for value in (path, *stamp, *about)],
        )
        base = _milliseconds(updated) * _ROOM
        bounds = base, base + _ROOM
        (top,) = self._db.execute("SELECT max(key) FROM rows WHERE key >= ? AND key < ?", bounds).fetchone()
        key = base if top is None else top + 1
        said = list(_said(tree))[-(_ROOM // 2) :]
        self._db.executemany(
            "INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?)",
            [(key + place, cursor.lastrowid, turn, time) for place, (turn, time, *_) in enumerate(said)],
        )
        self._db.executemany(
            "INSERT INTO said (rowid, text, role, model) VALUES (?, ?, ?, ?)",
            [(key + place, _searchable(text), role, model) for place, (_, _, role, model, text) in enumerate(said)],
        )

    def _drop(self, path: str) -> None:
        found = self._db.execute("SELECT key FROM conversations WHERE path = ?", (path,)).fetchone()
        if found is None:
            return
        self._db.execute("DELETE FROM said WHERE rowid IN (SELECT key FROM rows WHERE conversation = ?)", found)
        self._db.execute("DELETE FROM rows WHERE conversation = ?", found)
        self._db.execute("DELETE FROM conversations WHERE key = ?", found)

    def _entry(self, row: tuple) -> Entry:  # type: ignore[type-arg]  # the columns of _FIELDS
        id_, path, *rest = row
        return Entry(id_, self._directory / path, *rest)


def files_under(directory: Path) -> Iterator[tuple[str, Stamp]]:
    """Every conversation file, by its path from `directory`, with its stamp. Links are not followed.

    Made for tens of thousands of files: 3 us each, most of it the system's.
    """
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            entries = list(os.scandir(directory / below))
        except OSError:
            continue
        prefix = f"{below}/" if below else ""
        for entry in entries:
            name = entry.name
            if not name.endswith(".jsonl"):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(prefix + name)
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if S_ISREG(status.st_mode):
                yield prefix + name, (status.st_size, status.st_mtime_ns)


def _said(tree: Tree) -> Iterator[tuple[str, str, str, str, str]]:
    """Turn, time, role, model and text of everything that can be searched."""
    if tree.name:
        yield "", tree.head.created, "name", "", tree.name
    asked = set()
    for turn in tree.every():
        if id(turn.question) not in asked:
            asked.add(id(turn.question))
            yield turn.id, turn.question.time, turn.question.role, turn.model, turn.question.content
        if text := turn.text:
            yield turn.id, turn.time, "assistant", turn.model, text


def _searchable(text: str) -> str:
    """The text as it stands in the index: without what could be taken for the marks of a snippet."""
    return spaced(joined_surrogates(text).replace(_OPEN, " ").replace(_SHUT, " "))


def _pieces(snippet: str) -> tuple[tuple[str, bool], ...]:
    """The snippet cut where its marks are."""
    pieces: list[tuple[str, bool]] = []
    for part in unspaced(snippet).split(_OPEN):
        inside, shut, outside = part.partition(_SHUT)
        pieces += [(inside, True), (outside, False)] if shut else [(inside, False)]
    return tuple(piece for piece in pieces if piece[0])


def _clear(db: sqlite3.Connection) -> None:
    for name in ("said", "rows", "conversations"):
        db.execute(f"DROP TABLE IF EXISTS {name}")


def _is_broken(exc: sqlite3.DatabaseError) -> bool:
    """The file is no good, which is not the same as: in use, or asked a strange question."""
    if not isinstance(exc, sqlite3.OperationalError):
        return True
    return any(sign in str(exc) for sign in ("no such", "malformed", "disk", "readonly", "unable to open"))


def _limit(limit: int | None) -> int:
    return -1 if limit is None else limit


def _milliseconds(time: str) -> int:
    try:
        return max(0, int(datetime.fromisoformat(time).timestamp() * 1000))
    except (ValueError, OverflowError):
        return 0


def _utc(nanoseconds: int) -> str:
    return instant(datetime.fromtimestamp(nanoseconds / 1e9, UTC))
