"""streamchat from Python: `stream` and `astream`, which ask as the command line asks and yield the answer's text.

They take provider, model and key from the person's own configuration and environment, as `streamchat ask` does; what
lies in the current directory has no say. Nothing is written to disk.
"""

from collections.abc import Sequence
from typing import Any

from streamchat.chat import Chat, Message, Options
from streamchat.choice import choose, connect
from streamchat.config import load
from streamchat.providers.base import Provider
from streamchat.pump import AsyncStream, Stream


def stream(prompt: str | Sequence[Message], **how: Any) -> Stream:
    """Ask, and pull the answer: iterating gives its text in deltas (str).

    `prompt` is the question, or a whole conversation that ends with one. The keywords are `model` ("provider/model", an
    alias, or an id), `provider`, `system`, `temperature`, `max_tokens`, `think`, `base_url`, `idle_timeout` (seconds of
    silence), `retries`, `profile`, and `options`, a dict of more fields for the request. What is not given comes from
    the configuration. Nothing is sent before the first delta is asked for.

    The object's `reply` (text, reasoning, usage, stop_reason, first_token, elapsed) is there during and after;
    `events()` gives everything that comes, not the text alone. Leaving the loop, the `with` block or `close()` closes
    the connection to the provider. Raises ChatError; what had come is in its `reply`.

    >>> from streamchat import stream
    >>> answer = stream("Which is larger, 9.11 or 9.9?", model="replay/reasoning", options={"speed": 0})
    >>> for token in answer:
    ...     print(token, end="")
    ...     if "**" in answer.reply.text[2:]:
    ...         break
    **9.9 is larger.**
    >>> answer.reply.stop_reason
    'interrupted'
    """
    chat, provider = _asked(prompt, **how)
    return Stream(provider, chat, own=True)


def astream(prompt: str | Sequence[Message], **how: Any) -> AsyncStream:
    """`stream` for a program that awaits: `async for`, `async with`, `aclose()`.

    Python closes an abandoned async generator when it pleases; `async with` closes the connection at once.

    >>> import asyncio
    >>> from streamchat import astream
    >>> async def main():
    ...     async with astream("Which is larger?", model="replay/reasoning", options={"speed": 0}) as answer:
    ...         async for token in answer:
    ...             pass
    ...     return answer.reply
    >>> reply = asyncio.run(main())
    >>> reply.stop_reason, reply.usage.output_tokens, reply.text[:18]
    ('stop', 149, '**9.9 is larger.**')
    """
    chat, provider = _asked(prompt, **how)
    return AsyncStream(provider, chat, own=True)


def _asked(
    prompt: str | Sequence[Message],
    *,
    model: str | None = None,
    provider: str | None = None,
    system: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    think: str | int | None = None,
    base_url: str | None = None,
    idle_timeout: float | None = None,
    retries: int | None = None,
    profile: str | None = None,
    options: dict[str, Any] | None = None,
) -> tuple[Chat, Provider]:
    messages = (Message("user", prompt),) if isinstance(prompt, str) else tuple(prompt)
    if not all(isinstance(each, Message) for each in messages):
        raise TypeError("the prompt is a text, or a conversation of streamchat.Message(role, content)")
    named = {
        "model": model,
        "provider": provider,
        "system": system,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "think": think,
        "base_url": base_url,
        "idle_timeout": idle_timeout,
        "retries": retries,
    }
    settings = load(flags=named, profile=profile, nearby=False)
    choice = choose(settings)
    request: Options = settings.options(options or {})
    return Chat(choice.model, messages, settings.defaults.system or None, request), connect(settings, choice)
