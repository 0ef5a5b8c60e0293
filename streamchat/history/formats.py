"""Transcripts: a conversation as a file for people or programs, in a format chosen by the file's suffix.

To add one: a function from a Tree and its turns to text, and its suffix in `FORMATS`.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from streamchat.errors import UsageError
from streamchat.history import files, records
from streamchat.history.tree import Tree
from streamchat.history.turn import Turn
from streamchat.views.safe import one_line, safe

Render = Callable[[Tree, Sequence[Turn]], str]


def save(
    path: Path,
    conversation: Tree,
    turns: Sequence[Turn] | None = None,
    *,
    fmt: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write a transcript of the branch (or of these turns of it), atomically; raises UsageError.

    The format is the one named, or else the one that the file's suffix says.
    """
    render = named(fmt) if fmt is not None else of(path)
    files.write(path, transcript(render, conversation, turns), overwrite=overwrite)


def of(path: Path) -> Render:
    """The format of a file by its suffix; raises UsageError for one that there is none for."""
    suffix = path.suffix.lower().removeprefix(".")
    if _ALIASES.get(suffix, suffix) not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"{path.name} does not tell the transcript's format", f"Let its name end in one of {known}.")
    return named(suffix)


def named(name: str) -> Render:
    """The format of this name; raises UsageError if there is none."""
    name = _ALIASES.get(name.lower(), name.lower())
    if name not in FORMATS:
        raise UsageError(f"there is no transcript format {name!r}", f"There are {', '.join(FORMATS)}")
    return FORMATS[name]


def transcript(render: Render, conversation: Tree, turns: Sequence[Turn] | None = None) -> bytes:
    """The conversation in this format, with what must not reach the disk taken out."""
    clean = Tree(conversation.head)
    clean.read(list(conversation.lines(turns)))
    return render(clean, clean.turns()).encode()


def title(tree: Tree) -> str:
    """The conversation's name, or the beginning of its first question, on one line."""
    return heading(tree.name or next((turn.question.content for turn in tree.turns()), ""))


def heading(text: str) -> str:
    """The beginning of a text as a title."""
    return one_line(text[:1000], 80)


def asker(turn: Turn) -> str:
    """Who asked, with the names of what was attached; in a file made by hand it may be an answer that stands alone."""
    name = "You" if turn.question.role == "user" else "Assistant"
    attached = ", ".join(one_line(each.name, 80) for each in turn.question.attachments)
    return f"{name} (attached: {attached})" if attached else name


def speaker(turn: Turn) -> str:
    """Who answered, and how it ended if that was not well."""
    name = safe(turn.model) or "Assistant"
    return f"{name} ({turn.ending})" if turn.ending else name


def as_jsonl(tree: Tree, turns: Sequence[Turn]) -> str:
    """The journal's own lines, one branch of them: what it holds, exactly."""
    return b"".join(records.encode(line) for line in tree.lines(turns)).decode()


def as_json(tree: Tree, turns: Sequence[Turn]) -> str:
    """One document with a flat list of messages."""
    document = {
        "type": "conversation",
        "version": records.VERSION,
        "id": tree.head.id,
        "created": tree.head.created,
        "name": tree.name,
        "messages": [message for turn in turns for message in _messages(turn)],
    }
    value = msgspec.to_builtins(document)
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if not text.replace("\n", "").isprintable():
        text = json.dumps(value, indent=2)
    return text + "\n"


def _messages(turn: Turn) -> list[dict[str, Any]]:
    question: dict[str, Any] = {
        "role": turn.question.role,
        "content": turn.question.content,
        "time": turn.question.time,
    }
    if turn.question.attachments:
        question["attachments"] = turn.question.attachments
    if turn.answer is None:
        return [question]
    ended = turn.ended
    answer = {
        "role": "assistant",
        "content": turn.text,
        "reasoning": turn.reasoning,
        "provider": turn.answer.provider,
        "model": turn.answer.model,
        "system": turn.system,
        "options": turn.answer.options,
        "time": turn.answer.time,
        "stop_reason": turn.stop_reason,
        "detail": ended and ended.detail,
        "error": ended and ended.error,
        "usage": turn.usage,
        "first_token": ended and ended.first_token,
        "elapsed": ended and ended.elapsed,
    }
    return [question, {key: value for key, value in answer.items() if value not in (None, "")}]


def as_txt(tree: Tree, turns: Sequence[Turn]) -> str:
    """Plain text, for a mail or a pager."""
    parts = [f"{title(tree)}\n{tree.head.created[:16].replace('T', ' ')} UTC\n"]
    for turn in turns:
        parts.append(f"{asker(turn)}:\n{safe(turn.question.content).rstrip()}\n")
        if turn.answer is not None:
            parts.append(f"{speaker(turn)}:\n{safe(turn.text).rstrip()}\n")
    return "\n".join(parts)


def _as_markdown(tree: Tree, turns: Sequence[Turn]) -> str:
    from streamchat.history import markdown

    return markdown.render(tree, turns)


def _as_html(tree: Tree, turns: Sequence[Turn]) -> str:
    from streamchat.history import html

    return html.render(tree, turns)


FORMATS: dict[str, Render] = {
    "md": _as_markdown,
    "json": as_json,
    "jsonl": as_jsonl,
    "txt": as_txt,
    "html": _as_html,
}
_ALIASES = {"markdown": "md", "htm": "html", "text": "txt", "ndjson": "jsonl"}
