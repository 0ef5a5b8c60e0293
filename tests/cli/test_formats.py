"""`streamchat help formats` against what the program writes: every field that comes is described, and the other way."""

import json
import re
from typing import Any

import pytest

from streamchat.cli.help import topic
from streamchat.events import Retry, Usage
from tests.program import run
from tests.wire.answers import chat_answer
from tests.wire.scenario import document, stream
from tests.wire.server import Server

TEXT = topic("formats")
NAMES = re.compile(r"`(\w+)`")


def table(heading: str) -> dict[str, set[str]]:
    """The rows of the table with this heading: the names in the first column to those in the second."""
    _, _, rest = TEXT.partition(f"| {heading} |")
    rows = [row.strip("|").split("|") for row in rest.split("\n\n")[0].splitlines()[2:]]
    return {name: set(NAMES.findall(words)) for names, words in rows for name in NAMES.findall(names)}


@pytest.fixture
def asked(server: Server) -> tuple[str, ...]:
    """Refused once, then answered, with thinking."""
    refusal = document({"error": {"message": "wait"}}, status=503, headers={"retry-after": "0"})
    server.play(refusal, stream(chat_answer(["a", "b"], reasoning=["hm"])))
    return ("ask", "-m", "vllm/m", "--base-url", server.v1, "--retries", "1", "Hi")


def test_the_object(asked: tuple[str, ...]) -> None:
    whole: dict[str, Any] = json.loads(run(*asked, "--json").out)

    assert set(whole) == set(table("field"))
    assert set(Usage.__struct_fields__) == table("field")["usage"]
    assert set(whole["usage"]) - {"type"} <= table("field")["usage"]


def test_the_lines(asked: tuple[str, ...]) -> None:
    described = table("type")
    lines = [json.loads(line) for line in run(*asked, "--format", "jsonl").out.splitlines()]

    assert [line["type"] for line in lines] == ["reply", "retry", "reasoning", "text", "text", "usage", "end"]
    assert {line["type"] for line in lines} == set(described)
    for line in lines:
        kind = line.pop("type")
        fields = table("field")["usage"] | {"at"} if kind == "usage" else described[kind]
        assert set(line) <= fields if kind == "usage" else set(line) == fields, kind
    assert set(Retry.__struct_fields__) | {"at"} == described["retry"]


def test_the_lines_of_several(server: Server) -> None:
    server.play(stream(chat_answer(["a"])), stream(chat_answer(["b"])))
    (words,) = re.findall(r"mixes\ntheir lines as they come, each with (.*)\.", TEXT)
    result = run("ask", "-m", "echo", "-m", "replay/reasoning", "--opt", "speed=0", "--format", "jsonl", "Hi")
    lines = [json.loads(line) for line in result.out.splitlines()]

    assert lines and all(set(NAMES.findall(words)) <= set(line) for line in lines)
    assert {line["answer"] for line in lines} == {1, 2}
