"""POST /v1/messages and /v1/messages/count_tokens: any client of Anthropic's can point here and reach every provider.

Where the provider speaks this format too, the request goes on as it is, but for the model's name and the limits, and
the answer comes back as it is: tools, signatures, citations pass through, and so does `anthropic-beta`. For any other
provider the request becomes a Chat: what a Chat can say is translated (text, images and PDFs, thinking, temperature,
limit, JSON schema), tools are refused, and what is left, such as `metadata` or `top_k`, is not sent.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from msgspec import Struct

from streamchat.chat import Attachment, Chat, Message, Options, Role
from streamchat.errors import ChatError
from streamchat.providers.base import Provider
from streamchat.web.app import App
from streamchat.web.errors import WebError
from streamchat.web.http import Answer, Request, Streamed, answer_json
from streamchat.web.message_events import PING, STOP, Gathering, MessageEvents, refused, told, whole
from streamchat.web.public import Unsent, attachment, chat_of, checked, found, most_tokens, started, text_in
from streamchat.web.relay import Gathered, Passed, Passing, Relayed
from streamchat.web.run import new_run_id

_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}
_BETA = "anthropic-beta"
_FILE_TOKENS = 1600
"""What a large image comes to, by the vendor's own formula; a file of another kind is counted as one."""
_TURN_TOKENS = 4
"""What stands around each message."""


class Source(Struct):
    """A file: here only with its content, in base64 or as text."""

    type: str
    media_type: str = ""
    data: str = ""


class Block(Struct):
    """One of the blocks that a message is made of."""

    type: str
    text: str | None = None
    source: Source | None = None
    title: str | None = None


class Turn(Struct):
    """One message."""

    role: str
    content: str | list[Block]


class Thinking(Struct):
    """How much to think: `enabled` with a budget, `adaptive`, or `disabled`."""

    type: str
    budget_tokens: int | None = None


class Format(Struct):
    """The shape that the answer is to have."""

    type: str
    schema: dict[str, Any] | None = None


class Output(Struct):
    """How to answer."""

    effort: str | None = None
    format: Format | None = None


class Counted(Struct):
    """The body of POST /v1/messages/count_tokens."""

    messages: list[Turn]
    model: str = ""


class Asked(Struct):
    """The body of POST /v1/messages; what is not named here goes on to a provider that speaks this format."""

    max_tokens: int
    messages: list[Turn]
    model: str = ""
    system: str | list[Block] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None
    thinking: Thinking | None = None
    output_config: Output | None = None
    tools: list[Any] | None = None
    mcp_servers: list[Any] | None = None


async def messages(app: App, request: Request) -> Answer | Streamed:
    """Answer as Anthropic's Messages do, streamed or not."""
    asked: Asked = request.json(Asked)
    body: dict[str, Any] = request.json(dict[str, Any])
    most = most_tokens(app, asked.max_tokens) or asked.max_tokens
    around = {key: value for key, value in body.items() if key != "messages"}
    checked(app, body["messages"], around)
    with app.hub.place(request.user):
        app.rate.take(request.user)
        provider, model = await found(app, asked.model)
        speaker = provider.speaking("messages", _headers(request))
        if speaker is not None:
            return _relayed(app, request, asked, speaker, relayed_chat(model, body, most))
        return _translated(app, request, asked, provider, translated(asked, provider, model, most))


async def count_tokens(app: App, request: Request) -> Answer:
    """The tokens of a request.

    A provider that speaks this format is asked at its own endpoint for it. For any other it is an estimate: a token
    for four bytes of all text, four for each message, 1,600 for each image or document.
    """
    asked: Counted = request.json(Counted)
    body: dict[str, Any] = request.json(dict[str, Any])
    around = {key: value for key, value in body.items() if key != "messages"}
    checked(app, body["messages"], around)
    provider, model = await found(app, asked.model)
    speaker = provider.speaking("messages", _headers(request))
    if speaker is None:
        return answer_json({"input_tokens": estimated(asked, body)})
    app.rate.take(request.user)
    try:
        counted = await speaker.acounted({**body, "model": model})
    except ChatError as exc:
        return refused(app.unplaced.error(exc), provider)
    return answer_json({"input_tokens": estimated(asked, body) if counted is None else counted})


def estimated(asked: Counted, body: dict[str, Any]) -> int:
    """About the tokens of a request, as `count_tokens` says."""
    blocks = [block for turn in asked.messages if isinstance(turn.content, list) for block in turn.content]
    files = sum(block.source is not None and block.source.type != "text" for block in blocks)
    sent = {key: value for key, value in body.items() if key != "model"}
    return len(text_in(sent).encode()) // 4 + len(asked.messages) * _TURN_TOKENS + files * _FILE_TOKENS


def relayed_chat(model: str, body: dict[str, Any], most: int) -> Chat:
    """The request as it came, with our model and within our limits."""
    extra = {key: value for key, value in body.items() if key not in ("model", "stream")}
    thinking = extra.get("thinking")
    if isinstance(thinking, dict) and most < extra["max_tokens"] and (thinking.get("budget_tokens") or 0) >= most:
        extra["thinking"] = {**thinking, "budget_tokens": most // 2}  # or the vendor would refuse our limit
    return Chat(model, (), None, Options(extra={**extra, "max_tokens": most}))


def translated(asked: Asked, provider: Provider, model: str, most: int) -> Chat:
    """The request as a Chat; WebError for what no Chat can say."""
    if asked.tools or asked.mcp_servers or any(map(_has_tools, asked.messages)):
        raise WebError(
            400,
            "tools_unsupported",
            f"{provider.name} is not spoken to in Anthropic's Messages format, so tools cannot be passed on to it",
            "Name a model of a provider that is, or ask without tools.",
        )
    system = [asked.system] if isinstance(asked.system, str) else [part.text or "" for part in asked.system or ()]
    return chat_of(
        model,
        system,
        [_message(turn, provider) for turn in asked.messages],
        temperature=_temperature(asked.temperature),
        max_tokens=most,
        think=_think(asked),
        extra=_extra(asked, provider.dialect),
        schema=_schema(asked.output_config, provider),
    )


def _headers(request: Request) -> dict[str, str]:
    beta = request.headers.get(_BETA, "")
    return {_BETA: beta} if beta and beta.isascii() and beta.isprintable() else {}


def _relayed(app: App, request: Request, asked: Asked, speaker: Provider, chat: Chat) -> Streamed:
    passing = Passing()
    relay = Relayed(speaker, passing)
    start = partial(started, app, request, relay, chat, refusal=partial(refused, provider=speaker))
    if asked.stream:
        return start(Passed(passing, ping=PING, end=STOP, told=partial(told, provider=speaker)), whole=None)
    gathering = Gathering()
    return start(Gathered(passing, gathering.add), whole=lambda _: answer_json(gathering.whole()))


def _translated(app: App, request: Request, asked: Asked, provider: Provider, chat: Chat) -> Streamed:
    ident, model = f"msg_{new_run_id()}", f"{provider.name}/{chat.model}"
    start = partial(started, app, request, provider, chat, refusal=partial(refused, provider=provider))
    if asked.stream:
        return start(MessageEvents(ident, model, provider=provider), whole=None)
    return start(Unsent(), whole=lambda run: whole(run.reply, ident, model))


def _has_tools(turn: Turn) -> bool:
    blocks = turn.content if isinstance(turn.content, list) else ()
    return any(block.type.endswith(("tool_use", "tool_result")) for block in blocks)


def _message(turn: Turn, provider: Provider) -> Message:
    role = _ROLES.get(turn.role)
    if role is None:
        raise WebError(400, "invalid", f"there is no role {turn.role[:40]!r}")
    if isinstance(turn.content, str):
        return Message(role, turn.content)
    return Message(role, _content(turn.content), tuple(_attachments(turn.content, provider)))


def _content(blocks: list[Block]) -> str:
    texts: list[str] = []
    for block in blocks:
        if block.type == "text":
            texts.append(block.text or "")
        elif block.type == "document" and block.source is not None and block.source.type == "text":
            texts.append(block.source.data)
    return "\n\n".join(texts)


def _attachments(blocks: list[Block], provider: Provider) -> Iterator[Attachment]:
    for block in blocks:
        source = block.source
        match block.type:
            case "text" | "thinking" | "redacted_thinking":
                continue
            case "document" if source is not None and source.type == "text":
                continue
            case "image" | "document" if source is not None and source.type == "base64":
                yield attachment(provider, block.title or block.type, source.media_type, source.data)
            case "image" | "document":
                raise WebError(400, "invalid", "files come with their data in base64: nothing is fetched from here")
            case _:
                raise WebError(400, "invalid", f"a block of type {block.type[:40]!r} cannot be passed on here")


def _temperature(asked: float | None) -> float | None:
    if asked is not None and not 0 <= asked <= 1:
        raise WebError(400, "invalid", "temperature is a number from 0 to 1")
    return asked


def _think(asked: Asked) -> str | int | None:
    thinking, effort = asked.thinking, asked.output_config.effort if asked.output_config else None
    if effort is not None and effort not in _EFFORTS:
        raise WebError(400, "invalid", f"effort is one of {', '.join(_EFFORTS)}")
    level = None if effort is None else _EFFORTS[effort]
    if thinking is None:
        return level
    match thinking.type:
        case "disabled":
            return "off"
        case "adaptive":
            return level or "medium"
        case "enabled" if thinking.budget_tokens and thinking.budget_tokens > 0:
            return thinking.budget_tokens
    raise WebError(400, "invalid", "thinking is disabled, adaptive, or enabled with budget_tokens")


def _schema(output: Output | None, provider: Provider) -> dict[str, Any] | None:
    form = output.format if output else None
    if form is None:
        return None
    if form.type != "json_schema" or form.schema is None:
        raise WebError(400, "invalid", "output_config.format is json_schema with a schema")
    if not provider.structures:
        raise WebError(400, "invalid", f"{provider.name} cannot be held to a JSON schema")
    return form.schema


def _extra(asked: Asked, dialect: str) -> dict[str, Any]:
    """Those of the other fields that the provider's own format has too."""
    extra: dict[str, Any] = {}
    if asked.top_p is not None and dialect:
        extra["top_p"] = asked.top_p
    if asked.stop_sequences and dialect == "chat":
        extra["stop"] = asked.stop_sequences
    return extra
