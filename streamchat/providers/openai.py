"""OpenAI and every server that speaks its wire formats, by the official SDK; alone in importing openai.

The SDK sends the request (key, proxy, TLS, time-outs); the response is taken as raw bytes and read by our
own wires: the SDK's own parsing of a chunk costs more than all of ours.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from copy import copy
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from streamchat.chat import Attachment, Chat, Message
from streamchat.providers.base import Wire
from streamchat.providers.sdk import SDKProvider
from streamchat.providers.wire.chat import ChatWire
from streamchat.providers.wire.faults import host_of
from streamchat.providers.wire.responses import ResponsesWire

_EFFORTS = ((2048, "low"), (8192, "medium"))
"""A budget of reasoning tokens as the nearest effort, the only control that this vendor has."""


_THOUGHTLESS = re.compile("gpt-[34]|chatgpt|davinci|babbage")
"""The vendor's own models that refuse to be told how much to think."""


class Provider(SDKProvider):
    """Chat Completions or Responses: `api` "auto" takes Responses for the vendor's own endpoint only."""

    base_url = "https://api.openai.com/v1"
    clients = ("OpenAI", "AsyncOpenAI")
    root_error = "OpenAIError"

    @staticmethod
    def sdk() -> Any:
        import openai

        return openai

    @property
    def _own(self) -> bool:
        return host_of(self.url) == host_of(self.base_url)

    @property
    def _speaks_responses(self) -> bool:
        return self._own if self.endpoint.api == "auto" else self.endpoint.api == "responses"

    @property
    def dialect(self) -> str:
        return "responses" if self._speaks_responses else "chat"

    def speaking(self, dialect: str, headers: Mapping[str, str] = MappingProxyType({})) -> SDKProvider | None:
        """Where nobody chose a format, the vendor's own endpoint takes either."""
        if dialect == "chat" and self.endpoint.api == "auto" and self._own:
            chosen = copy(self)
            chosen.endpoint = replace(self.endpoint, api="chat")
            self.__dict__["_aclient"] = chosen._aclient  # a client that is made now is of both
            return chosen.speaking(dialect, headers)
        return super().speaking(dialect, headers)

    def thinks(self, model: str) -> bool:
        return not (self._own and _THOUGHTLESS.match(model))

    def request(self, chat: Chat) -> dict[str, Any]:
        if not self.thinks(chat.model):
            chat = replace(chat, options=replace(chat.options, think=None))
        body = _responses_body(chat) if self._speaks_responses else _chat_body(chat, own=self._own)
        return {**body, **self.endpoint.options, **chat.options.extra}

    def wire(self, chat: Chat) -> Wire:
        dialect = ResponsesWire if self._speaks_responses else ChatWire
        return dialect(self.name, stop_reason_optional=self.endpoint.stop_reason_optional)

    def path(self) -> str:
        return "/responses" if self._speaks_responses else "/chat/completions"


def _chat_body(chat: Chat, *, own: bool) -> dict[str, Any]:
    options = chat.options
    system = [{"role": "system", "content": chat.system}] if chat.system else []
    turns = [{"role": message.role, "content": _chat_content(message)} for message in chat.messages]
    body: dict[str, Any] = {
        "model": chat.model,
        "messages": system + turns,
        "stream_options": {"include_usage": True},
    }
    if options.temperature is not None:
        body["temperature"] = options.temperature
    if options.max_tokens is not None:
        # The vendor renamed the field; the compatible servers know the old name, not all of them the new one.
        body["max_completion_tokens" if own else "max_tokens"] = options.max_tokens
    if options.think is not None:
        body["reasoning_effort"] = _effort(options.think)
    if options.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": _format(options.schema)}
    return body


def _responses_body(chat: Chat) -> dict[str, Any]:
    options = chat.options
    body: dict[str, Any] = {
        "model": chat.model,
        "input": [{"role": message.role, "content": _responses_content(message)} for message in chat.messages],
        "store": False,  # the conversation is kept here, on the person's own disk, and nowhere else
    }
    if chat.system:
        body["instructions"] = chat.system
    if options.temperature is not None:
        body["temperature"] = options.temperature
    if options.max_tokens is not None:
        body["max_output_tokens"] = options.max_tokens
    if options.think is not None:
        effort = _effort(options.think)
        body["reasoning"] = {"effort": effort} if effort == "none" else {"effort": effort, "summary": "auto"}
    if options.schema is not None:
        body["text"] = {"format": {"type": "json_schema", **_format(options.schema)}}
    return body


def _chat_content(message: Message) -> str | list[dict[str, Any]]:
    """The text alone where there is nothing else: not every compatible server knows parts."""
    if not message.attachments:
        return message.content
    parts: list[dict[str, Any]] = []
    for each in message.attachments:
        if each.media_type.startswith("image/"):
            parts.append({"type": "image_url", "image_url": {"url": _data_url(each)}})
        else:
            parts.append({"type": "file", "file": {"filename": each.name, "file_data": _data_url(each)}})
    return [*parts, {"type": "text", "text": message.content}]


def _responses_content(message: Message) -> str | list[dict[str, Any]]:
    if not message.attachments:
        return message.content
    parts: list[dict[str, Any]] = []
    for each in message.attachments:
        if each.media_type.startswith("image/"):
            parts.append({"type": "input_image", "image_url": _data_url(each)})
        else:
            parts.append({"type": "input_file", "filename": each.name, "file_data": _data_url(each)})
    return [*parts, {"type": "input_text", "text": message.content}]


def _data_url(attachment: Attachment) -> str:
    return f"data:{attachment.media_type};base64,{b64encode(attachment.data).decode()}"


def _format(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema in the vendor's words; held to strictly where the vendor's rules for that are met."""
    name = re.sub(r"[^\w-]+", "_", str(schema.get("title", "")), flags=re.ASCII)[:64]
    return {"name": name or "answer", "schema": schema, "strict": _is_strict(schema)}


def _is_strict(part: Any) -> bool:
    """Whether every object in a schema asks for all of its properties and allows no others."""
    if isinstance(part, list):
        return all(map(_is_strict, part))
    if not isinstance(part, dict):
        return True
    if part.get("type") == "object" or "properties" in part:
        asked = set(part.get("required", ())) == set(part.get("properties", {}))
        if part.get("additionalProperties") is not False or not asked:
            return False
    return all(map(_is_strict, part.values()))


def _effort(think: str | int) -> str:
    if isinstance(think, int):
        return next((effort for limit, effort in _EFFORTS if think <= limit), "high") if think else "none"
    return "none" if think == "off" else think
