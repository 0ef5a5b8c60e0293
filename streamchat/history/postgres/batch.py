"""What goes to the database at once: lines of a journal, and what they change in the lists and in the search."""

import secrets
from typing import Any

import msgspec
from msgspec import Struct

from streamchat.history.formats import heading
from streamchat.history.postgres.search import clean, vectors
from streamchat.history.records import (
    Answer,
    End,
    Named,
    Question,
    ReasoningLine,
    Record,
    StopLine,
    TextLine,
    UsageLine,
    encode,
)


class Batch(Struct):
    """Some lines. `token` tells it from all others: who does not know whether it was written sends it again."""

    records: list[Record]
    token: int
    follows: str = ""
    """The answer that its first lines belong to where they do not say it."""
    name: str | None = None
    begins: str = ""
    model: str = ""
    updated: str = ""
    turns: int = 0
    said: list[dict[str, Any]] = []

    @property
    def lines(self) -> str:
        """As they stand in the journal."""
        return b"".join(map(encode, self.records)).decode()

    def name_replies(self) -> None:
        """Let every line say which answer it belongs to, for others wrote in between."""
        reply = self.follows
        for place, record in enumerate(self.records):
            if isinstance(record, Answer):
                reply = record.id
            elif isinstance(record, TextLine | ReasoningLine | UsageLine | StopLine | End) and record.reply is None:
                self.records[place] = msgspec.structs.replace(record, reply=reply)


class _Reply(Struct):
    """An answer that is being written."""

    time: str
    model: str
    texts: list[str] = []


class Packer:
    """Makes batches of the lines of one conversation; an answer can be searched from its end on."""

    def __init__(self) -> None:
        self._replies: dict[str, _Reply] = {}
        self._latest = ""

    def batch(self, records: list[Record]) -> Batch:
        """These lines as one batch."""
        batch = Batch(records, secrets.randbits(63), follows=self._latest)
        for record in records:
            self._take(record, batch)
        return batch

    def _take(self, record: Record, batch: Batch) -> None:
        match record:
            case Question():
                batch.begins = batch.begins or clean(heading(record.content))
                batch.updated = max(batch.updated, clean(record.time))
                batch.said += _said(record.content, role=record.role, time=record.time)
            case Answer():
                batch.turns += 1
                batch.model = clean("/".join(part for part in (record.provider, record.model) if part))
                batch.updated = max(batch.updated, clean(record.time))
                self._latest = record.id
                self._replies[record.id] = _Reply(record.time, batch.model)
            case TextLine():
                if reply := self._replies.get(record.reply or self._latest):
                    reply.texts.append(record.text)
            case End():
                if reply := self._replies.pop(record.reply or self._latest, None):
                    batch.said += _said("".join(reply.texts), role="assistant", time=reply.time, model=reply.model)
            case Named():
                batch.name = clean(record.name)


def _said(text: str, *, role: str, time: str, model: str = "") -> list[dict[str, Any]]:
    about = {"role": role, "time": clean(time), "model": next(vectors(model))}
    return [{**about, "words": vector} for vector in vectors(text) if vector]


def named(name: str, time: str) -> list[dict[str, Any]]:
    """What is searched of a name."""
    return _said(name, role="name", time=time)
