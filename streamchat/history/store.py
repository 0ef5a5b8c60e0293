"""All conversations of a person: found by id, name or age, listed, searched, forked, renamed, deleted.

The files are the truth; the index is asked first and caught up before each question.
"""

import os
import re
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import TracebackType

import msgspec

from streamchat.errors import UsageError
from streamchat.history.conversation import Conversation
from streamchat.history.draft import Draft, iso
from streamchat.history.files import sync_directory
from streamchat.history.formats import of, transcript
from streamchat.history.index import Entry, Hit, Index
from streamchat.history.intake import Progress
from streamchat.history.journal import Folder, Journal
from streamchat.history.keeping import Busy
from streamchat.history.query import Query, moment, parse
from streamchat.history.records import Answer, Question
from streamchat.history.tree import is_id, new_id, now

_BACK = re.compile(r"@-([1-9]\d{0,6})$")


class Store:
    """The conversations under `directory`, with their index in the directory `cache`; use it in a `with`."""

    def __init__(
        self,
        directory: Path,
        cache: Path,
        *,
        redact: Sequence[re.Pattern[str]] = (),
        progress: Progress | None = None,
    ) -> None:
        self.directory = directory
        self._cache = cache
        self.redact = redact
        self._progress = progress
        self._open: Index | None = None
        self._behind = True
        self._added: set[str] = set()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    @cached_property
    def _sources(self) -> set[str]:
        return self.index.imported()

    @property
    def index(self) -> Index:
        """The index, caught up with the files when it is first asked for and after each change of ours."""
        if self._open is None:
            whole = zlib.crc32(os.fsencode(os.path.abspath(self.directory)))
            self._open = Index(self.directory, self._cache / f"index-{whole:08x}.db", progress=self._progress)
        if self._behind:
            self._open.refresh()
            self._behind = False
        return self._open

    def entries(self, query: str = "", *, limit: int | None = None) -> list[Entry]:
        """The conversations (those with a message that fits the query), the last used first."""
        return self.index.entries(parse(query), limit=limit)

    def search(self, query: str, *, limit: int | None = None) -> list[Hit]:
        """The messages that fit; raises UsageError if the query says nothing."""
        wanted = parse(query)
        if wanted == Query():
            raise UsageError("there is nothing to search for", "For example: streamchat history search tides role:user")
        return self.index.search(wanted, limit=limit)

    def find(self, ref: str) -> Entry:
        """The conversation that this means: id, name, beginning of an id (4 or more), `@-1` for the last used one.

        Raises UsageError when it means none, or more than one.
        """
        if back := _BACK.match(ref):
            entries = self.index.entries(limit=int(back[1]))
            if len(entries) < int(back[1]):
                many = f"there are only {len(entries)} conversations"
                raise UsageError(many if len(entries) > 1 else "there is no such conversation yet")
            return entries[-1]
        found = self.index.named(ref)
        if len(found) > 1:
            several = ", ".join(f"{entry.id} ({entry.title})" for entry in found[:5])
            raise UsageError(f"{ref!r} means more than one conversation", f"Name one by its id: {several}")
        if not found:
            raise UsageError(f"there is no conversation {ref!r}", self._advice(ref))
        return found[0]

    def path(self, ref: str) -> Path:
        """The file that a REF means; the path of a conversation file means itself."""
        if ref.endswith(".jsonl") and Path(ref).is_file():
            return Path(ref)
        return self.find(ref).path

    def load(self, ref: str, *, save: bool = True) -> Conversation:
        """The conversation that a REF means, to be read or gone on with."""
        return Conversation.load(self.path(ref), save=save, redact=self.redact)

    def fork(self, ref: str, *, name: str = "") -> Conversation:
        """A copy of a conversation, in a file of its own at once."""
        fork = self.load(ref).fork()
        fork.name = self.unused(name) or fork.name
        fork.save()
        fork.close()
        self._behind = True
        return fork

    def add(self, draft: Draft) -> Conversation | None:
        """Keep an imported conversation, under its own id if that is free; None if it was imported before."""
        source = draft.head.imported or ""
        if ":" in source and source in self._sources:
            return None
        self._sources.add(source)
        head = draft.head
        if not is_id(head.id) or head.id in self._added or self.index.named(head.id):
            head = msgspec.structs.replace(head, id=new_id())
        self._added.add(head.id)
        times = (line.time for line in draft.lines if isinstance(line, Question | Answer))
        head = msgspec.structs.replace(head, created=iso(head.created) or next(filter(None, map(iso, times)), now()))
        conversation = Conversation(Folder(self.directory), head, redact=self.redact)
        conversation.read(draft.lines)
        conversation.save()
        conversation.close()
        if conversation.trouble is not None:
            raise UsageError(conversation.trouble)
        return conversation

    def rename(self, ref: str, name: str) -> Conversation:
        """Give a conversation a name; raises UsageError for one that another has already."""
        path = self.path(ref)
        name = self.unused(name, path)
        conversation = Conversation.load(path, redact=self.redact)
        conversation.rename(name)
        self._behind = True
        return conversation

    def unused(self, name: str, path: Path | None = None) -> str:
        """The name as it will be kept, for a new conversation or the one of this path.

        Raises UsageError for one that another has already, and for one that means a place in the list.
        """
        name = name.strip()
        if _BACK.match(name):
            raise UsageError(f"{name} is no name: it means a conversation by its age", "Choose another name")
        taken = [entry for entry in self.index.named(name) if entry.path != path and entry.name.lower() == name.lower()]
        if name and taken:
            raise UsageError(f"{taken[0].id} is already called {name!r}", "A name means one conversation")
        return name

    def old(self, than: str) -> list[Entry]:
        """The conversations that were last used before this date, or longer ago than this age (30d, 6m, 1y)."""
        return self.index.entries(Query(before=moment(than)))

    def delete(self, entries: Iterable[Entry]) -> list[Path]:
        """Delete the files, and what the index knows of them; those that are in use are not, and are returned."""
        kept = []
        gone = []
        for entry in entries:
            claim = Journal(entry.path, new=False)
            try:
                claim.open()
                entry.path.unlink(missing_ok=True)
            except (Busy, OSError):
                kept.append(entry.path)
            else:
                gone.append(entry.path)
            finally:
                claim.close()
        for directory in {path.parent for path in gone}:
            self._tidy(directory)
        self.index.forget(gone)
        return kept

    def _tidy(self, directory: Path) -> None:
        """See the deletion on disk; a month or a year that is empty goes too."""
        with suppress(OSError):
            sync_directory(directory)
            while directory != self.directory:
                directory.rmdir()
                directory = directory.parent

    def _advice(self, ref: str) -> str:
        near = get_close_matches(ref, self.index.names(), n=3)
        if near:
            return f"Did you mean {' or '.join(near)}?"
        return "A conversation is meant by its id (its first 4 letters will do), its name, or @-1 for the last one"


def keep_copy(conversation: Conversation, directory: Path, fmt: str) -> Path:
    """Write the readable copy that `transcript_dir` asks for, over the one before; raises UsageError.

    Its name begins with the date and ends with the conversation's id, by which it is found again.
    """
    from streamchat.history import files
    from streamchat.history.journal import make_private

    try:
        make_private(directory)
        before = next((path for path in directory.glob(f"*{conversation.id}.{fmt}")), None)
    except OSError as exc:
        raise UsageError(f"{directory} cannot be used for transcripts: {exc.strerror}") from exc
    path = before or directory / f"{_day(conversation.created)}-{_slug(conversation)}{conversation.id}.{fmt}"
    files.write(path, transcript(of(path), conversation), overwrite=True)
    return path


def copies(entry: Entry, directory: Path) -> list[Path]:
    """The readable copies of a conversation in `transcript_dir`, which deleting it leaves."""
    return sorted(directory.glob(f"*{entry.id}.*")) if directory.is_dir() else []


def _slug(conversation: Conversation) -> str:
    from streamchat.history.formats import title

    words = re.findall(r"\w+", title(conversation).lower())
    return "".join(f"{word}-" for word in words[:6])[:60]


def _day(created: str) -> str:
    try:
        return datetime.fromisoformat(created).astimezone().date().isoformat()
    except ValueError:
        return "undated"
