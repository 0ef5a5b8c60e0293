"""Conversations from elsewhere: our own files, a ChatGPT or Claude data export (also zipped), llm's `logs.db`.

What kind of file it is shows in its content, not in its name. Of a conversation with branches the current one is taken.
Only text comes along, with who said it, when, and the model; of pictures and tool calls their place at most.
"""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from streamchat.errors import UsageError
from streamchat.history import chats, llm, markdown, records
from streamchat.history.draft import Draft
from streamchat.history.records import Answer, Head, Question
from streamchat.history.tree import new_id
from streamchat.paths import STDIN

KINDS = (
    "It reads its own JSON, JSON lines and Markdown (each turn under `## User` or `## Assistant`), the zip file or "
    "conversations.json of a ChatGPT or Claude data export, and llm's logs.db"
)
_SQLITE = b"SQLite format 3\0"


def read(path: Path) -> Iterator[Draft]:
    """The conversations in a file of any of the kinds above; raises UsageError for a file of another kind."""
    try:
        with _opened(path) as file:
            magic = file.read(16)
            data = b"" if magic.startswith(_SQLITE) else magic + file.read()  # a pipe can be read but once
        if not data and magic:
            yield from llm.drafts(path)
            return
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}") from exc
    found = False
    for part in _unzipped(path, data) if magic.startswith(b"PK\x03\x04") else [data]:
        for draft in _parsed(part):
            found = True
            yield draft
    if not found:
        raise UsageError(f"{path} holds no conversation that streamchat knows how to read", KINDS)


def _opened(path: Path) -> BinaryIO:
    """The file, - for what is piped in."""
    if path != STDIN:
        return path.open("rb")
    if os.isatty(0):
        raise UsageError("- is what is piped in, and nothing is", "Name a file.")
    return open(0, "rb", closefd=False)


def _unzipped(path: Path, data: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in sorted(archive.namelist()):
                base = name.rpartition("/")[2]
                if base.startswith("conversations") and base.endswith(".json"):
                    yield archive.read(name)
    except (zipfile.BadZipFile, OSError, RuntimeError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}") from exc


def _parsed(data: bytes) -> Iterator[Draft]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        yield from _own_lines(data)
        return
    for conversation in value if isinstance(value, list) else [value]:
        match conversation:
            case {"mapping": dict()}:
                yield chats.chatgpt(conversation)
            case {"chat_messages": list()}:
                yield chats.claude(conversation)
            case {"messages": list()}:
                yield chats.document(conversation)


def _own_lines(data: bytes) -> Iterator[Draft]:
    lines, _ = records.decode(data)
    if not lines:
        with suppress(UsageError):  # `read` says it of the file, and what else could be in it
            lines = markdown.parse(data.decode("utf-8-sig", "replace"))
    if any(isinstance(line, Question | Answer) for line in lines):
        head = next((line for line in lines if isinstance(line, Head)), None)
        yield Draft(head or Head(new_id(), records.VERSION, imported="jsonl"), lines)
