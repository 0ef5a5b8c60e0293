r"""A conversation as Markdown that people read and edit, and back again.

Each turn begins with a heading, and each such heading ends with an HTML comment, which renderers hide:

    ## You <!-- streamchat: {"role":"user"} -->

The comment makes the heading a turn: whatever else the text contains (headings, other transcripts in code blocks) is
text. A line of the text that holds such a comment itself gets a backslash in it (`<!-- \streamchat:`), taken away again
by `parse`. Nothing in a comment but `role` is needed, so a turn can be written by hand as above. A file without a
single comment is understood by its headings (`## User`, `## Assistant`).
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from streamchat.errors import UsageError
from streamchat.events import StopReason, Usage
from streamchat.history import records
from streamchat.history.formats import asker, speaker, title
from streamchat.history.formats import heading as title_of
from streamchat.history.records import Answer, End, Head, Named, Question, ReasoningLine, Record, TextLine
from streamchat.history.tree import Tree, new_id
from streamchat.history.turn import Turn
from streamchat.views.safe import safe

_MARK = re.compile(r"^(.*?) ?<!-- streamchat: (\{.*\}) -->[ \t]*\r?$")
_QUOTED = re.compile(r"(<!-- \\*)(?=streamchat:)")
_UNQUOTED = re.compile(r"<!-- \\(?=\\*streamchat:)")
_PLAIN = re.compile(
    r"^#{1,4} *(?:(?P<user>user|you|human|me|prompt|question)|(?P<assistant>assistant|ai|model|bot|answer|response"
    r"|chatgpt|claude|gemini|gpt[-\w.]*)) *:? *\r?$",
    re.IGNORECASE,
)


def render(tree: Tree, turns: Sequence[Turn]) -> str:
    """The turns as Markdown."""
    head = {"role": "conversation", "version": records.VERSION, "id": tree.head.id, "created": tree.head.created}
    parts = [_mark(f"# {title(tree)}", head | ({"name": tree.name} if tree.name else {}))]
    system = None
    for turn in turns:
        if turn.answer is not None and turn.system != system:
            system = turn.system
            parts.append(_section("### System", {"role": "system"}, system or ""))
        about = {"role": turn.question.role, "time": turn.question.time}
        parts.append(_section(f"## {asker(turn)}", about, turn.question.content))
        if turn.answer is not None:
            parts += _answer(turn, turn.answer)
    return "\n".join(parts)


def _answer(turn: Turn, answer: Answer) -> Iterator[str]:
    about = {
        "role": "assistant",
        "provider": answer.provider,
        "model": answer.model,
        "time": answer.time,
        "stop_reason": turn.stop_reason,
        "usage": {key: value for key, value in json.loads(records.json_bytes(turn.usage)).items() if key != "type"},
    }
    heading = f"## {speaker(turn)}"
    about = {key: value for key, value in about.items() if value or key == "stop_reason"}
    if not turn.reasoning:
        yield _section(heading, about, turn.text)
        return
    yield _mark(heading, about)
    yield _section("<details><summary>Reasoning</summary>", {"role": "reasoning"}, turn.reasoning)
    yield _section("</details>", {"role": "text"}, turn.text)


def _section(heading: str, about: dict[str, Any], text: str) -> str:
    return f"{_mark(heading, about)}\n{_QUOTED.sub(lambda found: found[1] + chr(92), safe(text))}\n"


def _mark(heading: str, about: dict[str, Any]) -> str:
    data = records.json_bytes(about).decode().replace(">", "\\u003e").replace("--", "-\\u002d")
    return f"{heading} <!-- streamchat: {data} -->\n"


def parse(text: str) -> list[Record]:
    """The records of a conversation that was exported, edited or written by hand; raises UsageError if it is none."""
    sections = list(_sections(text)) or list(_plain_sections(text))
    lines: list[Record] = [Head(new_id(), records.VERSION, imported="markdown")]
    system: str | None = None
    end: End | None = None
    for heading, about, body in sections:
        role = about["role"]
        if end is not None and role not in ("reasoning", "text"):
            lines.append(end)
            end = None
        match role:
            case "conversation":
                lines[0] = Head(new_id(), records.VERSION, _word(about, "created"), imported="markdown")
                lines += _named(heading.lstrip("# "), about, sections)
            case "system":
                system = body or None
            case "user":
                lines.append(Question(new_id(6), content=body, time=_word(about, "time")))
            case "assistant":
                lines += _answered(about, system, body)
                end = _ended(about)
            case "reasoning":
                lines.append(ReasoningLine(body))
            case "text":
                lines.append(TextLine(body))
    if end is not None:
        lines.append(end)
    if not any(isinstance(line, Question | Answer) for line in lines):
        raise UsageError("this Markdown holds no conversation", "Begin each turn with `## User` or `## Assistant`.")
    return lines


def _sections(text: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Heading, what its comment says, and the text until the next; what stands before the first is nobody's."""
    heading, about = "", None
    body: list[str] = []
    for line in text.split("\n"):
        found = _MARK.match(line)
        said = _said(found[2]) if found is not None else None
        if found is None or said is None:
            body.append(_UNQUOTED.sub("<!-- ", line))
            continue
        if about is not None:
            yield heading, about, _inner(body)
        heading, about, body = found[1], said, []
    if about is not None:
        yield heading, about, _inner(body)


def _inner(body: list[str]) -> str:
    """The text without the empty line before it and the one behind it."""
    start = 1 if body and not body[0].strip() else 0
    stop = len(body) - 1 if len(body) > start and not body[-1].strip() else len(body)
    return "\n".join(body[start:stop])


def _plain_sections(text: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    about: dict[str, Any] | None = None
    body: list[str] = []
    for line in text.split("\n"):
        found = _PLAIN.match(line)
        if found is None:
            body.append(line)
            continue
        if about is not None:
            yield "", about, "\n".join(body).strip("\r\n")
        about, body = {"role": "user" if found["user"] else "assistant"}, []
    if about is not None:
        yield "", about, "\n".join(body).strip("\r\n")


def _said(data: str) -> dict[str, Any] | None:
    try:
        about = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) and "role" in about else None


def _named(heading: str, about: dict[str, Any], sections: Sequence[tuple[str, dict[str, Any], str]]) -> list[Record]:
    """The name, if the conversation has one: the file's title, unless that is only how the first question begins."""
    name = _word(about, "name")
    if name and title_of(name) == heading:
        return [Named(name)]
    first = next((body for _, said, body in sections if said["role"] == "user"), "")
    return [Named(heading)] if heading and (name or heading != title_of(first)) else []


def _answered(about: dict[str, Any], system: str | None, body: str) -> list[Record]:
    provider, model = _word(about, "provider"), _word(about, "model")
    answer = Answer(new_id(6), UNSET, provider, model, system, time=_word(about, "time"))
    return [answer, TextLine(body)] if body else [answer]


def _ended(about: dict[str, Any]) -> End | None:
    """How it ended; "stop" where the person who wrote this by hand did not say."""
    try:
        usage = msgspec.convert(about.get("usage", {}), Usage)
        reason = about.get("stop_reason", "stop")
        return None if reason is None else End(msgspec.convert(reason, StopReason), usage=usage)
    except msgspec.ValidationError:
        return End("stop")


def _word(about: dict[str, Any], key: str) -> str:
    value = about.get(key)
    return value if isinstance(value, str) else ""
