"""Anthropic and every server that speaks its Messages format, by the official SDK; alone in importing anthropic.

As with the other vendor, the SDK sends the request and our own wire reads the raw bytes of the response.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from streamchat.chat import Chat, Message
from streamchat.providers.base import Wire
from streamchat.providers.sdk import SDKProvider
from streamchat.providers.wire.messages import MessagesWire

_MAX_TOKENS = 16_384
"""The vendor insists on a limit; this one is far above an answer that a person reads."""

_KEEP = {"type": "ephemeral"}


_THOUGHTLESS = re.compile("claude-(instant|2|3-(5|opus|sonnet|haiku))")
_BUDGETED = re.compile(r"claude-(3-7-|(opus|sonnet|haiku)-4(-[015])?(-\d{8})?$)")
"""Older models: those that cannot think, and those whose only control is a budget of tokens."""
_BUDGETS = {"low": 2048, "medium": 8192, "high": 24_576}


class Provider(SDKProvider):
    """The Messages API."""

    base_url = "https://api.anthropic.com"
    clients = ("Anthropic", "AsyncAnthropic")
    root_error = "AnthropicError"

    @staticmethod
    def sdk() -> Any:
        import anthropic

        return anthropic

    @property
    def dialect(self) -> str:
        return "messages"

    async def acounted(self, body: Mapping[str, Any]) -> int | None:
        try:
            found = await self._aclient.post(
                "/v1/messages/count_tokens", body=dict(body), cast_to=object, **self._more()
            )
        except Exception as exc:  # whatever the SDK raises, where the SDK ends
            ours = self.error(exc)
            if ours is None:
                raise
            ours.message = self.endpoint.without_key(ours.message)
            raise ours from exc
        count = found.get("input_tokens") if isinstance(found, dict) else None
        return count if isinstance(count, int) else None

    def thinks(self, model: str) -> bool:
        return not _THOUGHTLESS.match(model)

    def request(self, chat: Chat) -> dict[str, Any]:
        options = chat.options
        body: dict[str, Any] = {
            "model": chat.model,
            "max_tokens": options.max_tokens or _MAX_TOKENS,
            "messages": [{"role": message.role, "content": _content(message)} for message in chat.messages],
        }
        if chat.system:
            body["system"] = chat.system
        if len(chat.messages) > 1:
            _cache(body)
        if options.temperature is not None:
            body["temperature"] = options.temperature
        if options.think is not None and self.thinks(chat.model):
            think = options.think
            if _BUDGETED.match(chat.model):
                think = _BUDGETS.get(str(think), think)
            body.update(_thinking(think, asked=options.max_tokens))
        if options.schema is not None:
            wanted = {"format": {"type": "json_schema", "schema": options.schema}}
            body["output_config"] = {**body.get("output_config", {}), **wanted}
        return {**body, **self.endpoint.options, **options.extra}

    def wire(self, chat: Chat) -> Wire:
        return MessagesWire(self.name, stop_reason_optional=self.endpoint.stop_reason_optional)

    def path(self) -> str:
        return "/v1/messages"


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.attachments:
        return message.content
    parts: list[dict[str, Any]] = []
    for each in message.attachments:
        source = {"type": "base64", "media_type": each.media_type, "data": b64encode(each.data).decode()}
        if each.media_type.startswith("image/"):
            parts.append({"type": "image", "source": source})
        else:
            parts.append({"type": "document", "source": source, "title": each.name})
    return [*parts, {"type": "text", "text": message.content}]


def _cache(body: dict[str, Any]) -> None:
    """Have the vendor keep what the next question will begin with: the system prompt, and all up to the last message.

    Not for a first question: keeping costs a quarter more, and most first questions are not followed by another.
    """
    if "system" in body:
        body["system"] = [{"type": "text", "text": body["system"], "cache_control": _KEEP}]
    last = body["messages"][-1]
    parts = [{"type": "text", "text": last["content"]}] if isinstance(last["content"], str) else last["content"]
    last["content"] = [*parts[:-1], {**parts[-1], "cache_control": _KEEP}]


def _thinking(think: str | int, *, asked: int | None) -> dict[str, Any]:
    """The vendor's control: a level is adaptive thinking at that effort, a number is a budget within max_tokens."""
    if think in ("off", 0):
        return {"thinking": {"type": "disabled"}}
    if isinstance(think, int):
        return {
            "thinking": {"type": "enabled", "budget_tokens": think},
            "max_tokens": asked if asked and asked > think else think + _MAX_TOKENS,
        }
    return {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": think}}
