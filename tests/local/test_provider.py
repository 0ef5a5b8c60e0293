"""The provider: what the model is given, and what happens when its child dies under it."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from streamchat.chat import Chat, Message, Options
from streamchat.errors import ConfigError, ProviderError, UsageError
from streamchat.local.options import LocalOptions
from streamchat.local.weights import Weights
from streamchat.providers.base import Endpoint
from streamchat.providers.local import PRIMER, Provider
from streamchat.pump import Stream
from tests.program import Program, run

PARIS = Chat("", (Message("user", "What is the capital of France?"),))
ENDLESS = Chat("", PARIS.messages, None, Options(max_tokens=400, extra={"grammar": 'root ::= [a-z ]+ "\\u0000"'}))


@pytest.mark.local
def test_it_answers_and_says_what_it_is(provider: Provider) -> None:
    stream = Stream(provider, PARIS)
    assert "Paris" in "".join(stream)
    assert stream.reply.stop_reason == "stop"
    assert provider.model == "SmolLM2-135M-Instruct"
    assert provider.notice == "demonstration model, expect mistakes"


@pytest.mark.local
def test_what_the_model_is_given(models: Path) -> None:
    body = Provider(Endpoint("local"), options=LocalOptions(models=models)).request(PARIS)
    assert [turn["content"] for turn in body["messages"]] == [turn.content for turn in (*PRIMER, *PARIS.messages)]
    assert (body["max_tokens"], body["temperature"], body["top_p"]) == (512, 0.2, 0.9)
    assert body["model"] == "SmolLM2-135M-Instruct"
    plain = Provider(Endpoint("local"), options=LocalOptions(models=models, primer=False, max_tokens=7))
    body = plain.request(Chat("", PARIS.messages, "Be brief.", Options(temperature=1.0, extra={"top_p": 0.5})))
    assert [turn["role"] for turn in body["messages"]] == ["system", "user"]
    assert (body["max_tokens"], body["temperature"], body["top_p"]) == (7, 1.0, 0.5)


@pytest.mark.local
def test_a_chat_that_does_not_fit_is_told_with_both_numbers(provider: Provider) -> None:
    with pytest.raises(UsageError, match=r"the chat has \d{3,4} tokens and the embedded model holds 512"):
        list(Stream(provider, Chat("", (Message("user", "word " * 700),))))


@pytest.mark.local
def test_a_child_that_is_killed_leaves_its_words_and_starts_again(provider: Provider) -> None:
    stream = Stream(provider, ENDLESS)
    words = iter(stream)
    next(words)
    os.kill(child_of(provider), signal.SIGKILL)
    with pytest.raises(ProviderError, match=r"the embedded model stopped \(SIGKILL") as caught:
        list(words)
    assert caught.value.reply is stream.reply
    assert stream.reply.text
    assert stream.reply.stop_reason == "error"
    assert "Paris" in "".join(Stream(provider, PARIS))


@pytest.mark.local
def test_two_at_once_and_a_proxy_in_the_environment(
    provider: Provider, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    other = Provider(Endpoint("local"), options=LocalOptions(context=512, models=models))
    answers: list[str] = []
    asking = [
        threading.Thread(target=lambda each=each: answers.append("".join(Stream(each, PARIS, own=True))))
        for each in (provider, other)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(answers) == 2
    assert all("Paris" in answer for answer in answers)


@pytest.mark.local
def test_the_program_prints_the_answer_and_not_a_byte_more(models: Path) -> None:
    result = run("ask", "-m", "local", "What is the capital of France?", env=here(models))
    assert (result.status, result.err) == (0, "")
    assert "Paris" in result.out
    assert result.out.endswith("\n")


@pytest.mark.local
def test_ctrl_c_on_a_terminal_stops_the_answer(models: Path) -> None:
    line = ("ask", "-m", "local", "--opt", 'grammar=root ::= "Z" [a-z ]+ "\\u0000"', "Tell me a story.")
    with Program(*line, terminal=(80, 24), env=here(models)) as program:
        program.wait_for(b"Z")  # one letter: between two there may be a move of the cursor
        program.press(b"\x03")
        result = program.end(timeout=5)
    assert result.status == -signal.SIGINT
    assert "Traceback" not in result.out
    assert "llama" not in result.out


@pytest.mark.local
def test_the_licence_came_along(weights: Weights) -> None:
    assert (weights.licence, weights.demonstration) == ("Apache-2.0", True)
    assert weights.licence_file is not None
    assert "Apache License" in weights.licence_file.read_text()


@pytest.mark.local
def test_missing_weights_are_named_with_the_way_out(models: Path, tmp_path: Path) -> None:
    provider = Provider(Endpoint("local"), options=LocalOptions(models=tmp_path))
    with pytest.raises(ConfigError, match="weights are not installed") as caught:
        provider.warm()
    assert caught.value.hint == "Fetch them once, 93 MB: streamchat local install"


def test_a_missing_engine_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # as if it were not installed
    provider = Provider(Endpoint("local"), options=LocalOptions(models=tmp_path))
    assert provider.request(PARIS)["model"] == ""
    with pytest.raises(ConfigError, match="engine is not installed") as caught:
        list(Stream(provider, PARIS))
    assert "'streamchat[local]'" in (caught.value.hint or "")


def child_of(provider: Provider) -> int:
    server = provider._server
    assert server is not None
    assert server.pid is not None
    return server.pid


def here(models: Path) -> dict[str, str | None]:
    return {"XDG_DATA_HOME": str(models.parent.parent)}
