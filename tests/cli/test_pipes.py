"""The contract for pipes, point by point, by the real program."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from tests.program import Program, Result, run
from tests.wire.answers import chat_answer
from tests.wire.scenario import Stall, Wait, stream
from tests.wire.server import Server

ECHO = ("ask", "-m", "echo")
HOSTILE = "a\x1b[31mred\u202e\x07\r\n\tbell `x`\n\n\n"


def ask(server: Server, *args: str, **how: object) -> Result:
    return run(*against(server), *args, **how)  # type: ignore[arg-type]


def against(server: Server) -> tuple[str, ...]:
    return ("ask", "-m", "vllm/m", "--base-url", server.v1)


def prompt_of(result: Result) -> str:
    content: str = json.loads(result.stdout)["messages"][-1]["content"]
    return content


def kept() -> list[dict[str, object]]:
    """The lines of the one conversation that was kept."""
    (path,) = Path(os.environ["XDG_DATA_HOME"]).rglob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


# 1. stdout carries the answer and nothing else


def test_stdout_is_the_answer_and_stderr_everything_else() -> None:
    result = run("ask", "-m", "replay/reasoning", "--speed", "0", "--usage", "Which?")

    assert result.status == 0
    assert result.out.startswith("**9.9 is larger.**\n") and result.out.endswith("of its own.\n")
    assert "decimals" not in result.out, "the reasoning is not the answer"
    assert "17 in" in result.err and "149 out" in result.err


def test_what_was_chosen_without_being_named_is_said_on_stderr(server: Server) -> None:
    server.play(stream(chat_answer(["Hi"])))
    result = run("ask", "-m", "gpt-x", "hello", env={"OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": server.v1})

    assert result.out == "Hi\n"
    assert result.err == "streamchat: asking openai/gpt-x: OPENAI_API_KEY is set\n"


# 2. into a pipe: byte for byte, flushed per delta, one final newline if missing


def test_the_text_goes_into_a_pipe_byte_for_byte(server: Server) -> None:
    server.play(stream(chat_answer(list(HOSTILE))))

    assert ask(server, "hello").stdout == HOSTILE.encode()


def test_a_missing_final_newline_is_added_once(server: Server) -> None:
    server.play(stream(chat_answer(["no end"])), stream(chat_answer(["an end\n"])))

    assert ask(server, "hello").stdout == b"no end\n"
    assert ask(server, "hello").stdout == b"an end\n"


def test_each_delta_leaves_at_once(server: Server) -> None:
    """The first word is in the pipe while the provider still holds back the second."""
    gate = threading.Event()
    packets = chat_answer(["first", " second"])
    server.play(stream(packets[:2], Wait(gate), packets[2:]))

    with Program(*against(server), "hello") as program:
        program.wait_for(b"first")
        gate.set()
        assert program.end().stdout == b"first second\n"


def test_safe_makes_it_fit_for_a_terminal_in_a_pipe_too(server: Server) -> None:
    server.play(stream(chat_answer([HOSTILE])))

    assert ask(server, "--safe", "hello").out == "a␛[31mred\ufffd␇\n\tbell `x`\n\n\n"


def test_raw_does_nothing_to_the_text_on_a_terminal(server: Server) -> None:
    server.play(stream(chat_answer([HOSTILE])))
    result = ask(server, "--raw", "hello", terminal=(80, 24), tty=("stdout",))

    assert result.screen == HOSTILE.replace("\n", "\r\n").encode(), "but for the terminal's own newlines"


def test_plain_wraps_between_words_on_a_terminal_and_renders_nothing(server: Server) -> None:
    words = "**word** " * 12
    server.play(stream(chat_answer(list(words))))
    lines = ask(server, "--plain", "hello", terminal=(30, 24), tty=("stdout",)).screen.decode().split("\r\n")

    assert lines == [*[" ".join(["**word**"] * 3) + " "] * 4, ""]


# 3. stdin: ignored where it says nothing, the prompt, or what comes before the instruction


@pytest.mark.parametrize("kind", ["null", "closed", "empty pipe"])
def test_a_stdin_that_says_nothing_is_ignored(kind: str) -> None:
    command = [sys.executable, "-m", "streamchat", *ECHO, "hello"]
    if kind == "closed":
        command = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command]
    with open(os.devnull) as null:
        done = subprocess.run(
            command,
            stdin=subprocess.PIPE if kind == "empty pipe" else null,
            capture_output=True,
            timeout=20,
        )

    assert json.loads(done.stdout)["messages"] == [{"role": "user", "content": "hello"}], done.stderr
    assert done.stderr == b""


def test_piped_text_without_a_question_is_the_question() -> None:
    assert prompt_of(run(*ECHO, stdin=b"Wie geht's?\n")) == "Wie geht's?"
    assert prompt_of(run("-m", "echo", stdin=b"bare words")) == "bare words"


def test_piped_text_comes_first_and_fenced_then_the_instruction() -> None:
    piped = "diff\n```py\nx\n```\n"

    assert prompt_of(run(*ECHO, "Explain", "this.", stdin=piped.encode())) == (
        "````\ndiff\n```py\nx\n```\n````\n\nExplain this."
    )


def test_a_file_on_stdin_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("x" * 300_000)
    with path.open("rb") as file:
        assert len(prompt_of(run(*ECHO, stdin=file.fileno()))) == 300_000


def test_what_is_not_text_on_stdin_is_refused_before_anything_is_sent() -> None:
    result = run(*ECHO, "What is this?", stdin=b"\x7fELF\0\0\0")

    assert (result.status, result.stdout) == (2, b"")
    assert "not text" in result.err and "--no-stdin" in result.err


def test_what_is_not_utf_8_on_stdin_is_said_and_sent_as_far_as_it_can_be_read() -> None:
    result = run("ask", "-m", "echo", stdin=b"caf\xe9 noir\n")

    assert prompt_of(result) == "caf\N{REPLACEMENT CHARACTER} noir"
    assert "not UTF-8 at byte 3" in result.err and "iconv" in result.err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_from_windows_comes_through_a_pipe_whole(encoding: str) -> None:
    result = run("ask", "-m", "echo", stdin="Größe\r\nund Gewicht\r\n".encode(encoding))

    assert (prompt_of(result), result.err) == ("Größe\r\nund Gewicht", "")


def test_a_hundred_megabytes_on_stdin_are_read_and_sent() -> None:
    result = run("ask", "-n", "-m", "replay/showcase", "--speed", "0", stdin=b"words and more words\n" * 5_000_000)

    assert (result.status, result.err) == (0, "")
    assert result.stdout.startswith(b"# Why the sea")


def test_a_pipe_without_an_end_is_given_up_before_memory_is() -> None:
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless:
        assert endless.stdout is not None
        result = run(*ECHO, stdin=endless.stdout.fileno())
        endless.kill()

    assert (result.status, result.stdout) == (2, b"")
    assert "more than 200 MB" in result.err and "head -c" in result.err


@pytest.mark.parametrize("name", ["C", "POSIX", "C.UTF-8", "xx_YY.ISO-8859-1"])
def test_whatever_the_locale_text_goes_in_and_out_whole(name: str) -> None:
    result = run(*ECHO, "Wörld 日本", stdin="größer 🙂".encode(), env={"LC_ALL": name, "LANG": name})

    assert result.status == 0
    assert "größer 🙂" in prompt_of(result) and "Wörld 日本" in prompt_of(result)


# 4. never hang


def test_an_idle_pipe_beside_a_question_is_given_up_after_three_seconds() -> None:
    reader, writer = os.pipe()
    try:
        result = run(*ECHO, "hello", stdin=reader)
    finally:
        os.close(reader), os.close(writer)

    assert prompt_of(result) == "hello"
    assert "--stdin" in result.err and "--no-stdin" in result.err and "3 s" in result.err


def test_after_one_byte_a_slow_pipe_is_read_to_its_end() -> None:
    """The producer goes on once the program has taken the first byte, whenever that is."""
    reader, writer = os.pipe()
    with Program(*ECHO, "hello", stdin=reader) as program:
        os.write(writer, b"slow ")
        os.close(reader)
        _until_empty(writer)
        os.write(writer, b"producer")
        os.close(writer)
        assert "slow producer" in prompt_of(program.end())


def test_no_stdin_ignores_the_pipe() -> None:
    assert prompt_of(run(*ECHO, "--no-stdin", "hello", stdin=b"not this")) == "hello"


# 5. the reader goes away


def test_a_reader_that_goes_away_stops_the_request_silently_and_what_came_is_kept(server: Server) -> None:
    gate, packets = threading.Event(), chat_answer(["line\n"] * 9)
    server.play(stream(packets[:2], Wait(gate), packets[2:6], Stall()))
    with Program(*against(server), "hello") as program:
        program.wait_for(b"line\n")
        program.hang_up()
        gate.set()
        result = program.end()

    assert (result.status, result.stderr) == (-signal.SIGPIPE, b"")
    assert server.exchange().closed.wait(10), "the upstream request goes on"
    assert kept()[-1]["stop_reason"] == "pipe_closed"
    assert any(line["type"] == "text" for line in kept())


def test_head_takes_a_line_and_a_shell_sees_141() -> None:
    line = (
        f"set -o pipefail; {sys.executable} -m streamchat ask -m replay/showcase hi | head -1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=20)

    assert done.stdout == b"# Why the sea comes and goes\n141\n"
    assert done.stderr == b""


# 6. chat with piped stdin takes the keyboard from the terminal: its tests stand with the REPL's


def _until_empty(pipe: int) -> None:
    """Until the program has taken everything out of the pipe."""
    deadline = time.monotonic() + 20
    while any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))):
        assert time.monotonic() < deadline, "nobody reads the pipe"
        os.sched_yield()
