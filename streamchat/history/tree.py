"""The tree of a conversation's turns: pure, without the disk."""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET

from streamchat.chat import Message
from streamchat.history.records import Answer, End, EventLine, Head, Moved, Named, Question, Record, TextLine
from streamchat.history.redaction import Sieve, redacted
from streamchat.history.turn import Turn
from streamchat.views.safe import joined_surrogates

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LOST = "(this question could not be read from the conversation's file)"


class Tree:
    """Questions and answers, each after its parent; `at` is the id after which the conversation goes on."""

    def __init__(self, head: Head, *, redact: Sequence[re.Pattern[str]] = ()) -> None:
        self.head = head
        self.name = ""
        self.at: str | None = None
        self._redact = redact
        self._questions: dict[str, Question] = {}
        self._turns: dict[str, Turn] = {}
        self._latest: Turn | None = None

    @property
    def last(self) -> Turn | None:
        """The turn after which the conversation goes on: its model, system and options are the conversation's own."""
        return next(self._back(self.at), None)

    def turns(self) -> list[Turn]:
        """The branch that the conversation is on, from its beginning."""
        return list(self._back(self.at))[::-1]

    def every(self) -> list[Turn]:
        """All turns of all branches, in the order in which they were asked."""
        answered = {id(turn.question) for turn in self._turns.values()}
        asked = [
            Turn(self, question, None, None) for question in self._questions.values() if id(question) not in answered
        ]
        order = {identity: place for place, identity in enumerate((*self._questions, *self._turns))}
        return sorted((*self._turns.values(), *asked), key=lambda turn: (turn.question.time, order[turn.id]))

    def messages(self, *, before: Turn | None = None) -> tuple[Message, ...]:
        """The branch as it goes to a model: every question that was answered, with its answer.

        A question whose answer failed before its first word is left out, so that roles alternate.
        """
        messages: list[Message] = []
        for turn in list(self._back(self.at if before is None else before.question_parent))[::-1]:
            question = turn.question
            messages.append(Message(question.role, joined_surrogates(question.content), question.attachments))
            if text := turn.text:
                messages.append(Message("assistant", text))
        following = [*messages[1:], None]
        return tuple(
            message
            for message, after in zip(messages, following, strict=False)
            if message.role == "assistant" or (after is not None and after.role == "assistant")
        )

    def read(self, lines: Sequence[Record]) -> None:
        """Build the tree. What names a parent that is not there follows what stands before it in the file."""
        asked: Question | None = None
        ids: dict[str, str] = {}
        for line in lines:
            if isinstance(line, TextLine) and line.reply is None and self._latest is not None:
                self._latest.lines.append(line)  # nearly all lines are these
                continue
            match line:
                case Question():
                    if line.parent is not None:
                        line.parent = ids.get(line.parent or "", self.at)
                    line.id = self._own_id(line.id, ids)
                    self._questions[line.id] = asked = line
                    self.at = line.id
                case Answer():
                    line.id = self._own_id(line.id, ids)
                    named = isinstance(line.parent, str)
                    question = self._questions.get(ids.get(str(line.parent), "")) if named else asked
                    if question is None:
                        question = Question(f"{line.id}?", self.at, "user", LOST, line.time)
                        self._questions[question.id] = question
                    self._latest = Turn(self, question, line, line.system or None)
                    if line.system is UNSET:
                        self._latest.system = self._system_before(question)
                    self._turns[line.id] = self._latest
                    self.at = line.id
                case Named(name=name):
                    self.name = name
                case Moved(id=at):
                    self.at = at if at is None else ids.get(at, self.at)
                case Head():
                    pass
                case _:
                    turn = self._turns.get(ids.get(line.reply, "")) if line.reply is not None else self._latest
                    if turn is not None and isinstance(line, End):
                        turn.ended = line
                    elif turn is not None and not isinstance(line, End):
                        turn.lines.append(line)

    def lines(self, turns: Sequence[Turn] | None = None) -> Iterator[Record]:
        """The branch (or these turns) as records, head first, as it may stand on disk."""
        return map(self.redacted, self.branch(self._redact, turns))

    def branch(self, redact: Sequence[re.Pattern[str]] = (), turns: Sequence[Turn] | None = None) -> Iterator[Record]:
        """The branch (or these turns) as records, head first; with patterns, the deltas of a line in one piece."""
        yield self.head
        if self.name:
            yield Named(self.name)
        system: str | None = None
        for turn in self.turns() if turns is None else turns:
            yield msgspec.structs.replace(turn.question)  # who reads it may give it another id
            if turn.answer is None:
                continue
            same = turn.system == system
            yield msgspec.structs.replace(turn.answer, parent=turn.question.id, system=UNSET if same else turn.system)
            system = turn.system
            sieve = Sieve(redact)
            for line in turn.lines:
                yield from sieve.put(line)
            yield from sieve.drain()
            if turn.ended is not None:
                yield turn.ended

    def redacted(self, record: Record) -> Record:
        """The record as it may stand on disk."""
        if not self._redact:
            return record
        clean: dict[str, Any] = {
            name: redacted(value, self._redact)
            for name in ("content", "system", "name", "text", "detail", "error")
            if isinstance(value := getattr(record, name, None), str)
        }
        return msgspec.structs.replace(record, **clean) if clean else record

    def has(self, at: object) -> bool:
        """Whether a question or an answer has this id."""
        return at in self._turns or at in self._questions

    # for its turns

    def sieve(self) -> Sieve:
        """What a reply's lines go through on their way to the disk."""
        return Sieve(self._redact)

    def put(self, line: EventLine | End, turn: Turn) -> None:
        """A turn got this line; a tree that is kept somewhere writes it down."""

    def finish(self, turn: Turn) -> None:
        """A turn ended; a tree that is kept somewhere makes sure of it."""

    # inside

    def _back(self, at: str | None) -> Iterator[Turn]:
        seen = set()
        while at is not None and at not in seen:
            seen.add(at)
            turn = self._turns.get(at)
            if turn is None:
                turn = Turn(self, self._questions[at], None, None)
            yield turn
            at = turn.question_parent

    def free_id(self) -> str:
        """An id that nothing in this conversation has: among thousands of short random ones two would be the same."""
        while self.has(found := new_id(6)):
            pass
        return found

    def _own_id(self, given: str, ids: dict[str, str]) -> str:
        """The id of a line that says this one; a copy of a line (by hand, by a sync) is another, and takes no place."""
        own = self.free_id() if not given or self.has(given) else given
        if given:
            ids[given] = own
        return own

    def _system_before(self, question: Question) -> str | None:
        before = next((turn for turn in self._back(question.parent or None) if turn.answer is not None), None)
        return before.system if before is not None else None


def new_id(length: int = 10) -> str:
    """Random characters that are hard to confuse, all of them: four of them are enough to name one among thousands."""
    return "".join(ALPHABET[byte & 31] for byte in os.urandom(length))


def is_id(text: str) -> bool:
    """Whether this can be the id of a conversation, which is the name of a file too."""
    return 4 <= len(text) <= 64 and text.isascii() and text.isalnum() and text == text.lower()


def now() -> str:
    """The time as the records have it."""
    return instant(datetime.now(UTC))


def instant(moment: datetime) -> str:
    """This moment in UTC to the millisecond: as text, such times sort as they should."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
