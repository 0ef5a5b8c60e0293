"""`ask --record`: the raw stream as a file that plays again, whatever came and however it ended."""

import json
from pathlib import Path

import pytest

from tests.program import run
from tests.wire.answers import chat_answer, messages_answer, responses_answer
from tests.wire.scenario import Fin, Stall, stream
from tests.wire.server import Server
from tests.wire.splits import each_byte

KEY = "sk-test-recorded-1"
TEXT = ["Grüße ", "aus **Köln** ", "👩\u200d🚀"]
FORMATS = {
    "chat": (("-m", "vllm/m"), chat_answer, "{}/v1"),
    "responses": (("-m", "openai/m"), responses_answer, "{}/v1"),
    "messages": (("-m", "anthropic/m"), messages_answer, "{}"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_plays_the_same_answer_with_every_byte_as_it_came(server: Server, name: str) -> None:
    which, answer, url = FORMATS[name]
    env = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    config = Path("c.toml")
    config.write_text('[providers.openai]\napi = "responses"\n')
    server.play(stream(each_byte(answer(TEXT))))
    first = run(
        "ask", *which, "--base-url", url.format(server.url), "--config", "c.toml", "--record", "r.jsonl", "hi", env=env
    )
    again = run("ask", "-m", "replay/r.jsonl", "--speed", "0", "hi")

    assert first.status == again.status == 0, first.err + again.err
    assert first.stdout == again.stdout == ("".join(TEXT) + "\n").encode()
    head, *lines = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert (head["type"], head["wire"]) == ("recording", name)
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert KEY not in Path("r.jsonl").read_text()


def test_a_fault_is_recorded_and_plays_as_the_same_fault(server: Server) -> None:
    server.play(stream(chat_answer(["some words", "never sent"])[:2]))
    first = run("ask", "-m", "vllm/m", "--base-url", server.v1, "--record", "r.jsonl", "hi")
    again = run("ask", "-m", "replay/r.jsonl", "--speed", "0", "hi")

    assert (first.status, first.stdout) == (again.status, again.stdout) == (5, b"some words\n")


def test_what_came_before_ctrl_c_is_recorded(server: Server) -> None:
    server.play(stream(chat_answer(["some words", "never sent"])[:2], Stall()))
    run("ask", "-m", "vllm/m", "--base-url", server.v1, "--record", "r.jsonl", "hi", after=b"some words")

    assert "some words" in Path("r.jsonl").read_text()


def test_a_conversation_s_file_plays_its_last_answer(server: Server) -> None:
    server.play(stream(chat_answer(["Hi ", "there"]), Fin()))
    run("ask", "-m", "vllm/m", "--base-url", server.v1, "--save", "talk.jsonl", "hi")

    assert run("ask", "-m", "replay/talk.jsonl", "--speed", "0", "hi").out == "Hi there\n"


def test_a_file_that_is_no_recording_is_said_so() -> None:
    Path("x.jsonl").write_text("{}\n")
    for name, words in (("x.jsonl", "not a recording"), ("nowhere.jsonl", "no recording")):
        result = run("ask", "-m", f"replay/{name}", "hi")
        assert result.status == 2 and words in result.err and "Traceback" not in result.err
