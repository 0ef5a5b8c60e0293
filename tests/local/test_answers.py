"""The real model's server, asked by both official SDKs through our pumps: three protocols, sync and async."""

import asyncio
import json
import time
import urllib.request

import pytest

from streamchat.chat import Chat, Message, Options, Reply
from streamchat.errors import AuthError
from streamchat.local.server import LocalServer
from streamchat.providers import anthropic, base, openai
from streamchat.providers.base import Endpoint, Secret
from streamchat.pump import AsyncStream, Stream

pytestmark = pytest.mark.local

DIALECTS = ("chat", "responses", "messages")

DOCUMENT = """\
# Größe 大小

| 項目 | n |
| --- | ---: |
| **茶** 🍵 | 2 |

```python
print("👩‍👩‍👧 ok")  # \\n
```
"""
"""Everything that has two bytes or two meanings, in a document that the model is made to say."""


def speaker(child: LocalServer, dialect: str, *, key: str | None = None) -> base.Provider:
    secret = Secret(child.key if key is None else key)
    if dialect == "messages":
        return anthropic.Provider(Endpoint("embedded", base_url=child.url, api_key=secret))
    return openai.Provider(Endpoint("embedded", base_url=f"{child.url}/v1", api_key=secret, api=dialect))


def question(text: str = "Tell me a long story.", *, max_tokens: int = 12, **extra: object) -> Chat:
    options = Options(temperature=0.0, max_tokens=max_tokens, extra=extra)  # the same words every time
    return Chat("SmolLM2-135M-Instruct", (Message("user", text),), "You are helpful.", options)


def asked(provider: base.Provider, chat: Chat, *, awaited: bool) -> tuple[list[str], Reply]:
    if not awaited:
        stream = Stream(provider, chat, own=True)
        return list(stream), stream.reply

    async def main() -> tuple[list[str], Reply]:
        stream = AsyncStream(provider, chat, own=True)
        return [text async for text in stream], stream.reply

    return asyncio.run(main())


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_answer_comes_in_deltas_with_its_usage(child: LocalServer, dialect: str, awaited: bool) -> None:
    deltas, reply = asked(speaker(child, dialect), question(), awaited=awaited)
    assert len(deltas) > 3
    assert "".join(deltas) == reply.text
    assert reply.usage.input_tokens is not None
    assert reply.usage.input_tokens > 15
    assert reply.usage.output_tokens == 12
    assert reply.first_token is not None


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_the_bytes_arrive_as_the_model_said_them(child: LocalServer, dialect: str) -> None:
    said = question("Say it.", max_tokens=200, grammar=f"root ::= {json.dumps(DOCUMENT, ensure_ascii=False)}")
    deltas, reply = asked(speaker(child, dialect), said, awaited=False)
    assert "".join(deltas) == DOCUMENT
    assert len(deltas) > 20
    assert reply.stop_reason == "stop"


@pytest.mark.parametrize("dialect", ["chat", "messages"])  # by Responses this server says `completed` all the same
def test_the_limit_is_told_from_the_end(child: LocalServer, dialect: str) -> None:
    _, reply = asked(speaker(child, dialect), question(max_tokens=5), awaited=False)
    assert reply.stop_reason == "length"
    assert reply.usage.output_tokens == 5


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stranger_is_refused(child: LocalServer, dialect: str) -> None:
    with pytest.raises(AuthError):
        asked(speaker(child, dialect, key="guessed"), question(), awaited=False)


def test_no_web_page_is_let_in(child: LocalServer) -> None:
    request = urllib.request.Request(f"{child.url}/health", headers={"Origin": "https://evil.example"})
    with urllib.request.urlopen(request, timeout=5) as response:
        assert response.headers.get("Access-Control-Allow-Origin") in (None, "")


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
def test_leaving_early_stops_the_model(child: LocalServer, awaited: bool) -> None:
    endless = question(max_tokens=400, grammar='root ::= [a-z ]+ "\\u0000"')

    if awaited:

        async def leave() -> None:
            stream = AsyncStream(speaker(child, "chat"), endless, own=True)
            async for _ in stream:
                break
            assert busy(child)
            await stream.aclose()

        asyncio.run(leave())
    else:
        stream = Stream(speaker(child, "chat"), endless, own=True)
        words = iter(stream)  # held: an iterator that nobody holds closes the stream
        next(words)
        assert busy(child)
        stream.close()
    begun = time.monotonic()
    while busy(child):
        assert time.monotonic() - begun < 3, "the model went on"
        time.sleep(0.02)


def busy(child: LocalServer) -> bool:
    request = urllib.request.Request(f"{child.url}/slots", headers={"Authorization": f"Bearer {child.key}"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return any(slot["is_processing"] for slot in json.load(response))
