"""Conversations in the making, from what others wrote: the one place that knows how to be lenient with their JSON."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from streamchat.chat import Attachment
from streamchat.events import Usage
from streamchat.history import records
from streamchat.history.records import Answer, End, Head, Named, Question, ReasoningLine, Record, TextLine
from streamchat.history.tree import instant, new_id

Json = Mapping[str, Any]


class Draft(Struct, frozen=True):
    """A conversation that is not kept yet. `head.imported` names its origin where importing twice can be noticed."""

    head: Head
    lines: list[Record]


class Writing:
    """Records in the making: what one role says twice in a row is one message."""

    def __init__(self, name: str) -> None:
        self.lines: list[Record] = [Named(name)] if name else []
        self.system: str | None = None

    def add(
        self,
        role: str,
        text: str,
        *,
        reasoning: str = "",
        provider: str = "",
        model: str = "",
        time: str = "",
        usage: Json = {},  # noqa: B006 - only read
        stop_reason: object = "stop",
        elapsed: float = 0.0,
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        """One message."""
        last = self.lines[-1] if self.lines else None
        if role == "user" and isinstance(last, Question):
            last.content += f"\n\n{text}"
        elif role == "user":
            self.lines.append(Question(new_id(6), UNSET, "user", text, time, attachments))
        elif role == "assistant" and isinstance(last, End):
            self._more(last, text, reasoning)
        elif role == "assistant":
            self.lines.append(Answer(new_id(6), UNSET, provider, model, self.system, time=time))
            self.lines += [ReasoningLine(reasoning)] if reasoning else []
            self.lines += [TextLine(text)] if text else []
            self.lines.append(_end(usage, stop_reason, elapsed))

    def _more(self, end: End, text: str, reasoning: str) -> None:
        self.lines.pop()
        if reasoning:
            self.lines.append(ReasoningLine(reasoning))
        if text:
            begun = isinstance(self.lines[-1], TextLine)
            self.lines.append(TextLine(f"\n\n{text}" if begun else text))
        self.lines.append(end)


def _end(usage: Json, stop_reason: object, elapsed: float) -> End:
    counted = {name: usage[name] for name in Usage.__struct_fields__ if isinstance(usage.get(name), int | float)}
    line = records.decode(json.dumps({"type": "end", "stop_reason": stop_reason}).encode())[0]
    reason = line[0].stop_reason if line and isinstance(line[0], End) else "stop"
    return End(reason, usage=Usage(**counted), elapsed=elapsed)


def flat(content: object) -> str:
    """Text of a string, of a list of strings, or of a list of parts; what is no text keeps its place."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content if isinstance(content, list) else []:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            kind = str(part.get("content_type") or part.get("type") or "attachment")
            texts.append(word(part, "text") or f"[{kind.removesuffix('_asset_pointer').replace('_', ' ')}]")
    return "\n\n".join(text for text in texts if text)


def attached(value: object) -> tuple[Attachment, ...]:
    """What came with a message, of our own documents; () for anything else."""
    try:
        return msgspec.convert(value or (), tuple[Attachment, ...])
    except msgspec.ValidationError:
        return ()


def dicts(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def word(value: Json, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def iso(time: str) -> str:
    """A time as our records have it; one without a zone is UTC, as llm writes it."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return ""
    return instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def epoch(seconds: object) -> str:
    try:
        return instant(datetime.fromtimestamp(float(str(seconds)), UTC))
    except (ValueError, OverflowError, OSError):
        return ""
