"""A conversation: a tree of turns in memory, and the journal that keeps it while it grows, on disk or elsewhere.

    conversation = Conversation.new(directory)          # no file before the first turn
    turn = conversation.begin("Why?", provider="openai", model="gpt-5")
    stream = ...Chat(model, turn.messages())...
    for event in turn.record(stream.events()): ...      # on disk before it is seen
    turn.end(stream.reply)

Nothing here raises because of the disk once a conversation is loaded: `trouble` says what was not saved. Where it is
kept is the matter of its `Home` (`keeping.py`): a folder, or a database for a team.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET

from streamchat.chat import Attachment, Options
from streamchat.errors import UsageError
from streamchat.history import records
from streamchat.history.journal import Folder, Journal
from streamchat.history.keeping import Busy, Home, Writing
from streamchat.history.records import Answer, End, EventLine, Head, Moved, Named, Question, Record
from streamchat.history.tree import Tree, new_id, now
from streamchat.history.turn import Turn


class Conversation(Tree):
    """Turns on disk. `id`, `name` and `path` tell which; `notices` are sentences to show to the person, once."""

    def __init__(self, home: Home | None, head: Head, *, redact: Sequence[re.Pattern[str]] = ()) -> None:
        super().__init__(head, redact=redact)
        self.notices: list[str] = []
        self._home = home
        self._journal: Writing | None = None

    @classmethod
    def new(cls, home: Home | Path | None, *, name: str = "", redact: Sequence[re.Pattern[str]] = ()) -> "Conversation":
        """A conversation to be kept there (a path is the folder `conversations`); None keeps it in memory only."""
        home = Folder(home) if isinstance(home, Path) else home
        conversation = cls(home, Head(new_id(), records.VERSION, now()), redact=redact)
        conversation.name = name
        return conversation

    @classmethod
    def load(cls, path: Path, *, save: bool = True, redact: Sequence[re.Pattern[str]] = ()) -> "Conversation":
        """The conversation in this file; whatever is damaged in it is skipped, with a notice.

        Without `save` it goes on in memory only.
        """
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise UsageError(f"the conversation {path} cannot be read: {exc.strerror}") from exc
        home = Folder(_directory_of(path)) if save else None
        journal = Journal(path, new=False, size=len(data)) if save else None
        return cls.of(data, str(path), id=path.stem, home=home, journal=journal, redact=redact)

    @classmethod
    def of(
        cls,
        data: bytes,
        source: str,
        *,
        id: str,  # noqa: A002
        home: Home | None,
        journal: Writing | None,
        redact: Sequence[re.Pattern[str]] = (),
    ) -> "Conversation":
        """The conversation of these lines, which go on in `journal`; `source` and `id` are for lines that do not say
        where they are from."""
        lines, skipped = records.decode(data)
        if not lines:
            raise UsageError(f"{source} holds no conversation", "Those that there are: streamchat history list")
        head = next((line for line in lines if isinstance(line, Head)), None) or Head(id)
        conversation = cls(home, head, redact=redact)
        conversation._journal = journal
        conversation.read(lines)
        if (head.version or 0) > records.VERSION:
            conversation.notices.append(
                f"{source} was written by a newer streamchat; this one may not understand all of it"
            )
        elif skipped:
            conversation.notices.append(
                f"{_count(skipped, 'line')} of {source} could not be read and {_were(skipped)} skipped"
            )
        return conversation

    # what is in it

    @property
    def id(self) -> str:
        """Ten random characters, so that the first four tell conversations apart."""
        return self.head.id

    @property
    def created(self) -> str:
        """When it began, in UTC; empty if the file does not say."""
        return self.head.created

    @property
    def path(self) -> Path | None:
        """Its file, once there is one."""
        return self._journal.path if self._journal is not None else None

    @property
    def trouble(self) -> str | None:
        """One sentence about what could not be saved; None while all is well."""
        return self._journal.trouble if self._journal is not None else None

    # going on

    def begin(
        self,
        content: str | None,
        *,
        provider: str = "",
        model: str = "",
        system: str | None = None,
        options: Options = Options(),  # noqa: B008 - a frozen value
        attachments: tuple[Attachment, ...] = (),
    ) -> Turn:
        """Ask, on disk first. None asks the last question again: another answer beside those that it has."""
        last = self.last
        if content is None:
            if last is None:
                raise UsageError("there is no question to ask again")
            question = last.question
        else:
            question = Question(self.free_id(), self.at, "user", content, now(), attachments)
        told = UNSET if system == self._system_before(question) else system
        answer = Answer(self.free_id(), question.id, provider, model, told, options, now())
        turn = Turn(self, question, answer, system)
        self._take_hold()
        if content is not None:
            self._questions[question.id] = question
            self._write(question)
        self._turns[turn.id] = turn
        self._write(answer)
        self._latest, self.at = turn, turn.id
        self.flush()
        return turn

    def rename(self, name: str) -> None:
        """Call it this from now on."""
        self.name = name
        trouble = self._journal.append(self.redacted(Named(name))) if self._journal is not None else None
        if trouble is not None:
            self.notices.append(trouble)

    def rewind(self, at: str | None) -> None:
        """Go on after this id (of a question, an answer, or None for the beginning); what came later is kept aside."""
        if at is not None and at not in self._turns and at not in self._questions:
            raise UsageError(f"there is no turn {at} in this conversation")
        self.at = at
        if self._journal is not None:
            self._take_hold()
            self._write(Moved(at))
            self._settle()

    def fork(self) -> "Conversation":
        """A new conversation that begins with a copy of this branch; no file before its first turn."""
        fork = Conversation(
            self._home,
            Head(new_id(), records.VERSION, now(), {"conversation": self.id, "at": self.at}),
            redact=self._redact,
        )
        fork.read(list(self.branch()))
        return fork

    def save(self) -> None:
        """Write a conversation that has no file yet as a whole, for an import or a fork that is not asked anything."""
        if self._journal is None:
            self._take_hold()
            self._settle()

    def close(self) -> None:
        """Let go of the file."""
        if self._journal is not None:
            self._journal.close()

    # for its turns

    def put(self, line: EventLine | End, turn: Turn) -> None:
        """Journal a line of this turn, which names its reply unless that is the last one begun."""
        if self._journal is not None:
            line = line if turn is self._latest else msgspec.structs.replace(line, reply=turn.id)
            self._journal.write(self.redacted(line))

    def flush(self) -> None:
        """What was written goes out now."""
        if self._journal is not None:
            self._journal.flush()

    def finish(self, turn: Turn) -> None:
        """Journal the last line of this turn and see it all safely on disk."""
        for line in turn.sieve.drain():
            self.put(line, turn)
        if turn.ended is not None:
            self.put(turn.ended, turn)
        self._settle()

    # inside

    def _take_hold(self) -> None:
        """Be the only writer; a conversation that another process writes goes on as a fork, unless its home refuses."""
        if self._journal is None:
            if self._home is not None:
                self._create(self._home)
            return
        seen = self._journal.size
        try:
            self._journal.open()
        except Busy:
            self._split()
            return
        if self._journal.size > seen:
            self.notices.append("another process added to this conversation; this goes on beside that, as a branch")

    def _split(self) -> None:
        assert self._home is not None, "what has a journal has a home"
        former = self.id
        self._home.refuse(former)
        self.head = Head(new_id(), records.VERSION, now(), {"conversation": former, "at": self.at})
        self.name = ""  # it means one conversation: the former
        self.notices.append(
            f"the conversation {former} is in use by another process; this goes on as its fork {self.id}"
        )
        self._create(self._home)

    def _create(self, home: Home) -> None:
        self._journal = home.journal(self.id, self.created)
        self._journal.open()
        for line in self.lines():
            self._journal.write(line)

    def _write(self, record: Record) -> None:
        if self._journal is not None:
            self._journal.write(self.redacted(record))

    def _settle(self) -> None:
        if self._journal is not None:
            self._journal.settle()


def _directory_of(path: Path) -> Path:
    """`conversations` of `conversations/YYYY/MM/ID.jsonl`; of a file elsewhere, its own folder."""
    month, year = path.parent, path.parent.parent
    return year.parent if month.name.isdigit() and year.name.isdigit() else path.parent


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
