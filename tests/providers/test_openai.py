"""What is OpenAI's own: requests in both formats, its dialects of reasoning, its exceptions."""

from typing import Any

import openai
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
from streamchat.providers import make
from streamchat.providers.base import Endpoint, Secret
from tests.providers.asking import PUMPS, QUESTION, Pump, ask, provider
from tests.providers.sdk_errors import classes, made
from tests.wire.answers import CHAT, RESPONSES, chat_answer, responses_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

TURNS = Chat(
    "gpt-5.1",
    (Message("user", "Hi"), Message("assistant", "Hello."), Message("user", "Bye")),
    system="Be short.",
)
ASKED = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Bye"},
]


def test_the_chat_request(server: Server) -> None:
    """What goes over the wire is what `request` says, with the stream asked for and its usage."""
    server.play(stream(chat_answer(["a"])))
    ask(CHAT, server, chat=TURNS)

    assert server.exchange().json == {
        "model": "gpt-5.1",
        "messages": [{"role": "system", "content": "Be short."}, *ASKED],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert server.exchange().json == {**provider(CHAT, server.v1).request(TURNS), "stream": True}


def test_the_responses_request(server: Server) -> None:
    """The same of the other format; nothing is stored at the vendor."""
    server.play(stream(responses_answer(["a"])))
    ask(RESPONSES, server, chat=TURNS)

    assert server.exchange().json == {
        "model": "gpt-5.1",
        "input": ASKED,
        "instructions": "Be short.",
        "store": False,
        "stream": True,
    }
    assert server.exchange().json == {**provider(RESPONSES, server.v1).request(TURNS), "stream": True}


@pytest.mark.parametrize(
    ("options", "chat", "responses"),
    [
        ({"temperature": 0.0}, {"temperature": 0.0}, {"temperature": 0.0}),
        ({"max_tokens": 9}, {"max_tokens": 9}, {"max_output_tokens": 9}),
        (
            {"think": "high"},
            {"reasoning_effort": "high"},
            {"reasoning": {"effort": "high", "summary": "auto"}},
        ),
        ({"think": "off"}, {"reasoning_effort": "none"}, {"reasoning": {"effort": "none"}}),
        ({"think": 0}, {"reasoning_effort": "none"}, {"reasoning": {"effort": "none"}}),
        ({"think": 1000}, {"reasoning_effort": "low"}, {"reasoning": {"effort": "low", "summary": "auto"}}),
        ({"think": 5000}, {"reasoning_effort": "medium"}, {"reasoning": {"effort": "medium", "summary": "auto"}}),
        ({"think": 50000}, {"reasoning_effort": "high"}, {"reasoning": {"effort": "high", "summary": "auto"}}),
        ({"extra": {"seed": 7}}, {"seed": 7}, {"seed": 7}),
    ],
    ids=str,
)
def test_the_options(options: dict[str, Any], chat: dict[str, Any], responses: dict[str, Any]) -> None:
    """Each option in each format's own words, and nothing else changes."""
    asked = Chat("m", QUESTION.messages, options=Options(**options))
    plain = Chat("m", QUESTION.messages)

    for form, words in ((CHAT, chat), (RESPONSES, responses)):
        source = provider(form, "http://127.0.0.1/v1")
        assert source.request(asked) == source.request(plain) | words


def test_the_tables_options_go_into_every_request_and_the_chats_own_are_stronger() -> None:
    """`options` of the provider's table first, then what this chat says."""
    source = provider(CHAT, "http://127.0.0.1/v1", options={"seed": 1, "top_k": 2})

    body = source.request(Chat("m", QUESTION.messages, options=Options(extra={"seed": 7})))
    assert (body["seed"], body["top_k"]) == (7, 2)


@pytest.mark.parametrize(
    ("api", "url", "path"),
    [
        ("auto", None, "responses"),
        ("auto", "https://api.openai.com/v1", "responses"),
        ("auto", "http://127.0.0.1:11434/v1", "chat"),
        ("chat", None, "chat"),
        ("responses", "http://127.0.0.1:11434/v1", "responses"),
    ],
)
def test_responses_is_for_the_vendors_own_endpoint(api: str, url: str | None, path: str) -> None:
    """Every other base URL speaks Chat Completions, unless its table says otherwise."""
    source = make("openai", Endpoint("x", base_url=url, api_key=Secret("sk"), api=api))

    assert ("input" in source.request(QUESTION)) == (path == "responses")


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("pump", PUMPS)
def test_the_dialects_of_reasoning_in_chat(server: Server, name: str, pump: Pump) -> None:
    """DeepSeek's and OpenRouter's names for it."""
    server.play(stream(chat_answer(["a"], reasoning=["h", "m"], reasoning_field=name)))

    assert ask(CHAT, server, pump).events[:3] == [Reasoning("h"), Reasoning("m"), Text("a")]


def test_both_dialects_at_once_are_said_once(server: Server) -> None:
    """Some servers send the same thought under both names."""
    from tests.wire.chat import chat_chunk

    both = chat_chunk({"reasoning": "hm", "reasoning_content": "hm"})
    server.play(stream([both], chat_answer(["a"])))

    assert ask(CHAT, server).reasoning == "hm"


def test_raw_reasoning_in_responses_is_reasoning(server: Server) -> None:
    """Open models send it instead of a summary."""
    server.play(stream(responses_answer(["a"], raw_reasoning=["h", "m"])))

    assert ask(RESPONSES, server).reasoning == "hm"


def test_a_summary_is_not_repeated_by_the_raw_reasoning(server: Server) -> None:
    """Where both come the summary is shown."""
    server.play(stream(responses_answer(["a"], reasoning=["short"], raw_reasoning=["long"])))

    assert ask(RESPONSES, server).reasoning == "short"


@pytest.mark.parametrize("form", [CHAT, RESPONSES], ids=lambda form: form.name)
def test_a_refusal_is_shown_and_said(server: Server, form: Any) -> None:
    """Its words are the answer; the stop reason tells what they are."""
    server.play(stream(form.answer([], refusal=["No", "."])))

    seen = ask(form, server)
    assert (seen.text, seen.stops) == ("No.", [Stop("refusal")])


STATUS_ERRORS: dict[str, type[ChatError]] = {
    "APITimeoutError": StalledError,
    "APIConnectionError": NetworkError,
    "AuthenticationError": AuthError,
    "PermissionDeniedError": AuthError,
    "NotFoundError": UnknownModelError,
    "RateLimitError": BusyError,
    "SubjectTokenProviderError": AuthError,
    "OpenAIError": ProviderError,
}


@pytest.mark.parametrize("kind", classes(openai, "OpenAIError"), ids=lambda kind: kind.__qualname__)
def test_every_exception_of_the_sdk_is_one_of_ours(kind: type[Exception]) -> None:
    """Each class that is installed, those of the resources not used here included."""
    if not issubclass(kind, openai.OpenAIError):
        assert kind.__name__ == "InvalidWebhookSignatureError", "a root of its own that nobody here can raise"
        return
    ours = provider(CHAT, "http://127.0.0.1:9/v1").error(made(openai, kind))

    expected = next(STATUS_ERRORS[base.__name__] for base in kind.__mro__ if base.__name__ in STATUS_ERRORS)
    assert type(ours) is expected
    assert "wire" in str(ours)
    assert "\n" not in str(ours)


@pytest.mark.parametrize("pump", PUMPS)
def test_a_key_outside_ascii_is_named(server: Server, pump: Pump) -> None:
    """A key with a typographic character never reaches the network."""
    seen = ask(CHAT, server, pump, api_key=Secret("sk-“quoted”"))

    assert isinstance(seen.error, AuthError)
    assert "API key" in seen.error.message
    assert "quoted" not in seen.error.message
    assert server.exchanges == []


@pytest.mark.parametrize("pump", PUMPS)
def test_a_socks_proxy_without_its_library_is_a_clear_error(server: Server, pump: Pump) -> None:
    """The SDK's own HTTP library says it with a bare ImportError."""
    seen = ask(CHAT, server, pump, proxy="socks5://127.0.0.1:1")

    assert isinstance(seen.error, ConfigError)
    assert "socksio" in (seen.error.hint or "")
