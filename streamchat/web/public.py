"""What the public interfaces of both vendors have in common: whom a model's name means, how an answer to it begins,
what may be asked, which status an error has."""

import base64
from collections.abc import Callable, Iterable
from typing import Any

from streamchat.chat import Attachment, Chat, Message, Options, Reply
from streamchat.choice import NobodyThereError
from streamchat.errors import AuthError, BusyError, ChatError, ConfigError, ProviderError, UnknownModelError, UsageError
from streamchat.events import Event
from streamchat.providers.base import Provider
from streamchat.pump import AsyncStream
from streamchat.views.safe import one_line
from streamchat.web import errors
from streamchat.web.app import App
from streamchat.web.asking import MEDIA, check_size, limited
from streamchat.web.encoding import Encoder
from streamchat.web.errors import StoppedError, WebError, code_of, retry_after
from streamchat.web.http import Answer, Request, Streamed
from streamchat.web.run import Run

_DEEPEST = 64
"""How deep lists and objects may lie in one another: a schema has a dozen."""


async def found(app: App, model: str) -> tuple[Provider, str]:
    """The provider and the model that a request names; UnknownModelError for a name that means nobody."""
    try:
        return await app.upstream.find(model)
    except UsageError as exc:
        if isinstance(exc, ConfigError | NobodyThereError):
            raise
        raise UnknownModelError(exc.message, exc.hint) from exc


def started(
    app: App,
    request: Request,
    provider: Provider,
    chat: Chat,
    encoder: Encoder,
    *,
    refusal: Callable[[ChatError], Answer],
    whole: Callable[[Run], Answer] | None,
) -> Streamed:
    """Ask, for this reader alone: with it the answer ends."""
    stream = AsyncStream(provider, chat, told=app.unplaced.error)
    run = Run(stream, encoder, grace=0.0, limit=app.limits.run_seconds, user=request.user)
    reader = run.join()
    app.hub.begin(run)
    return Streamed(run, reader, refusal, whole=whole)


def checked(app: App, said: Iterable[Any], around: Any) -> None:
    """WebError for more than may be asked. `said`: the messages; `around`: what else is sent of text."""
    texts = [text_in(around), *map(text_in, said)]
    if len(texts) == 1:
        raise WebError(400, "invalid", "messages is empty")
    check_size(texts, app.limits)


def most_tokens(app: App, *asked: int | None) -> int | None:
    """The limit of an answer's tokens: what was asked, or else is configured, and no more than may be."""
    named = [each for each in asked if each is not None]
    if any(each < 1 for each in named):
        raise WebError(400, "invalid", "the limit of tokens is 1 or more")
    return min(*named, app.limits.max_tokens) if named else limited(app).max_tokens


def attachment(provider: Provider, name: str, media_type: str, data: str) -> Attachment:
    """A file of a request, for a provider that takes it."""
    kind = media_type.strip().lower()
    if kind not in MEDIA:
        raise WebError(400, "invalid", f"{one_line(name)[:80]}: only images and PDFs can be attached")
    if not provider.takes(kind):
        raise WebError(400, "invalid", f"{provider.name} takes no {kind}")
    try:
        return Attachment(name[:200], kind, base64.b64decode(data, validate=True))
    except ValueError as exc:
        raise WebError(400, "invalid", f"{one_line(name)[:80]}: its data is no base64") from exc


def chat_of(model: str, system: Iterable[str], messages: Iterable[Message], **options: Any) -> Chat:
    """The request as our own Chat."""
    return Chat(model, tuple(messages), "\n\n".join(filter(None, system)) or None, Options(**options))


def status_of(error: ChatError) -> int:
    """The status by which the vendors' clients know what to do: theirs is 401 for a key, 400 for what is asked."""
    match error:
        case StoppedError(code="run_timeout"):
            return 504
        case WebError(status=422):
            return 400
        case AuthError():
            return 401
        case ProviderError(status=int(status)) if 400 <= status < 500 and status != 404:
            return status
        case ConfigError() | NobodyThereError():
            return 503
        case UsageError():
            return 400
    return errors.status_of(error)


def is_worth_retrying(error: ChatError) -> bool:
    """Whether a client should ask again by itself: not for what was tried often enough, or will fail again."""
    if isinstance(error, StoppedError):
        return error.code == "server_stopping"
    return error.transient


def headers_of(error: ChatError) -> dict[str, str]:
    """The headers by which the vendors' clients know when to ask again, and whether."""
    wait = retry_after(error)
    return {
        **({} if wait is None else {"retry-after": str(max(1, round(wait)))}),
        **({} if is_worth_retrying(error) else {"x-should-retry": "false"}),
    }


def words_of(error: ChatError, provider: Provider | None = None) -> str:
    """The error in one line; the hints of a terminal are not for here."""
    message = error.message
    hint = error.hint if isinstance(error, WebError | UnknownModelError) and error.hint else ""
    return one_line(f"{message}. {hint}" if hint and provider is None else message)


def is_out_of_money(error: ChatError) -> bool:
    """Whether the account at the provider is used up: nothing that passes by waiting."""
    return isinstance(error, BusyError) and not error.transient


def is_overloaded(error: ChatError) -> bool:
    """Whether the provider, or this server, has too much to do just now."""
    return code_of(error) in ("overloaded", "full", "draining", "server_stopping")


class Unsent:
    """The encoder for who wants the whole answer at once: the run's reply has it all."""

    ping = b""

    def start(self) -> tuple[bytes, ...]:
        return ()

    def events(self, batch: Iterable[Event]) -> tuple[bytes, ...]:
        return ()

    def done(self, reply: Reply) -> tuple[bytes, ...]:
        return ()

    def error(self, error: ChatError, reply: Reply) -> tuple[bytes, ...]:
        return ()


def text_in(value: Any) -> str:
    """All text that is in a value, files apart; WebError for what lies too deep to be sent on."""
    parts: list[str] = []
    level = [value]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, str):
                parts.append(each)
            elif isinstance(each, list):
                inner += each
            elif isinstance(each, dict):
                inner += (part for key, part in each.items() if not _is_file(each, key, part))
        if not inner:
            return "".join(parts)
        level = inner
    raise WebError(400, "invalid", f"the request is nested more than {_DEEPEST} deep")


def _is_file(holder: dict[str, Any], key: str, value: Any) -> bool:
    """Whether a field's text is a file in base64, and no part of the prompt."""
    if key == "data":
        return holder.get("type") == "base64"
    return key in ("url", "file_data") and isinstance(value, str) and value.startswith("data:")
