"""What is seen of a model's thinking, and what --think asks for, by the real program."""

from typing import Any

import pytest

from streamchat.chat import Chat, Message, Options
from streamchat.providers import make
from streamchat.providers.base import Endpoint
from streamchat.views.footer import seconds
from tests.cli.person import config, journal, seen
from tests.program import Result, run
from tests.wire.answers import chat_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

THOUGHTS = ["First this, ", "then \x1b[31mthat. " + "And so on. " * 8]


def asked(server: Server, *args: str, **how: Any) -> Result:
    server.play(stream(chat_answer(["The *answer*."], reasoning=THOUGHTS)))
    return run("ask", "-m", "vllm/m", "--base-url", server.v1, "Why?", *args, **how)


# what is seen


def test_folded_is_one_dim_line_above_the_answer(server: Server) -> None:
    result = asked(server, terminal=(60, 24))
    lines = seen(result, 60)

    assert lines[0].startswith("thought f") and lines[1:3] == ["", "The answer."]
    assert "First this" not in "".join(lines)
    assert b"\x1b[2mthought f" in result.screen


def test_shown_is_whole_wrapped_and_dim(server: Server) -> None:
    config('[ui]\nreasoning = "show"\n')
    result = asked(server, terminal=(60, 24))
    lines = seen(result, 60)

    assert " ".join(lines[:3]).strip() == ("First this, then ␛[31mthat. " + "And so on. " * 8).strip()
    assert lines[3:5] == ["The answer.", ""] or lines[2:4] == ["", "The answer."]
    assert b"\x1b[2mFirst this" in result.screen and "thought for" not in "".join(lines)


def test_hidden_is_nothing(server: Server) -> None:
    for args in (("-R",), ("--accessible", "-R")):
        assert seen(asked(server, *args, terminal=(60, 24)), 60)[0] == "The answer."


def test_a_pipe_never_gets_it(server: Server) -> None:
    config('[ui]\nreasoning = "show"\n')

    for args in ((), ("--format", "text"), ("--plain",), ("-S",)):
        assert asked(server, *args).out == "The *answer*.\n"
    assert seen(asked(server, "--raw", terminal=(60, 24)), 60) == ["The *answer*."]


def test_an_answer_that_is_shown_again_has_its_own_times(server: Server) -> None:
    """However fast it is played."""
    run("ask", "-m", "replay/reasoning", "--opt", "speed=4", "Which?")
    lines = journal()
    begun, answered = (next(line["at"] for line in lines if line["type"] == kind) for kind in ("reasoning", "text"))
    shown = seen(run("history", "play", "--speed", "0", terminal=(80, 24)))

    assert f"thought for {seconds(answered - begun)}" in shown


# what is asked for


def body(kind: str, model: str, think: Any, url: str | None = None) -> dict[str, Any]:
    provider = make(kind, Endpoint(name=kind, base_url=url))
    return provider.request(Chat(model, (Message("user", "Hi"),), options=Options(think=think)))


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "chatgpt-4o-latest"])
def test_models_without_a_control_are_not_sent_one(model: str) -> None:
    """By the vendor itself; a server of one's own may call anything so."""
    assert "reasoning" not in body("openai", model, "low")
    assert body("openai", "gpt-5", "low")["reasoning"]["effort"] == "low"
    assert body("openai", model, "low", "http://127.0.0.1/v1")["reasoning_effort"] == "low"


@pytest.mark.parametrize(
    ("model", "think", "words"),
    [
        ("claude-sonnet-5-5", "low", {"type": "adaptive", "display": "summarized"}),
        ("claude-sonnet-5-5", 3000, {"type": "enabled", "budget_tokens": 3000}),
        ("claude-sonnet-4-20250514", "low", {"type": "enabled", "budget_tokens": 2048}),
        ("claude-opus-4-1", "high", {"type": "enabled", "budget_tokens": 24_576}),
        ("claude-3-7-sonnet-latest", "off", {"type": "disabled"}),
        ("claude-3-5-haiku-latest", "high", None),
    ],
)
def test_each_generation_has_its_own_control(model: str, think: Any, words: Any) -> None:
    assert body("anthropic", model, think).get("thinking") == words


@pytest.mark.parametrize("model", ["echo", "replay/reasoning"])
def test_who_has_no_control_says_so(model: str) -> None:
    args = ("ask", "-m", model, "--opt", "speed=0", "--think", "high", "Which?")
    words = "has no control over its thinking: --think changes nothing"

    assert words in run(*args).err
    assert words not in run(*args, "-q").err


def test_a_model_without_a_control_says_so(server: Server) -> None:
    args = ("ask", "--think", "high", "--dry-run", "Hi")
    key = {"ANTHROPIC_API_KEY": "sk-test-1"}

    assert "anthropic/claude-3-5-haiku has no control" in run(*args, "-m", "anthropic/claude-3-5-haiku", env=key).err
    assert run(*args, "-m", "anthropic/claude-sonnet-5-5", env=key).err == ""
