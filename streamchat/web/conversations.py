"""The kept conversations for the page and for programs: listed, shown with all their branches, changed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from streamchat.errors import UsageError
from streamchat.history import formats
from streamchat.history.conversation import Conversation
from streamchat.history.index import Entry
from streamchat.history.turn import Turn
from streamchat.views.trees import trees
from streamchat.web.app import App
from streamchat.web.encoding import encode
from streamchat.web.errors import WebError
from streamchat.web.http import Answer, Request, answer_json
from streamchat.web.unplaced import Unplaced

_MOST = 200
_TYPES = {"md": "text/markdown", "json": "application/json", "jsonl": "application/jsonl", "txt": "text/plain"}


class New(Struct, forbid_unknown_fields=True):
    """The body of POST /api/conversations: `fork`, the id of the one to copy, and another name for the copy."""

    name: str = ""
    fork: str | None = None


class Change(Struct, forbid_unknown_fields=True):
    """The body of PATCH: another name; `at`, the id after which it goes on (null: at the very beginning)."""

    name: str | UnsetType = UNSET
    at: str | UnsetType | None = UNSET


async def listed(app: App, request: Request) -> Answer:
    """The conversations, the last used first; `q` finds those with a message that fits."""
    limit = request.query.get("limit", "50")
    if not limit.isdigit() or not 1 <= int(limit) <= _MOST:
        raise WebError(422, "invalid", f"limit is a number from 1 to {_MOST}")
    words, cursor = request.query.get("q", ""), request.query.get("cursor", "")
    page = await asyncio.to_thread(app.shelf.page, words, cursor=cursor, limit=int(limit))
    return answer_json({"conversations": [_entry(entry) for entry in page.entries], "next": page.next})


async def created(app: App, request: Request) -> Answer:
    """Copy a conversation."""
    new: New = request.json(New)
    if not new.fork:  # a conversation without a question is kept nowhere: its id would be good for nothing
        raise WebError(422, "invalid", "a conversation begins with its first question: POST /api/chat")
    ref = new.fork

    def make() -> dict[str, Any]:
        conversation = app.shelf.load(ref).fork()
        conversation.name = new.name or conversation.name
        conversation.save()
        conversation.close()
        return {"id": conversation.id, "name": conversation.name}

    return answer_json(await asyncio.to_thread(make), 201)


async def shown(app: App, request: Request, id: str) -> Answer:  # noqa: A002
    """One conversation, with all turns of all branches; with `view=page` the answers as trees too."""
    local = app.hub.running(id)
    run = local.id if local is not None else await app.elsewhere.running(id) if app.elsewhere is not None else None
    page = request.query.get("view") == "page"
    document = await asyncio.to_thread(_document, app, id, page=page)
    return answer_json({**document, "run": run})


async def changed(app: App, request: Request, id: str) -> Answer:  # noqa: A002
    """Give it a name, or have it go on from another of its branches."""
    change: Change = request.json(Change)
    if isinstance(change.name, str):
        await asyncio.to_thread(app.shelf.rename, id, change.name.strip()[:200])
    if not isinstance(change.at, UnsetType):
        app.hub.claim(id)
        try:
            await asyncio.to_thread(_move, app, id, change.at)
        finally:
            app.hub.release(id)
    return Answer(204)


async def deleted(app: App, request: Request, id: str) -> Answer:  # noqa: A002
    """Delete it, for good."""
    app.hub.claim(id)
    try:
        await asyncio.to_thread(app.shelf.delete, id)
    finally:
        app.hub.release(id)
    return Answer(204)


async def exported(app: App, request: Request, id: str) -> Answer:  # noqa: A002
    """The transcript, as `history export` writes it."""
    fmt = request.query.get("format", "md")
    render = formats.named(fmt)

    def work() -> bytes:
        conversation = app.shelf.load(id)
        try:
            return _unplaced(formats.transcript(render, conversation), conversation, app.unplaced)
        finally:
            conversation.close()

    body = await asyncio.to_thread(work)
    kind = _TYPES.get(fmt, "text/plain") if fmt != "html" else "text/html"
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "content-disposition": f'attachment; filename="{Path(id).name}.{fmt}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return Answer(200, body, headers)


def _unplaced(transcript: bytes, conversation: Conversation, unplaced: Unplaced) -> bytes:
    for turn in conversation.every():
        if turn.ended is not None and turn.ended.error:
            said = turn.ended.error
            transcript = transcript.replace(encode(said)[1:-1], encode(unplaced.words(said))[1:-1])
    return transcript


def _move(app: App, ref: str, at: str | None) -> None:
    conversation = app.shelf.load(ref)
    try:
        conversation.rewind(at)
    except UsageError as exc:
        raise WebError(404, "not_found", exc.message) from exc
    finally:
        conversation.close()


def _document(app: App, ref: str, *, page: bool) -> dict[str, Any]:
    conversation = app.shelf.load(ref)
    try:
        return _described(conversation, app.unplaced, page=page)
    finally:
        conversation.close()


def _described(conversation: Conversation, unplaced: Unplaced, *, page: bool) -> dict[str, Any]:
    last = conversation.last
    answer = last.answer if last is not None else None
    return {
        "id": conversation.id,
        "name": conversation.name,
        "title": formats.title(conversation),
        "created": conversation.created,
        "at": conversation.at,
        "model": f"{answer.provider}/{answer.model}" if answer is not None and answer.provider else "",
        "system": last.system if last is not None else None,
        "notices": conversation.notices,
        "turns": [_turn(turn, unplaced, page=page) for turn in conversation.every()],
    }


def _turn(turn: Turn, unplaced: Unplaced, *, page: bool) -> dict[str, Any]:
    question = turn.question
    files = [{"name": each.name, "media_type": each.media_type} for each in question.attachments]
    return {
        "question": {
            "id": question.id,
            "parent": question.parent or None,
            "role": question.role,
            "content": question.content,
            "time": question.time,
            "attachments": files,
        },
        "answer": _answer(turn, unplaced, page=page) if turn.answer is not None else None,
    }


def _answer(turn: Turn, unplaced: Unplaced, *, page: bool) -> dict[str, Any]:
    assert turn.answer is not None
    ended, text = turn.ended, turn.text
    return {
        "id": turn.id,
        "provider": turn.answer.provider,
        "model": turn.answer.model,
        "text": text,
        "reasoning": turn.reasoning,
        "usage": msgspec.structs.asdict(turn.usage),
        "stop_reason": turn.stop_reason,
        "ending": turn.ending,
        "error": ended and ended.error and unplaced.words(ended.error),  # a terminal's says where
        "time": turn.time,
        "first_token": ended and ended.first_token,
        "elapsed": ended and ended.elapsed,
        **({"blocks": _trees(text)} if page else {}),
    }


def _trees(text: str) -> Sequence[Any]:
    return trees(text)


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "name": entry.name,
        "created": entry.created,
        "updated": entry.updated,
        "model": entry.model,
        "turns": entry.turns,
    }
