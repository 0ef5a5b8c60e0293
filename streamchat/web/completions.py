"""POST /v1/chat/completions: any client of OpenAI's can point here and reach every provider that is configured.

Where the provider speaks this format too, the request goes on as it is, but for the model's name and the limits, and
the answer comes back as it is: tools and whatever else the two agree on pass through. For any other provider the
request becomes a Chat: what a Chat can say is translated (text, images and PDFs, temperature, limit, effort, JSON
schema), tools are refused, and what is left, such as `seed` or `logit_bias`, is not sent.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from msgspec import Struct

from streamchat.chat import Attachment, Chat, Message, Options, Role
from streamchat.providers.base import Provider
from streamchat.web.app import App
from streamchat.web.completion_chunks import DONE, Chunks, Gathering, refused, told, whole
from streamchat.web.encoding import PING
from streamchat.web.errors import WebError
from streamchat.web.http import Answer, Request, Streamed, answer_json
from streamchat.web.public import Unsent, attachment, chat_of, checked, found, most_tokens, started
from streamchat.web.relay import Gathered, Passed, Passing, Relayed
from streamchat.web.run import new_run_id

_EFFORTS = {"none": "off", "minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high"}
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}


class Url(Struct):
    """Where an image is; here only in a `data:` address."""

    url: str = ""


class Data(Struct):
    """A file; here only with its content."""

    filename: str | None = None
    file_data: str | None = None


class Part(Struct):
    """One of the parts that a message is made of."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: Url | None = None
    file: Data | None = None


class Turn(Struct):
    """One message."""

    role: str
    content: str | list[Part] | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None


class StreamOptions(Struct):
    """What a stream has besides the answer."""

    include_usage: bool | None = None


class Schema(Struct):
    """The shape that the answer is to have."""

    name: str = ""
    schema: dict[str, Any] | None = None


class Format(Struct):
    """`text`, or `json_schema` with the schema."""

    type: str
    json_schema: Schema | None = None


class Asked(Struct):
    """The body of POST /v1/chat/completions; what is not named here goes on to a provider that speaks this format."""

    messages: list[Turn]
    model: str = ""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    reasoning_effort: str | None = None
    response_format: Format | None = None
    stop: str | list[str] | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None

    @property
    def with_usage(self) -> bool:
        """Whether the stream is to say what it cost."""
        return bool(self.stream_options and self.stream_options.include_usage)


async def completions(app: App, request: Request) -> Answer | Streamed:
    """Answer as OpenAI's Chat Completions do, streamed or not."""
    asked: Asked = request.json(Asked)
    body: dict[str, Any] = request.json(dict[str, Any])
    if asked.n not in (None, 1):
        raise WebError(400, "invalid", "n is 1: one answer for one request")
    most = most_tokens(app, asked.max_tokens, asked.max_completion_tokens)
    around = {key: value for key, value in body.items() if key != "messages"}
    checked(app, body["messages"], around)
    with app.hub.place(request.user):
        app.rate.take(request.user)
        provider, model = await found(app, asked.model)
        speaker = provider.speaking("chat")
        if speaker is not None:
            return _relayed(app, request, asked, speaker, relayed_chat(model, body, most))
        return _translated(app, request, asked, provider, translated(asked, provider, model, most))


def relayed_chat(model: str, body: dict[str, Any], most: int | None) -> Chat:
    """The request as it came, with our model and within our limits."""
    kept = {key: value for key, value in body.items() if key not in ("model", "stream")}
    limits = [name for name in ("max_tokens", "max_completion_tokens") if kept.get(name) is not None]
    extra = {
        **kept,
        **{name: min(kept[name], most or kept[name]) for name in limits},
        "stream_options": {**(kept.get("stream_options") or {}), "include_usage": True},
    }
    for name in ("max_tokens", "max_completion_tokens"):
        if name not in limits:
            extra.pop(name, None)
    return Chat(model, (), None, Options(max_tokens=None if limits else most, extra=extra))


def translated(asked: Asked, provider: Provider, model: str, most: int | None) -> Chat:
    """The request as a Chat; WebError for what no Chat can say."""
    if asked.tools or asked.functions or any(map(_has_tools, asked.messages)):
        raise WebError(
            400,
            "tools_unsupported",
            f"{provider.name} is not spoken to in OpenAI's Chat Completions format, so tools cannot be passed on to it",
            "Name a model of a provider that is, or ask without tools.",
        )
    return chat_of(
        model,
        (_content(turn) for turn in asked.messages if turn.role in ("system", "developer")),
        [_message(turn, provider) for turn in asked.messages if turn.role not in ("system", "developer")],
        temperature=_temperature(asked.temperature),
        max_tokens=most,
        think=_think(asked.reasoning_effort),
        extra=_extra(asked, provider.dialect),
        schema=_schema(asked.response_format, provider),
    )


def _relayed(app: App, request: Request, asked: Asked, speaker: Provider, chat: Chat) -> Streamed:
    passing = Passing()
    start = partial(started, app, request, refusal=partial(refused, provider=speaker))
    if asked.stream:
        relay = Relayed(speaker, passing, usage_asked=asked.with_usage)
        passed = Passed(passing, ping=PING, end=DONE, told=partial(told, provider=speaker))
        return start(relay, chat, passed, whole=None)
    gathering = Gathering()
    relay, gathered = Relayed(speaker, passing), Gathered(passing, gathering.add)
    return start(relay, chat, gathered, whole=lambda _: answer_json(gathering.whole()))


def _translated(app: App, request: Request, asked: Asked, provider: Provider, chat: Chat) -> Streamed:
    ident, model = f"chatcmpl-{new_run_id()}", f"{provider.name}/{chat.model}"
    start = partial(started, app, request, provider, chat, refusal=partial(refused, provider=provider))
    if asked.stream:
        return start(Chunks(ident, model, provider=provider, with_usage=asked.with_usage), whole=None)
    return start(Unsent(), whole=lambda run: whole(run.reply, ident, model))


def _has_tools(turn: Turn) -> bool:
    return bool(turn.tool_calls or turn.function_call) or turn.role in ("tool", "function")


def _message(turn: Turn, provider: Provider) -> Message:
    role = _ROLES.get(turn.role)
    if role is None:
        raise WebError(400, "invalid", f"there is no role {turn.role[:40]!r}")
    return Message(role, _content(turn), tuple(_attachments(turn, provider)))


def _content(turn: Turn) -> str:
    if not isinstance(turn.content, list):
        return turn.content or ""
    return "".join(part.text or part.refusal or "" for part in turn.content)


def _attachments(turn: Turn, provider: Provider) -> Iterator[Attachment]:
    for part in turn.content if isinstance(turn.content, list) else ():
        match part.type:
            case "text" | "refusal":
                continue
            case "image_url" if part.image_url is not None:
                yield _from_url(provider, "image", part.image_url.url)
            case "file" if part.file is not None and part.file.file_data:
                yield _from_url(provider, part.file.filename or "file", part.file.file_data)
            case _:
                raise WebError(400, "invalid", f"a part of type {part.type[:40]!r} cannot be passed on here")


def _from_url(provider: Provider, name: str, url: str) -> Attachment:
    head, comma, data = url.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64") and comma):
        raise WebError(400, "invalid", "files come as data: addresses in base64: nothing is fetched from here")
    return attachment(provider, name, head[5:-7].partition(";")[0], data)


def _temperature(asked: float | None) -> float | None:
    if asked is not None and not 0 <= asked <= 2:
        raise WebError(400, "invalid", "temperature is a number from 0 to 2")
    return asked


def _think(effort: str | None) -> str | None:
    if effort is not None and effort not in _EFFORTS:
        raise WebError(400, "invalid", f"reasoning_effort is one of {', '.join(_EFFORTS)}")
    return None if effort is None else _EFFORTS[effort]


def _schema(form: Format | None, provider: Provider) -> dict[str, Any] | None:
    if form is None or form.type == "text":
        return None
    wanted = form.json_schema
    if form.type != "json_schema" or wanted is None or wanted.schema is None:
        raise WebError(400, "invalid", "response_format here is text, or json_schema with a schema")
    if not provider.structures:
        raise WebError(400, "invalid", f"{provider.name} cannot be held to a JSON schema")
    return {**({"title": wanted.name} if wanted.name else {}), **wanted.schema}


def _extra(asked: Asked, dialect: str) -> dict[str, Any]:
    """Those of the other fields that the provider's own format has too."""
    stop = [asked.stop] if isinstance(asked.stop, str) else asked.stop
    names = {"chat": "stop", "messages": "stop_sequences"}
    extra: dict[str, Any] = {}
    if asked.top_p is not None and dialect:
        extra["top_p"] = asked.top_p
    if stop and dialect in names:
        extra[names[dialect]] = stop
    return extra
