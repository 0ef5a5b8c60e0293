"""What the index takes in: the files that changed since it last looked, each as a conversation with its messages."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from streamchat.history import records
from streamchat.history.database import Database
from streamchat.history.formats import heading
from streamchat.history.query import spaced
from streamchat.history.tree import Tree, instant
from streamchat.views.safe import joined_surrogates

Progress = Callable[[int, int], None]
Stamp = tuple[int, int]
"""A file's size and its time of change in nanoseconds."""

BATCH = 200
OPEN, SHUT = "\x01", "\x02"
"""What marks the words that were found; the text itself holds neither."""
_ROOM = 1 << 16
"""Numbers for the rows of each millisecond; a single conversation has the newest half of so many searched."""
_LATEST = 1 << 46
"""The last millisecond that rows can be numbered by, in the year 4199."""


class Intake:
    """Keeps the database in step with the files under `directory`."""

    def __init__(self, directory: Path, db: Database, progress: Progress | None) -> None:
        self._directory = directory
        self._db = db
        self._progress = progress

    def catch_up(self) -> None:
        """Read what changed. Another process may do the same at the same time."""
        gone = self._known()
        changed: list[tuple[int, str]] = []
        for path, stamp in files_under(self._directory):
            if gone.pop(path, None) != stamp:
                changed.append((stamp[1], path))
        changed.sort()
        if gone:
            with self._db.transaction():
                for path in gone:
                    self.drop(path)
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
        with self._db.transaction():
            for path in paths:
                with suppress(OSError):
                    self._take_in_one(path)

    def _take_in_one(self, path: str) -> None:
        file = self._directory / path
        status = file.stat()
        stamp = status.st_size, status.st_mtime_ns
        seen = self._db.execute("SELECT size, changed FROM conversations WHERE path = ?", path).fetchone()
        if seen == stamp:  # another process was faster
            return
        lines, _ = records.decode(file.read_bytes())
        head = next((line for line in lines if isinstance(line, records.Head)), None) or records.Head(file.stem)
        tree = Tree(head)
        tree.read(lines)
        self.drop(path)
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
            *(path, *stamp, *about),
        )
        said = list(_said(tree))[-(_ROOM // 2) :]
        key = self._free(_milliseconds(updated), len(said))
        self._db.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?)",
            [(key + place, cursor.lastrowid, turn, time) for place, (turn, time, *_) in enumerate(said)],
        )
        self._db.executemany(
            "INSERT INTO said (rowid, text, role, model) VALUES (?, ?, ?, ?)",
            [(key + place, _searchable(text), role, model) for place, (_, _, role, model, text) in enumerate(said)],
        )

    def _free(self, moment: int, room: int) -> int:
        """Where so many rows have room: at this millisecond, or as soon after it as there is."""
        while True:
            base = moment * _ROOM
            bounds = base, base + _ROOM
            (top,) = self._db.execute("SELECT max(key) FROM rows WHERE key >= ? AND key < ?", *bounds).fetchone()
            key = base if top is None else int(top) + 1
            if key + room <= base + _ROOM:
                return key
            moment += 1

    def drop(self, path: str) -> None:
        """Take the file at this path from the directory out."""
        found = self._db.execute("SELECT key FROM conversations WHERE path = ?", path).fetchone()
        if found is None:
            return
        self._db.execute("DELETE FROM said WHERE rowid IN (SELECT key FROM rows WHERE conversation = ?)", *found)
        self._db.execute("DELETE FROM rows WHERE conversation = ?", *found)
        self._db.execute("DELETE FROM conversations WHERE key = ?", *found)


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
    return spaced(joined_surrogates(text).replace(OPEN, " ").replace(SHUT, " "))


def _milliseconds(time: str) -> int:
    try:
        return min(max(0, int(datetime.fromisoformat(time).timestamp() * 1000)), _LATEST)
    except (ValueError, OverflowError):
        return 0


def _utc(nanoseconds: int) -> str:
    return instant(datetime.fromtimestamp(nanoseconds / 1e9, UTC))
