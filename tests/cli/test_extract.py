"""`ask -x`: the code of an answer and nothing else, by the real program."""

import threading
from pathlib import Path

import pytest

from tests.cli.person import journal, seen
from tests.program import Program, run
from tests.wire.answers import chat_answer
from tests.wire.scenario import Wait, stream
from tests.wire.server import Server

ANSWER = ["Run:\n``", "`sh\nls", " -l\n```\nor\n\n```python\nprint(1)\n", "```\nThat is all.\n"]


def asked(server: Server, *args: str) -> tuple[str, ...]:
    server.play(stream(chat_answer(ANSWER)))
    return ("ask", "-m", "vllm/m", "--base-url", server.v1, *args)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("-x", "How?"), "ls -l\n"),
        (("How?", "-x"), "ls -l\n"),
        (("-x", "last", "How?"), "print(1)\n"),
        (("-x", "py", "How?"), "print(1)\n"),
        (("--extract=bash", "How?"), "ls -l\n"),
    ],
    ids=str,
)
def test_the_block_that_is_meant(server: Server, args: tuple[str, ...], code: str) -> None:
    """A word behind -x that names no language is the question's."""
    result = run(*asked(server, *args))

    assert (result.out, result.err, result.status) == (code, "", 0)
    assert server.exchange().json["messages"][-1]["content"] == "How?"


def test_code_streams(server: Server) -> None:
    """A line is there before the answer goes on."""
    gate = threading.Event()
    packets = chat_answer(ANSWER)
    server.play(stream(packets[:4], Wait(gate), packets[4:]))
    with Program("ask", "-m", "vllm/m", "--base-url", server.v1, "-x", "How?") as program:
        program.wait_for(b"ls -l\n")
        gate.set()
        assert program.end().out == "ls -l\n"


def test_code_goes_to_a_file_and_the_whole_answer_is_kept(server: Server) -> None:
    result = run(*asked(server, "-x", "python", "-o", "a.py", "How?"))

    assert (Path("a.py").read_text(), result.out) == ("print(1)\n", "print(1)\n")
    assert "".join(line["text"] for line in journal() if line["type"] == "text") == "".join(ANSWER)


def test_no_such_code_is_an_error_that_says_what_there_is(server: Server) -> None:
    result = run(*asked(server, "--extract=rust", "-o", "a.rs", "How?"))

    assert (result.out, result.status) == ("", 1)
    assert "no rust code" in result.err and "1 (sh), 2 (python)" in result.err
    assert not Path("a.rs").exists()


def test_a_terminal_sees_the_code_made_safe(server: Server) -> None:
    server.play(stream(chat_answer(["```\n\x1b[31mred\n```\n"])))
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "-x", "How?", terminal=(80, 24))

    assert seen(result) == ["␛[31mred"]


@pytest.mark.parametrize("args", [("-x", "--json"), ("-x", "--schema", "{}"), ("--extract=0",)], ids=str)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(server: Server, args: tuple[str, ...]) -> None:
    assert run(*asked(server, *args, "How?")).status == 2
    assert server.left == 1
