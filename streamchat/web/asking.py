"""A question to our own API becomes a run: whom it goes to, what is sent with it, where the answer is kept."""

import asyncio
import base64
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from streamchat.chat import Attachment, Chat, Message, Options, Role
from streamchat.history.conversation import Conversation
from streamchat.history.turn import Turn
from streamchat.prices import cost
from streamchat.providers.base import Provider
from streamchat.pump import AsyncStream
from streamchat.session import as_asked, copied, fitting
from streamchat.web.app import App
from streamchat.web.encoding import Native
from streamchat.web.errors import WebError
from streamchat.web.limits import Limits
from streamchat.web.record import Kept
from streamchat.web.run import Run, new_run_id

MEDIA = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")


class Said(Struct, forbid_unknown_fields=True):
    """One message of a chat that is not kept."""

    role: Role
    content: str


class File(Struct, forbid_unknown_fields=True):
    """An image or a PDF; `data` is in base64. With `question`, the id of another question of the conversation, it is
    the file of that name that goes with that one."""

    name: str
    media_type: str = ""
    data: str = ""
    question: str | None = None


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """How to answer; what is absent is as configured."""

    temperature: float | None = None
    max_tokens: int | None = None
    reasoning_effort: Literal["off", "low", "medium", "high"] | int | None = None


class Asked(Struct, forbid_unknown_fields=True):
    """The body of POST /api/chat.

    `input` is asked after `parent` (the id of an answer, null for the very beginning; absent: where the conversation
    stands); without `input`, `parent` is the id of a question, which is asked again. `messages` is a whole chat that is
    not kept. A request that is sent twice with the same `request_id` is answered once.
    """

    input: str | None = None
    messages: list[Said] | None = None
    conversation: str | None = None
    parent: str | UnsetType | None = UNSET
    model: str = ""
    system: str | UnsetType | None = UNSET
    attachments: list[File] = []
    params: Parameters = Parameters()
    request_id: str | None = None
    view: Literal["raw", "page"] = "raw"


async def ask(app: App, asked: Asked, user: str) -> Run:
    """Start the run that answers this; ChatError for what cannot be asked."""
    _check(asked, app.limits)
    with app.hub.place(user):
        app.rate.take(user)
        return await (_kept(app, asked, user) if asked.messages is None else _unkept(app, asked, user))


async def _unkept(app: App, asked: Asked, user: str) -> Run:
    provider, model = await app.upstream.find(asked.model)
    messages = tuple(Message(said.role, said.content) for said in asked.messages or ())
    system = app.settings.defaults.system or None if asked.system is UNSET else asked.system
    chat = Chat(model, messages, system, limited(app, asked.params))
    stream = AsyncStream(provider, chat, told=app.unplaced.error)
    run_id = new_run_id()
    about = {"run": run_id, "conversation": None, "message": None, "model": model, "provider": provider.name}
    run = Run(
        stream,
        Native(about, priced=partial(cost, provider.name, model)),
        id=run_id,
        grace=app.limits.grace,
        limit=app.limits.run_seconds,
        user=user,
    )
    app.hub.begin(run, request_id=asked.request_id)
    return run


async def _kept(app: App, asked: Asked, user: str) -> Run:
    claimed = asked.conversation or ""
    app.hub.claim(claimed)
    try:
        conversation = await asyncio.to_thread(_conversation, app, asked)
        if not claimed:
            claimed = conversation.id
            app.hub.claim(claimed)
        try:
            return await _begun(app, asked, user, conversation, lambda: app.hub.release(claimed))
        except BaseException:
            await asyncio.to_thread(conversation.close)
            raise
    except BaseException:
        app.hub.release(claimed)
        raise


async def _begun(app: App, asked: Asked, user: str, conversation: Conversation, release: Callable[[], None]) -> Run:
    before = as_asked(conversation)
    named = asked.model or (f"{before['provider']}/{before['model']}" if before.get("provider") else "")
    provider, model = await app.upstream.find(named)
    usual = before.get("system", app.settings.defaults.system)
    system = (usual if isinstance(asked.system, UnsetType) else asked.system) or None
    turn = await asyncio.to_thread(_turn, app, asked, conversation, provider, model, system)
    messages = tuple(fitting(message, provider) for message in turn.messages())
    chat = Chat(model, messages, system, limited(app, asked.params))
    stream = AsyncStream(provider, chat, told=app.unplaced.error)
    run_id = new_run_id()
    about: dict[str, Any] = {
        "run": run_id,
        "conversation": conversation.id,
        "message": turn.id,
        "question": turn.question.id,
        "model": model,
        "provider": provider.name,
    }
    if notices := [*conversation.notices, *([conversation.trouble] if conversation.trouble else [])]:
        about["notices"] = notices
    run = Run(
        stream,
        Native(about, priced=partial(cost, provider.name, model), trouble=lambda: conversation.trouble),
        id=run_id,
        grace=app.limits.grace,
        limit=app.limits.run_seconds,
        record=Kept(turn, _closing(app, conversation, release)),
        conversation=conversation.id,
        message=turn.id,
        user=user,
    )
    app.hub.begin(run, request_id=asked.request_id)
    return run


def _closing(app: App, conversation: Conversation, release: Callable[[], None]) -> Callable[[], None]:
    """What is to be done when the answer is kept: the conversation is everybody's again."""

    def done() -> None:
        copied(conversation, app.transcripts)
        if conversation.trouble is not None:
            print(f"streamchat: conversation {conversation.id}: {conversation.trouble}", file=sys.stderr)  # noqa: T201
        conversation.close()
        release()

    return done


def _conversation(app: App, asked: Asked) -> Conversation:
    """The conversation, standing where the question is to be asked."""
    if asked.conversation is None:
        return app.shelf.new()
    conversation = app.shelf.load(asked.conversation)
    if asked.parent is UNSET:
        return conversation
    if asked.parent is not None and not conversation.has(asked.parent):
        raise WebError(404, "not_found", f"there is no message {asked.parent[:80]!r} in this conversation")
    conversation.at = asked.parent
    return conversation


def _turn(
    app: App, asked: Asked, conversation: Conversation, provider: Provider, model: str, system: str | None
) -> Turn:
    return conversation.begin(
        asked.input,
        provider=provider.name,
        model=model,
        system=system,
        options=limited(app, asked.params),
        attachments=tuple(_attachment(file, conversation) for file in asked.attachments),
    )


def limited(app: App, asked: Parameters = Parameters()) -> Options:  # noqa: B008 - a value that nobody changes
    """The configuration's way to answer, with what was asked for put in its place, within the limits."""
    usual = app.settings.options()
    think = usual.think if asked.reasoning_effort is None else asked.reasoning_effort
    most = asked.max_tokens if asked.max_tokens is not None else usual.max_tokens
    return msgspec.structs.replace(
        usual,
        temperature=usual.temperature if asked.temperature is None else asked.temperature,
        max_tokens=None if most is None else min(most, app.limits.max_tokens),
        think=think,
    )


def _check(asked: Asked, limits: Limits) -> None:
    if asked.messages is not None and (asked.input is not None or asked.conversation is not None):
        raise WebError(422, "invalid", "`messages` is a whole chat: it goes without `input` and `conversation`")
    if asked.messages is None and asked.input is None and (asked.conversation is None or not asked.parent):
        raise WebError(422, "invalid", "there is no question: give `input`, or `parent` for one to ask again")
    if asked.messages is not None and (not asked.messages or asked.messages[-1].role != "user"):
        raise WebError(422, "invalid", "the last of `messages` must be the user's")
    if asked.input is not None and not (asked.input.strip() or asked.attachments):
        raise WebError(422, "invalid", "the question is empty")
    check_size([asked.input or "", *(said.content for said in asked.messages or ())], limits)
    if asked.params.temperature is not None and not 0 <= asked.params.temperature <= 2:
        raise WebError(422, "invalid", "temperature is a number from 0 to 2")
    if asked.params.max_tokens is not None and asked.params.max_tokens < 1:
        raise WebError(422, "invalid", "max_tokens is 1 or more")


def check_size(texts: list[str], limits: Limits) -> None:
    """WebError 422 for more messages or more text than may be sent at once."""
    if len(texts) - 1 > limits.messages:
        raise WebError(422, "too_many_messages", f"more than {limits.messages} messages")
    if sum(map(len, texts)) > limits.prompt:
        raise WebError(422, "prompt_too_long", f"more than {limits.prompt:,} characters are asked at once")


def _attachment(file: File, conversation: Conversation) -> Attachment:
    if file.question is not None:
        of = next((turn.question for turn in conversation.every() if turn.question.id == file.question), None)
        kept = next((each for each in of.attachments if each.name == file.name), None) if of is not None else None
        if kept is None:
            raise WebError(404, "not_found", f"there is no file {file.name[:80]!r} with that question")
        return kept
    if file.media_type not in MEDIA:
        raise WebError(422, "invalid", f"{file.name[:80]}: only images and PDFs can be attached")
    try:
        return Attachment(file.name[:200], file.media_type, base64.b64decode(file.data, validate=True))
    except ValueError as exc:
        raise WebError(422, "invalid", f"{file.name[:80]}: its data is no base64") from exc
