"""What is Anthropic's own: its request, thinking, its figures, its exceptions."""

from typing import Any

import anthropic
import pytest

from streamchat.chat import Chat, Message, Options
from streamchat.errors import (
    AuthError,
    BusyError,
    ChatError,
    ConfigError,
    NetworkError,
    ProviderError,
    StalledError,
    UnknownModelError,
)
from streamchat.events import Reasoning, Stop, Text
from tests.providers.asking import PUMPS, QUESTION, Pump, ask, provider
from tests.providers.sdk_errors import classes, made
from tests.wire.answers import MESSAGES, messages_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

TURNS = Chat(
    "claude-sonnet-5",
    (Message("user", "Hi"), Message("assistant", "Hello."), Message("user", "Bye")),
    system="Be short.",
)


def test_the_first_question(server: Server) -> None:
    """What goes over the wire is what `request` says; the system prompt is no message."""
    first = Chat("claude-sonnet-5", TURNS.messages[:1], system="Be short.")
    server.play(stream(messages_answer(["a"])))
    ask(MESSAGES, server, chat=first)

    assert server.exchange().json == {
        "model": "claude-sonnet-5",
        "max_tokens": 16_384,
        "messages": [{"role": "user", "content": "Hi"}],
        "system": "Be short.",
        "stream": True,
    }
    assert server.exchange().json == {**provider(MESSAGES, server.url).request(first), "stream": True}
    assert server.exchange().headers["anthropic-version"]


def test_a_conversation_that_goes_on_is_kept_in_the_vendors_cache(server: Server) -> None:
    """The system prompt and the last message carry the marks; the messages before stay as they are."""
    kept = {"type": "ephemeral"}
    server.play(stream(messages_answer(["a"])))
    ask(MESSAGES, server, chat=TURNS)

    assert server.exchange().json["system"] == [{"type": "text", "text": "Be short.", "cache_control": kept}]
    assert server.exchange().json["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": [{"type": "text", "text": "Bye", "cache_control": kept}]},
    ]
    assert server.exchange().json == {**provider(MESSAGES, server.url).request(TURNS), "stream": True}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": 0.0}, {"temperature": 0.0}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"think": "off"}, {"thinking": {"type": "disabled"}}),
        ({"think": 0}, {"thinking": {"type": "disabled"}}),
        (
            {"think": "high"},
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"}},
        ),
        (
            {"think": 2000, "max_tokens": 9000},
            {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 9000},
        ),
        ({"extra": {"top_k": 7}}, {"top_k": 7}),
    ],
    ids=str,
)
def test_the_options(options: dict[str, Any], words: dict[str, Any]) -> None:
    """Each option in the vendor's own words, and nothing else changes."""
    source = provider(MESSAGES, "http://127.0.0.1")
    asked = Chat("m", QUESTION.messages, options=Options(**options))

    assert source.request(asked) == source.request(Chat("m", QUESTION.messages)) | words


@pytest.mark.parametrize("limit", [None, 100])
def test_a_budget_of_thinking_leaves_room_for_the_answer(limit: int | None) -> None:
    """The vendor refuses a budget that is not below the limit."""
    source = provider(MESSAGES, "http://127.0.0.1")
    body = source.request(Chat("m", QUESTION.messages, options=Options(think=30_000, max_tokens=limit)))

    assert body["thinking"]["budget_tokens"] == 30_000
    assert body["max_tokens"] > 30_000


@pytest.mark.parametrize("pump", PUMPS)
def test_thinking_comes_without_its_signature(server: Server, pump: Pump) -> None:
    """Neither the signature nor a redacted block is text."""
    server.play(stream(messages_answer(["a"], thinking=["h", "m"], redacted=True)))

    seen = ask(MESSAGES, server, pump)
    assert [e for e in seen.events if isinstance(e, Reasoning | Text)] == [Reasoning("h"), Reasoning("m"), Text("a")]


def test_the_whole_prompt_is_counted(server: Server) -> None:
    """The vendor counts the cached part apart, and the output again in each report."""
    server.play(stream(messages_answer(["a"], usage=(100, 7))))

    usage = ask(MESSAGES, server).reply.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens) == (100, 4, 0, 7)


def test_a_refusal_tells_why(server: Server) -> None:
    """The vendor's explanation is the detail of the stop."""
    server.play(stream(messages_answer(["I"], stop_reason="refusal", explanation="Because.")))

    seen = ask(MESSAGES, server)
    assert (seen.text, seen.stops) == ("I", [Stop("refusal", "Because.")])


STATUS_ERRORS: dict[str, type[ChatError]] = {
    "APITimeoutError": StalledError,
    "APIConnectionError": NetworkError,
    "AuthenticationError": AuthError,
    "PermissionDeniedError": AuthError,
    "CredentialsError": AuthError,
    "NotFoundError": UnknownModelError,
    "RateLimitError": BusyError,
    "RequestTimeoutError": BusyError,
    "ServiceUnavailableError": BusyError,
    "OverloadedError": BusyError,
    "AnthropicError": ProviderError,
}


@pytest.mark.parametrize("kind", classes(anthropic, "AnthropicError"), ids=lambda kind: kind.__qualname__)
def test_every_exception_of_the_sdk_is_one_of_ours(kind: type[Exception]) -> None:
    """Each class that is installed, those of the resources not used here included."""
    ours = provider(MESSAGES, "http://127.0.0.1:9").error(made(anthropic, kind))

    expected = next(STATUS_ERRORS[base.__name__] for base in kind.__mro__ if base.__name__ in STATUS_ERRORS)
    assert type(ours) is expected
    assert "wire" in str(ours)
    assert "\n" not in str(ours)


@pytest.mark.parametrize("pump", PUMPS)
def test_a_socks_proxy_without_its_library_is_a_clear_error(server: Server, pump: Pump) -> None:
    """The SDK's own HTTP library says it with a bare ImportError."""
    seen = ask(MESSAGES, server, pump, proxy="socks5://127.0.0.1:1")

    assert isinstance(seen.error, ConfigError)
    assert "socksio" in (seen.error.hint or "")
