"""The index: an SQLite file that knows what stands in every conversation. A cache; it may be deleted at any time.

It catches up by comparing each file's size and time of change with what it has seen and reads only what differs, so
what another process, a sync or a hand did is found too. Rows are numbered by the time of their conversation, so the
newest hits come first without sorting, however many there are. An index that is missing, broken or of another version
is built anew; one that cannot be written is built in memory.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamchat.history.database import DELETES_WORDS, Database
from streamchat.history.intake import OPEN, SHUT, Intake, Progress
from streamchat.history.query import Query, unspaced
from streamchat.views.safe import joined_surrogates

_BEGINS = "length(?) >= 4 AND id >= lower(?) AND id < lower(?) || '{'"
_FIELDS = "conversations.id, path, name, title, created, updated, conversations.model, turns, size"
_HITS = (
    "FROM said CROSS JOIN rows ON rows.key = said.rowid "
    "CROSS JOIN conversations ON conversations.key = rows.conversation "
    "WHERE said MATCH ? AND time >= ? AND time < ?"
)
_EVER = "~"
"""Behind every time."""


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
        self._db = Database(path, lambda: self._intake.catch_up())
        self._intake = Intake(directory, self._db, progress)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def refresh(self) -> None:
        """Read what changed since the last time. Another process may do the same at the same time."""
        with self._db.healing():
            self._intake.catch_up()

    def entries(self, query: Query = Query(), *, limit: int | None = None) -> list[Entry]:  # noqa: B008 - frozen
        """The conversations (those with a message that fits), the one that was used last first."""
        if query.match:
            return self._entries_with(query, limit)
        sql = (
            f"SELECT {_FIELDS} FROM conversations WHERE turns > 0 AND updated >= ? AND updated < ? "
            "ORDER BY updated DESC, key DESC LIMIT ?"
        )
        return [self._entry(row) for row in self._db.select(sql, query.after, query.before or _EVER, _limit(limit))]

    def _entries_with(self, query: Query, limit: int | None) -> list[Entry]:
        """Stops reading hits, which come in the order of their conversations, when there are enough."""
        sql = f"SELECT conversation {_HITS} ORDER BY said.rowid DESC"
        keys: dict[int, None] = {}
        for (key,) in self._db.execute(sql, query.match, query.after, query.before or _EVER):
            keys[key] = None
            if len(keys) == limit:
                break
        one = f"SELECT {_FIELDS} FROM conversations WHERE key = ?"
        return [self._entry(row) for key in keys for row in self._db.select(one, key)]

    def named(self, word: str) -> list[Entry]:
        """The conversations with this name or whose id begins so, exact ones alone if there are any, newest first."""
        word = joined_surrogates(word)
        if not word:
            return []
        for condition in ("id = lower(?)", "name = ? COLLATE NOCASE", _BEGINS):
            sql = f"SELECT {_FIELDS} FROM conversations WHERE turns > 0 AND {condition} ORDER BY updated DESC LIMIT 20"
            if found := [self._entry(row) for row in self._db.select(sql, *[word] * condition.count("?"))]:
                return found
        return []

    def names(self) -> list[str]:
        """All names that were given."""
        return [str(name) for (name,) in self._db.select("SELECT DISTINCT name FROM conversations WHERE name != ''")]

    def imported(self) -> set[str]:
        """Where the imported ones came from, so that nothing is imported twice."""
        return {str(source) for (source,) in self._db.select("SELECT imported FROM conversations WHERE imported != ''")}

    def search(self, query: Query, *, limit: int | None = None) -> list[Hit]:
        """The messages that fit, those of the conversation that was used last first."""
        sql = (
            f"SELECT {_FIELDS}, turn, said.role, time, snippet(said, 0, '{OPEN}', '{SHUT}', '…', 24) "
            f"{_HITS} ORDER BY said.rowid DESC LIMIT ?"
        )
        match = query.match or "role : (user OR assistant)"
        rows = self._db.select(sql, match, query.after, query.before or _EVER, _limit(limit))
        return [Hit(self._entry(row[:9]), row[9], row[10], row[11], _pieces(row[12])) for row in rows]

    def forget(self, paths: Iterable[Path]) -> None:
        """Take deleted conversations out, and their words out of the file too."""
        with self._db.healing(), self._db.transaction():
            for path in paths:
                self._intake.drop(str(path.relative_to(self._directory)))
        with self._db.healing():
            if not DELETES_WORDS:
                self._db.execute("INSERT INTO said (said) VALUES ('optimize')")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # inside

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        id_, path, *rest = row
        return Entry(id_, self._directory / path, *rest)


def _pieces(snippet: str) -> tuple[tuple[str, bool], ...]:
    """The snippet cut where its marks are."""
    pieces: list[tuple[str, bool]] = []
    for part in unspaced(snippet).split(OPEN):
        inside, shut, outside = part.partition(SHUT)
        pieces += [(inside, True), (outside, False)] if shut else [(inside, False)]
    return tuple(piece for piece in pieces if piece[0])


def _limit(limit: int | None) -> int:
    return -1 if limit is None else limit
