"""The `logs.db` of the program llm: `responses` as it was until 0.31, `threads` and `turns` since."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from streamchat.errors import UsageError
from streamchat.history import records
from streamchat.history.draft import Draft, Writing, dicts, iso
from streamchat.history.records import Head
from streamchat.history.tree import new_id


def drafts(path: Path) -> Iterator[Draft]:
    """llm's log: `responses` as it was until 0.31, `threads` and `turns` since; a database may have both."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master")}
            if not tables & {"responses", "turns"}:
                raise UsageError(f"{path} is a database, but not llm's logs.db")
            if "responses" in tables:
                yield from _conversations(db)
            if "turns" in tables:
                yield from _threads(db)
    except sqlite3.DatabaseError as exc:
        raise UsageError(f"{path} cannot be read: {exc}") from exc


def _conversations(db: sqlite3.Connection) -> Iterator[Draft]:
    sql = (
        "SELECT responses.*, name FROM responses LEFT JOIN conversations ON conversations.id = conversation_id "
        "ORDER BY datetime_utc, responses.id"
    )
    asked: dict[str, list[dict[str, Any]]] = {}
    for row in map(dict, db.execute(sql)):
        asked.setdefault(str(row["conversation_id"] or row["id"]), []).append(row)
    for source, rows in asked.items():
        yield _draft(source, str(rows[0]["name"] or ""), rows)


def _threads(db: sqlite3.Connection) -> Iterator[Draft]:
    for thread in db.execute("SELECT id, name FROM threads ORDER BY datetime_utc, id").fetchall():
        turns = "SELECT * FROM turns WHERE thread_id = ? ORDER BY datetime_utc, id"
        rows = [turn | _said(db, turn) for turn in map(dict, db.execute(turns, [thread["id"]]).fetchall())]
        if rows:
            yield _draft(str(thread["id"]), str(thread["name"] or ""), rows)


def _said(db: sqlite3.Connection, turn: dict[str, Any]) -> dict[str, str]:
    """Prompt, response and reasoning of a turn: its messages from the question to the tip."""
    said = {"prompt": "", "response": "", "reasoning": "", "system": ""}
    asking = False
    for message in _back(db, turn["tip_message_hash"]):
        asking = asking or message["hash"] == turn["parent_message_hash"]
        if message["role"] == "assistant" and asking:  # the answer before
            break
        if message["role"] == "user" and said["prompt"]:
            break
        text, reasoning = _text(db, message["hash"], "text"), _text(db, message["hash"], "reasoning")
        match message["role"]:
            case "user":
                said["prompt"] = text
            case "system":
                said["system"] = text
            case "assistant":
                said["response"], said["reasoning"] = text + said["response"], reasoning + said["reasoning"]
    return said


def _back(db: sqlite3.Connection, at: str | None) -> Iterator[sqlite3.Row]:
    """The messages from this one to the first."""
    seen = set()
    while at is not None and at not in seen:
        seen.add(at)
        message = db.execute("SELECT hash, role, parent_hash FROM messages WHERE hash = ?", [at]).fetchone()
        if message is None:
            return
        yield message
        at = message["parent_hash"]


def _text(db: sqlite3.Connection, message: str, kind: str) -> str:
    sql = "SELECT text, payload FROM parts WHERE message_hash = ? AND type = ? ORDER BY position"
    return "".join(_part(db, part) for part in db.execute(sql, [message, kind]).fetchall())


def _part(db: sqlite3.Connection, part: sqlite3.Row) -> str:
    """A part's text; what it borrows from fragments is put back in its place."""
    if part["text"] is not None:
        return str(part["text"])
    try:
        pieces = dicts(json.loads(part["payload"] or "{}").get("text_ref"))
    except (ValueError, AttributeError):
        return ""
    text = ""
    for piece in pieces:
        text += str(piece.get("literal", ""))
        if "fragment" in piece:
            row = db.execute("SELECT content FROM fragments WHERE id = ?", [piece["fragment"]]).fetchone()
            text += str(row["content"]) if row else ""
    return text


def _draft(source: str, name: str, rows: Iterable[dict[str, Any]]) -> Draft:
    writing = Writing(name)
    created = ""
    for row in rows:
        time = iso(str(row["datetime_utc"] or ""))
        created = created or time
        writing.system = row.get("system") or writing.system
        writing.add("user", str(row["prompt"] or ""), time=time)
        counted = {key: row[key] for key in ("input_tokens", "output_tokens") if isinstance(row.get(key), int)}
        writing.add(
            "assistant",
            str(row["response"] or ""),
            reasoning=str(row.get("reasoning") or ""),
            model=str(row["model"] or ""),
            time=time,
            usage=counted,
            elapsed=(row.get("duration_ms") or 0) / 1000,
        )
    return Draft(Head(new_id(), records.VERSION, created, imported=f"llm:{source}"), writing.lines)
