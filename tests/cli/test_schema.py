"""`ask --schema`: answers of a given shape, in each vendor's own words, checked, by the real program."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from streamchat.errors import ProviderError, UsageError
from streamchat.structured import check_answer, schema_of
from tests.cli.person import config, journal
from tests.program import run
from tests.wire.answers import chat_answer, messages_answer, responses_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

SCHEMA: dict[str, Any] = {
    "title": "A person!",
    "type": "object",
    "properties": {"age": {"$ref": "#/$defs/years"}},
    "required": ["age"],
    "additionalProperties": False,
    "$defs": {"years": {"type": "integer"}},
}
LOOSE = {"type": "object", "properties": {"age": {"type": "integer"}}}
KEYS = {"OPENAI_API_KEY": "sk-test-1", "ANTHROPIC_API_KEY": "sk-test-2"}


def asked(server: Server, schema: Any, *deltas: str, **how: Any) -> Any:
    server.play(stream(chat_answer(deltas, **how)))
    return run("ask", "-m", "vllm/m", "--base-url", server.v1, "--schema", json.dumps(schema), "Who?")


def test_each_vendor_is_asked_in_its_own_words(server: Server) -> None:
    config(f'[providers.openai]\napi = "responses"\nbase_url = "{server.v1}"\n')
    Path("s.json").write_text(json.dumps(SCHEMA))
    named = {"name": "A_person_", "schema": SCHEMA, "strict": True}
    for model, url, answer, field, words in (
        ("openai/m", server.v1, responses_answer, "text", {"format": {"type": "json_schema", **named}}),
        ("vllm/m", server.v1, chat_answer, "response_format", {"type": "json_schema", "json_schema": named}),
        (
            *("anthropic/m", server.url, messages_answer, "output_config"),
            {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"},
        ),
    ):
        server.play(stream(answer(['{"age"', ": 7}"])))
        result = run("ask", "-m", model, "--base-url", url, "--schema", "s.json", "--think", "low", "Who?", env=KEYS)
        assert (result.out, result.err, result.status) == ('{"age": 7}\n', "", 0)
        assert server.exchanges[-1].json[field] == words


def test_a_schema_that_leaves_things_open_is_not_asked_for_strictly(server: Server) -> None:
    asked(server, LOOSE, "{}")

    assert server.exchange().json["response_format"]["json_schema"] == {
        "name": "answer",
        "schema": LOOSE,
        "strict": False,
    }


def test_an_answer_of_another_shape_is_an_error_and_is_kept(server: Server) -> None:
    result = asked(server, SCHEMA, '{"age": "seven"}')

    assert (result.out, result.status) == ('{"age": "seven"}\n', 1)
    assert "does not fit the schema: $.age: 'seven' is not of type 'integer'" in result.err
    assert [line["text"] for line in journal() if line["type"] == "text"] == ['{"age": "seven"}']


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("{}", "does not fit the schema: .: 'age' is a required property"),
        ('{"age": NaN}', "is not JSON"),
        ("Seven.", "is not JSON"),
        ("```json\n{}\n```", "is not JSON"),
        ('{"age": "' + "x" * 999 + '"}', "xxx' is not of type 'integer'"),
    ],
)
def test_what_is_wrong_with_an_answer(answer: str, words: str) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        check_answer(answer, SCHEMA)
    assert len(caught.value.message) < 250


def test_an_answer_that_stopped_short_says_so_too(server: Server) -> None:
    result = asked(server, SCHEMA, '{"age":', finish="length")

    assert result.status == 1 and "stopped short" in result.err and "not JSON" in result.err


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ('{"type": "objekt"}', "is no JSON schema: .\\.type"),
        ('{"$ref": "http://127.0.0.1/x"}', "refers to http://127.0.0.1/x, which is not in it"),
        ('{"$ref": "#/$defs/gone"}', "which is not in it"),
        ("gone.json", "cannot be read"),
        ("{", "is not JSON"),
    ],
)
def test_a_schema_that_is_none(schema: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        schema_of(schema)


def test_a_schema_that_is_none_is_refused_before_anything_is_sent(server: Server) -> None:
    server.play(stream(chat_answer(["{}"])))
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "--schema", '{"$ref": "file:///x"}', "Who?")

    assert result.status == 2 and "Nothing is fetched" in result.err
    assert server.left == 1


def test_who_cannot_be_held_to_a_schema_is_only_checked() -> None:
    result = run("ask", "-m", "echo", "--schema", '{"required": ["model"]}', "Who?")

    assert result.status == 0 and "cannot be held to a schema" in result.err


def test_without_the_extra_one_line_says_how_to_get_it(server: Server) -> None:
    code = "import sys; sys.modules['jsonschema'] = None; sys.argv[0] = 'streamchat'\n"
    code += "from streamchat.__main__ import main; main()"
    said = run(
        "-c", code, "ask", "-m", "vllm/m", "--base-url", server.v1, "--schema", "{}", "x", command=(sys.executable,)
    )

    assert (said.status, server.exchanges) == (2, [])
    assert said.err == ("streamchat: --schema needs one more package\n  Install it: pip install 'streamchat[schema]'\n")
