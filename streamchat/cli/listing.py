"""How kept conversations look on the command line: a line each, hits with their words marked, turns rendered again."""

import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import typer

from streamchat.chat import Reply
from streamchat.config.settings import Settings
from streamchat.history.conversation import Conversation
from streamchat.history.index import Entry, Hit
from streamchat.history.play import played
from streamchat.history.turn import Turn
from streamchat.views.choose import Look, choose, themed
from streamchat.views.safe import one_line, safe

_SPACES = re.compile(r"\s+")


def entry_line(entry: Entry) -> str:
    """id, date, turns, title and model; on a terminal no longer than a line of it."""
    line = f"{entry.id}  {_local(entry.updated)}  {entry.turns:3d}  {one_line(entry.title, 80)}"
    if entry.model:
        line += f"  ({one_line(entry.model, 40)})"
    return _cut(line, shutil.get_terminal_size().columns) if sys.stdout.isatty() else line


def _cut(line: str, columns: int) -> str:
    """As much of the line as fits; wide characters take two columns."""
    used = 0
    for place, character in enumerate(line):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used >= columns and place < len(line) - 1:
            return f"{line[:place]}…"
    return line


def _local(time: str) -> str:
    try:
        return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return " " * 16


def role_of(role: str) -> str:
    return {"user": "you:", "name": "name:"}.get(role, "model:").ljust(6)


def marked(hit: Hit) -> str:
    """The words around a hit on one line, what was found in bold; between stars where there is no bold."""
    bold = sys.stdout.isatty()
    parts = []
    for text, found in hit.pieces:
        shown = _SPACES.sub(" ", safe(text))
        parts.append((typer.style(shown, bold=True) if bold else f"*{shown}*") if found else shown)
    return "".join(parts)


def branches(conversation: Conversation) -> Iterator[str]:
    """The tree, a line for each turn; what the conversation goes on with is marked."""
    current = {turn.id for turn in conversation.turns()}
    children: dict[str | None, list[Turn]] = {}
    for turn in conversation.every():
        children.setdefault(turn.question_parent, []).append(turn)
    waiting = [(turn, 0) for turn in reversed(children.get(None, []))]
    while waiting:
        turn, depth = waiting.pop()
        mark = "*" if turn.id in current else " "
        yield f"{mark} {'  ' * depth}{one_line(turn.question.content[:300], 50)}  →  {turn.glimpse(40)}  ({turn.id})"
        following = children.get(turn.id, [])
        deeper = depth + 1 if len(following) > 1 else depth
        waiting += [(child, deeper) for child in reversed(following)]


def show_turn(turn: Turn, settings: Settings, *, speed: float) -> None:
    """The question, and the answer by the view that shows answers; `speed` 0 does not wait."""
    out = sys.stdout
    if turn.question.role == "user":
        mark = "> " if out.isatty() else ""
        question = "\n".join(mark + line for line in safe(turn.question.content).rstrip("\n").split("\n"))
        out.write(f"{question}\n\n")
    else:
        out.write(safe(turn.question.content) + "\n\n")
    if turn.answer is None:
        return
    out.flush()
    ui = settings.ui
    look = Look(
        color=ui.color,
        reasoning=ui.reasoning,
        footer=ui.footer and speed > 0,
        stream=speed > 0,
        code_theme=ui.code_theme,
        theme=ui.theme,
        width=ui.width,
        accessible=ui.accessible,
    )
    reply = Reply(provider=turn.answer.provider, model=turn.answer.model)
    view = choose(themed(look, out), out, title=turn.model.replace("/", " · ", 1))
    view.show(played(turn, reply, speed=speed), reply)
    out.write(f"[{turn.ending}]\n\n" if turn.ending else "\n")
    out.flush()


def fields(entry: Entry) -> dict[str, Any]:
    """A conversation for programs."""
    return msgspec.structs.asdict(entry) | {"path": str(entry.path)}


def hit_fields(hit: Hit) -> dict[str, Any]:
    """A hit for programs."""
    return {
        "conversation": hit.entry.id,
        "title": hit.entry.title,
        "turn": hit.turn,
        "role": hit.role,
        "time": hit.time,
        "text": "".join(text for text, _ in hit.pieces),
        "found": [text for text, found in hit.pieces if found],
    }


def show_progress(done: int, total: int) -> None:
    """A bar on the terminal while a large index is built."""
    if not sys.stderr.isatty():
        return
    width = 30
    full = width * done // total
    bar = f"\rreading conversations  {'█' * full}{'░' * (width - full)}  {done}/{total}"
    sys.stderr.write(bar if done < total else f"\r{' ' * len(bar)}\r")
    sys.stderr.flush()
