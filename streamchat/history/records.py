"""The lines of a conversation file: their schema, how one is written and how a file full of them is read.

A file is JSON lines, appended to and never rewritten. Version 1 has these lines, told apart by `type`:

    conversation  first line: version, id, created; `forked` names what it was copied from, `imported` where from
    message       a question: id, parent (the reply it follows, or null), role, content, time; `attachments` are
                  the images and PDFs that went with it: name, media_type, data in base64
    reply         an answer was asked for: id, parent (its message), provider, model, system, options, time.
                  Written before the request goes out. No `system` means the same as in the reply before it
                  on the branch, null means none.
    text, reasoning, usage, stop
                  the events of `streamchat.events` as they came, with `at`, the seconds since the request.
                  They belong to the `reply` line above, or to the one that they name under `reply`.
    end           the reply is closed: stop_reason, detail, usage, first_token, elapsed, error.
                  A reply without this line was cut by a crash (or is still arriving).
    name          the conversation is called this from now on
    head          the conversation goes on after this id: what came later on another branch is put aside

Messages and replies form a tree by `parent`; the last message, reply or head line says where the conversation
stands. Every later version must read all earlier ones; unknown keys are ignored, unknown types skipped and counted.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from streamchat.chat import Attachment, Options, Role
from streamchat.events import Event, Reasoning, Stop, StopReason, Text, Usage

VERSION = 1


class Head(Struct, tag="conversation", omit_defaults=True):
    """The first line of a file."""

    id: str
    version: int | None = None
    created: str = ""
    forked: dict[str, Any] | None = None
    imported: str | None = None


class Question(Struct, tag="message", omit_defaults=True):
    """What was asked. An absent `parent` (in a file made by hand) means the line before it in the conversation."""

    id: str = ""
    parent: str | UnsetType | None = UNSET
    role: Role = "user"
    content: str = ""
    time: str = ""
    attachments: tuple[Attachment, ...] = ()


class Answer(Struct, tag="reply", omit_defaults=True):
    """An answer was asked for."""

    id: str = ""
    parent: str | UnsetType | None = UNSET
    provider: str = ""
    model: str = ""
    system: str | UnsetType | None = UNSET
    options: Options = Options()
    time: str = ""


class TextLine(Struct, tag="text", omit_defaults=True, gc=False):
    """A delta of the answer."""

    text: str
    at: float = 0.0
    reply: str | None = None


class ReasoningLine(Struct, tag="reasoning", omit_defaults=True, gc=False):
    """A delta of the reasoning."""

    text: str
    at: float = 0.0
    reply: str | None = None


class UsageLine(Struct, tag="usage", omit_defaults=True):
    """What the provider counted so far."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    at: float = 0.0
    reply: str | None = None


class StopLine(Struct, tag="stop", omit_defaults=True):
    """The provider said that this is the end."""

    reason: StopReason
    detail: str | None = None
    at: float = 0.0
    reply: str | None = None


class End(Struct, tag="end", omit_defaults=True):
    """How a reply ended, and what it cost."""

    stop_reason: StopReason
    detail: str | None = None
    usage: Usage = Usage()
    first_token: float | None = None
    elapsed: float = 0.0
    error: str | None = None
    reply: str | None = None


class Named(Struct, tag="name"):
    """The conversation's name from here on; an empty one takes it away."""

    name: str


class Moved(Struct, tag="head"):
    """The conversation goes on after `id`; null is its very beginning."""

    id: str | None


EventLine = TextLine | ReasoningLine | UsageLine | StopLine
Record = Head | Question | Answer | EventLine | End | Named | Moved

_decoder = msgspec.json.Decoder(Record, strict=False)
_encoder = msgspec.json.Encoder()


def of(event: Text | Reasoning | Usage | Stop, *, at: float, reply: str | None = None) -> EventLine:
    """The line that keeps this event."""
    at = round(at, 3)
    match event:
        case Text(text=text):
            return TextLine(text, at, reply)
        case Reasoning(text=text):
            return ReasoningLine(text, at, reply)
        case Usage():
            return UsageLine(**msgspec.structs.asdict(event), at=at, reply=reply)
        case Stop(reason=reason, detail=detail):
            return StopLine(reason, detail, at, reply)


def event(line: EventLine) -> Event:
    """The event that this line keeps."""
    match line:
        case TextLine(text=text):
            return Text(text)
        case ReasoningLine(text=text):
            return Reasoning(text)
        case StopLine(reason=reason, detail=detail):
            return Stop(reason, detail)
        case UsageLine():
            return Usage(*(getattr(line, name) for name in Usage.__struct_fields__))


def encode(record: Record) -> bytes:
    """One line of JSON with its line end, fit to be shown by `cat`: what is not printable is escaped."""
    return json_bytes(record) + b"\n"


def json_bytes(value: Any) -> bytes:
    """`value` as JSON without line ends; controls, bidi marks and halves of characters stand as \\u escapes."""
    try:
        line = _encoder.encode(value)
    except UnicodeEncodeError:  # half a surrogate pair: msgspec has no way to write it, the standard library has
        line = None
    if line is not None and line.decode().isprintable():
        return line
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=True, separators=(",", ":")).encode()


def decode(data: bytes) -> tuple[list[Record], int]:
    """All records of a file and the number of its lines that were no such thing: torn, foreign, edited to pieces.

    No line is ever in the way of the others. The whole file is decoded in one go when it is sound, which is 1 us a
    line, and line by line when it is not.
    """
    try:
        return _decoder.decode_lines(data), 0
    except (ValueError, RecursionError):
        pass
    records: list[Record] = []
    skipped = 0
    for line in data.split(b"\n"):
        line = line.strip(b"\0 \t\r\xef\xbb\xbf")
        if not line:
            continue
        found = list(_salvaged(line))
        skipped += None in found
        records += (record for record in found if record is not None)
    return records, skipped


def _salvaged(line: bytes) -> Iterator[Record | None]:
    """The record of a line; of a torn line with others glued to it, None and what can still be read."""
    start = 0
    while start >= 0:
        record = _decoded(line[start:])
        yield record
        start = -1 if record is not None else line.find(b'{"type":', start + 1)


def _decoded(line: bytes) -> Record | None:
    try:
        record: Record = _decoder.decode(line)
        return record
    except (ValueError, RecursionError):
        pass
    try:  # an escaped half of a surrogate pair is an error to msgspec
        record = msgspec.convert(json.loads(line), Record, strict=False)
    except (ValueError, RecursionError):
        return None
    return record
