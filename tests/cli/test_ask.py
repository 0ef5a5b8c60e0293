"""`streamchat ask`, by the real program: what it asks, what it shows, what it keeps, how it ends."""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program, Result, run
from tests.views.emulator import Emulator
from tests.wire.answers import chat_answer, messages_answer, openai_error_body, responses_answer
from tests.wire.scenario import Stall, document, stream
from tests.wire.server import Server

KEY = "sk-test-7f3a9c5e1b"
REPLAY = ("ask", "-m", "replay/reasoning", "--speed", "0")


def echoed(*args: str, **how: Any) -> Any:
    """What a provider is given."""
    result = run("ask", "-m", "echo", *args, **how)
    assert result.status == 0, result.err
    return json.loads(result.stdout)


def config(text: str) -> None:
    path = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def journal() -> list[dict[str, Any]]:
    (path,) = Path(os.environ["XDG_DATA_HOME"], "streamchat", "conversations").rglob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


# what is asked


def test_words_that_are_no_command_are_a_question() -> None:
    result = run("-m", "echo", "How", "do", "tides", "work?")

    assert json.loads(result.stdout)["messages"] == [{"role": "user", "content": "How do tides work?"}]


def test_one_word_close_to_a_command_is_not_a_paid_request() -> None:
    result = run("modles")

    assert (result.status, result.stdout) == (2, b"")
    assert "did you mean models" in result.err and "streamchat ask modles" in result.err


def test_every_way_of_asking_reaches_the_provider(tmp_path: Path) -> None:
    system = tmp_path / "system.txt"
    system.write_text("Answer in verse.\n")
    given = echoed(
        *("-s", f"@{system}", "-t", "0.5", "--max-tokens", "99", "--think", "high"),
        *("--opt", "seed=7", "--opt", "tag=a=b", "x"),
    )

    assert given["system"] == "Answer in verse."
    assert given["options"] == {
        "temperature": 0.5,
        "max_tokens": 99,
        "think": "high",
        "extra": {"seed": 7, "tag": "a=b"},
    }


def test_a_profile_and_an_alias_come_from_the_configuration() -> None:
    config('[profiles.poet]\nsystem = "verse"\ntemperature = 1.5\n[aliases]\nme = "echo/mirror"\n')
    result = run("ask", "-P", "poet", "-m", "me", "hello")
    given = json.loads(result.stdout)

    assert (given["model"], given["system"], given["options"]["temperature"]) == ("mirror", "verse", 1.5)


@pytest.mark.parametrize(
    ("args", "path", "answer"),
    [
        (("-m", "openai/m"), "/v1/responses", responses_answer(["Hi"])),
        (("-m", "vllm/m"), "/v1/chat/completions", chat_answer(["Hi"])),
        (("-m", "anthropic/m"), "/v1/messages", messages_answer(["Hi"])),
    ],
)
def test_each_wire_answers(server: Server, args: tuple[str, ...], path: str, answer: list[bytes]) -> None:
    """The vendor's own endpoint moved by configuration, as a gateway would be."""
    config(f'[providers.openai]\napi = "responses"\nbase_url = "{server.v1}"\n')
    server.play(stream(answer))
    base = server.url if "anthropic/m" in args else server.v1
    result = run("ask", *args, "--base-url", base, "hello", env={"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY})

    assert (result.out, result.status) == ("Hi\n", 0), result.err
    assert server.exchange().path == path


# what is shown


def test_jsonl_is_the_journal_s_vocabulary(server: Server) -> None:
    server.play(stream(chat_answer(["Hel", "lo"], reasoning=["hm"], usage=(3, 2))))
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "--format", "jsonl", "hello")
    lines = [json.loads(line) for line in result.out.splitlines()]

    assert [line["type"] for line in lines] == ["reply", "reasoning", "text", "text", "usage", "end"]
    assert "".join(line["text"] for line in lines if line["type"] == "text") == "Hello"
    assert (lines[0]["provider"], lines[0]["model"], lines[-1]["stop_reason"]) == ("vllm", "m", "stop")
    shared = {line["type"]: set(line) for line in lines if line["type"] in ("reasoning", "text", "usage")}
    assert shared == {line["type"]: set(line) for line in journal() if line["type"] in shared}


def test_json_is_one_object_also_for_an_answer_that_was_cut(server: Server) -> None:
    server.play(stream(chat_answer(["Hel", "lo"])[:2]))
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "--json", "hello")
    whole = json.loads(result.stdout)

    assert (whole["text"], whole["stop_reason"], result.status) == ("Hel", "network", 5)
    assert "cut" in whole["error"] and "cut" in result.err


def test_a_terminal_sees_the_answer_rendered_once_and_the_footer() -> None:
    screen = run(*REPLAY, "Which?", terminal=(80, 24)).screen.decode()

    assert screen.count("9.9 is larger.") >= 1 and "**" not in screen.rsplit("9.9 is larger.", 1)[1]
    assert "replay · reasoning" in screen and "149 out" in screen
    assert screen.count("whole number of its own") == 1


def test_quiet_leaves_the_answer_alone() -> None:
    result = run(*REPLAY, "-q", "Which?", terminal=(80, 24))

    terminal = Emulator(80, 24)
    terminal.write(result.screen.decode())
    assert "its own." in terminal.lines[-1]
    assert not any("replay" in line for line in terminal.lines)
    assert run(*REPLAY, "-q", "Which?").stderr == b""


def test_no_stream_prints_the_same_lines_as_streaming_leaves() -> None:
    showcase = ("ask", "-m", "replay/showcase", "--speed", "0")
    assert run(*showcase, "-S", "Why?").stdout == run(*showcase, "Why?").stdout
    whole = run(*showcase, "-S", "--format", "markdown", "-q", "Why?")
    streamed = run(*showcase, "--format", "markdown", "-q", "Why?")
    assert whole.stdout == streamed.stdout != b""


def test_dry_run_shows_the_request_without_the_key_and_sends_nothing(server: Server) -> None:
    server.play(stream(chat_answer(["Hi"])))
    result = run(
        *("ask", "-m", "openai/m", "--base-url", server.v1, "-s", "brief", "--dry-run", "hello"),
        env={"OPENAI_API_KEY": KEY},
    )
    shown = json.loads(result.stdout)

    assert shown["body"]["messages"][-1] == {"role": "user", "content": "hello"}
    assert shown["base_url"] == server.v1 and KEY not in result.out + result.err
    assert server.left == 1, "nothing was sent"


def test_the_speed_of_a_replay_is_in_no_request_to_anybody_else() -> None:
    """A vendor refuses a field that it does not know; one question may go to a replay and to others."""
    asked = run("ask", "-m", "echo", "-m", "replay/reasoning", "--speed", "0", "hello")

    assert asked.status == 0 and "9.9 is larger" in asked.out
    assert "speed" not in asked.out
    shown = run("ask", "-m", "replay/reasoning", "--speed", "0", "--dry-run", "hello")
    assert json.loads(shown.stdout)["body"]["speed"] == 0


# what is kept


def test_a_turn_is_in_the_journal_with_its_end() -> None:
    run(*REPLAY, "--name", "numbers", "Which?")
    lines = journal()

    assert lines[0]["type"] == "conversation" and lines[0]["version"] == 1
    assert next(line for line in lines if line["type"] == "message")["content"] == "Which?"
    assert "".join(line["text"] for line in lines if line["type"] == "text").startswith("**9.9 is larger.**")
    assert lines[-1]["type"] == "end" and lines[-1]["stop_reason"] == "stop"
    (path,) = Path(os.environ["XDG_DATA_HOME"]).rglob("*.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "again", [("ask", "-m", "echo", "--name", "Tides", "two"), ("history", "fork", "@-1", "--name", "tides ")]
)
def test_a_name_that_a_conversation_has_already_is_given_to_no_other_one(again: tuple[str, ...]) -> None:
    """It would mean neither of them from then on."""
    run("ask", "-m", "echo", "--name", "tides", "one")
    result = run(*again)

    assert (result.status, result.stdout) == (2, b"") and "already called" in result.err
    assert run("ask", "-m", "echo", "-r", "tides", "--name", "tides", "two").status == 0
    assert run("ask", "-m", "echo", "-n", "--name", "tides", "of none that is kept").status == 0


@pytest.mark.parametrize("name", ["@-1", " @-12 "])
def test_what_means_a_conversation_by_its_age_is_no_name(name: str) -> None:
    result = run("ask", "-m", "echo", "--name", name, "hello")

    assert (result.status, result.stdout) == (2, b"") and "is no name" in result.err


def test_a_name_of_blanks_is_none() -> None:
    run("ask", "-m", "echo", "--name", "tides", "one")
    assert run("history", "rename", "@-1", "  ").status == 0

    assert "one" in run("history").out and run("history", "path", "tides").status == 2


def test_no_save_keeps_nothing() -> None:
    assert run(*REPLAY, "-n", "Which?").status == 0
    assert not list(Path(os.environ["HOME"]).rglob("*.jsonl"))


def _words(text: str) -> list[str]:
    """The text of a transcript, or the deltas of one in JSON lines."""
    if not text.startswith('{"type"'):
        return [text]
    return [line["text"] for line in map(json.loads, text.splitlines()) if line["type"] == "text"]


@pytest.mark.parametrize("suffix", ["md", "json", "jsonl", "txt", "html"])
def test_save_writes_the_transcript_by_its_suffix(suffix: str) -> None:
    path = Path(f"talk.{suffix}")

    assert run(*REPLAY, "--save", str(path), "Which?").status == 0
    text = path.read_text()
    assert "Which?" in text and "".join(_words(text)).count("hundredths") >= 2
    if suffix == "json":
        assert json.loads(text)["messages"][0]["content"] == "Which?"


def test_a_readable_copy_of_each_conversation_is_kept_current(tmp_path: Path) -> None:
    """One file a conversation, with every turn, also of several models asked at once."""
    config(f'[history]\ntranscript_dir = "{tmp_path / "talks"}"\ntranscript_format = "md"\n')
    echo = ("ask", "-m", "echo", "--name", "tides")
    assert run(*echo, "first question").status == run("ask", "-c", "second question").status == 0
    (copy,) = (tmp_path / "talks").iterdir()
    assert "first question" in copy.read_text() and "second question" in copy.read_text()
    assert copy.stat().st_mode & 0o777 == 0o600
    run("ask", "-m", "echo", "-m", "echo/other", "both of you")
    assert len(list((tmp_path / "talks").iterdir())) == 2


def test_a_transcript_directory_that_cannot_be_used_does_not_cost_the_answer() -> None:
    config('[history]\ntranscript_dir = "/dev/null/talks"\n')
    result = run(*REPLAY, "Which?")

    assert result.status == 0 and result.out.startswith("**9.9")
    assert "/dev/null/talks" in result.err and len(result.err.splitlines()) == 1


def test_an_interrupted_answer_is_kept_shown_and_in_the_transcript(server: Server) -> None:
    server.play(stream(chat_answer(["some words", "never sent"])[:2], Stall()))
    result = run(
        *("ask", "-m", "vllm/m", "--base-url", server.v1, "--save", "talk.md", "-o", "answer.md", "hello"),
        after=b"some words",
    )

    assert (result.status, result.stdout, result.stderr) == (-signal.SIGINT, b"some words\n", b"")
    assert server.exchange().closed.wait(10)
    assert journal()[-1]["stop_reason"] == "interrupted"
    assert "some words" in Path("talk.md").read_text() and "interrupted" in Path("talk.md").read_text()
    assert not Path("answer.md").exists(), "half an answer replaces nothing"


def test_sigterm_keeps_what_came_and_dies_of_it(server: Server) -> None:
    server.play(stream(chat_answer(["some words", "never sent"])[:2], Stall()))
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "hello", after=b"some words", signal=signal.SIGTERM)

    assert (result.status, result.stdout, result.stderr) == (-signal.SIGTERM, b"some words\n", b"")
    assert journal()[-1]["stop_reason"] == "interrupted"


def test_ctrl_c_on_a_terminal_leaves_the_cursor_and_the_answer(server: Server) -> None:
    server.play(stream(chat_answer(["some **words**", "never sent"])[:2], Stall()))
    with Program("ask", "-m", "vllm/m", "--base-url", server.v1, "hello", terminal=(80, 24)) as program:
        program.wait_for(b"words")
        program.press(b"\x03")
        result = program.end()

    assert result.status == -signal.SIGINT
    assert result.screen.rfind(b"\x1b[?25h") >= result.screen.rfind(b"\x1b[?25l"), "the cursor is back"
    assert b"interrupted" in result.screen and b"Traceback" not in result.screen


def test_output_is_written_whole_and_never_over_a_file_unasked() -> None:
    assert run(*REPLAY, "-o", "answer.md", "Which?").status == 0
    assert Path("answer.md").read_text().startswith("**9.9 is larger.**")
    Path("answer.md").write_text("mine")
    refused = run(*REPLAY, "-o", "answer.md", "Which?")
    assert (refused.status, refused.stdout, Path("answer.md").read_text()) == (2, b"", "mine")
    assert run(*REPLAY, "-o", "answer.md", "--force", "Which?").status == 0
    assert Path("answer.md").read_text().startswith("**9.9")


def test_a_dash_is_stdout_and_makes_no_file_of_that_name() -> None:
    """For the answer, which is there anyway; what would be mixed with it there wants a file."""
    plain, dashed = run(*REPLAY, "Which?"), run(*REPLAY, "-o", "-", "Which?")
    assert (dashed.status, dashed.stdout, dashed.err) == (0, plain.stdout, "")
    exported = run("history", "export", "-o", "-")
    assert exported.stdout == run("history", "export").stdout and exported.status == 0
    for flag in ("--save", "--record"):
        refused = run(*REPLAY, flag, "-", "Which?")
        assert (refused.status, refused.stdout) == (2, b""), flag
        assert refused.err == "streamchat: - is no name of a file\n  stdout has the answer; name a file.\n"
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(("first", "second"), [("-o", "--save"), ("--save", "--record"), ("-o", "--record")])
def test_one_file_for_two_things_is_refused_before_anything_is_asked(first: str, second: str) -> None:
    refused = run(*REPLAY, first, "all.md", second, "./all.md", "--force", "Which?")

    assert (refused.status, refused.stdout) == (2, b"")
    assert refused.err.startswith("streamchat: all.md is named for two things\n")
    assert list(Path().iterdir()) == []


# how it ends


def test_a_missing_key_names_the_variable_and_how_to_go_without() -> None:
    result = run("ask", "-m", "anthropic", "hello")

    assert (result.status, result.stdout) == (3, b"")
    assert "ANTHROPIC_API_KEY" in result.err and "streamchat local install" in result.err
    assert len(result.err.splitlines()) == 2


def test_the_small_model_is_offered_where_no_model_is_named_and_not_in_place_of_one() -> None:
    with Program("ask", "hello", terminal=(80, 24)) as program:
        program.wait_for(b"[Y/n]")
        program.press(b"n\r")
        assert program.end().status == 2
    named = run("ask", "-m", "gpt-9", "hello", terminal=(80, 24))

    assert named.status == 2
    assert b"there is no provider to ask" in named.screen and b"[Y/n]" not in named.screen


@pytest.mark.parametrize(
    ("args", "near"),
    [(("-m", "antropic/x"), "anthropic"), (("--provider", "opnai"), "openai"), (("-P", "wrok"), "work")],
)
def test_a_wrong_name_is_answered_with_the_nearest(args: tuple[str, ...], near: str) -> None:
    config("[profiles.work]\ntemperature = 1\n")
    result = run("ask", *args, "hello")

    assert (result.status, result.stdout) == (2, b"")
    assert near in result.err


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [(401, "invalid_api_key", 3), (429, "rate_limit_exceeded", 4), (500, "server_error", 1), (404, "not_found", 1)],
)
def test_the_exit_code_says_what_went_wrong(server: Server, status: int, kind: str, code: int) -> None:
    server.play(document(openai_error_body("\x1b[31mBecause.", kind), status=status))
    result = run("ask", "-m", "vllm/m", "--base-url", server.v1, "--retries", "0", "hello")

    assert (result.status, result.stdout) == (code, b"")
    assert "Because." in result.err and "\x1b" not in result.err and "Traceback" not in result.err


def test_an_unknown_model_is_answered_with_the_nearest_names(server: Server) -> None:
    wrong = openai_error_body("The model does not exist", "invalid_request_error", "model_not_found")
    server.play(*[document(wrong, status=404)] * 2)
    near, far = (
        run("ask", "-m", f"vllm/{model}", "--base-url", server.v1, "hello") for model in ("gpt-5.1-mni", "zzzzzz")
    )

    assert near.status == 1 and "Nearest: gpt-5.1-mini" in near.err
    assert far.status == 1 and "streamchat models list vllm" in far.err


def test_strict_makes_a_short_answer_exit_code_six(server: Server) -> None:
    server.play(*[stream(chat_answer(["half an ans"], finish="length"))] * 2)
    there = ("ask", "-m", "vllm/m", "--base-url", server.v1)
    lenient, strict = run(*there, "hello"), run(*there, "--strict", "hello")

    assert (lenient.status, strict.status) == (0, 6)
    assert lenient.out == strict.out == "half an ans\n"
    assert "length" in lenient.err and "length" in strict.err


@pytest.mark.parametrize(("thoughts", "said"), [([], "is empty\n"), (["Hm."], "is empty: the model only thought\n")])
def test_an_answer_without_a_word_is_said_to_be_one(server: Server, thoughts: list[str], said: str) -> None:
    server.play(*[stream(chat_answer([], reasoning=thoughts))] * 3)
    there = ("ask", "-m", "vllm/m", "--base-url", server.v1)
    plain, quiet, strict = (run(*there, *flags, "hello") for flags in ((), ("-q",), ("--strict",)))

    assert (plain.out, quiet.out, strict.out) == ("", "", "")
    assert (plain.status, quiet.status, strict.status) == (0, 0, 6)
    assert plain.err.endswith(said) and said in strict.err
    assert quiet.err == ""


def test_usage_errors_are_one_line_and_the_way_out() -> None:
    for args in (
        ("ask", "--nope"),
        ("ask", "-t", "warm", "x"),
        ("ask",),
        ("ask", "--format", "yaml", "-m", "echo", "x"),
    ):
        result = run(*args, stdin=None)
        assert result.status == 2 and result.stdout == b"", args
        assert 1 <= len(result.err.splitlines()) <= 2 and "Traceback" not in result.err, result.err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_change_nothing_else(closed: str) -> None:
    """No file that is opened later takes the place of a closed stream."""
    command = ("/bin/sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "streamchat")
    result = run(*REPLAY, "-o", "answer.md", "Which?", command=command)

    assert result.status == 0, result
    assert Path("answer.md").read_text().startswith("**9.9")
    assert journal()[-1]["stop_reason"] == "stop"


def test_a_full_stdout_is_one_line_and_the_answer_is_kept() -> None:
    command = ("/bin/sh", "-c", 'exec "$@" >/dev/full', "sh", sys.executable, "-m", "streamchat")
    result = run(*REPLAY, "Which?", command=command)

    assert (result.status, result.err.splitlines()) == (
        1,
        [
            "streamchat: No space left on device",
            "  The output cannot take more. An answer is kept all the same: streamchat history show",
        ],
    )
    assert any(line["type"] == "text" for line in journal())


@pytest.mark.parametrize("flag", ["--output", "--save", "--record"])
def test_a_file_may_be_named_from_the_home_where_no_shell_says_so(flag: str) -> None:
    assert run(*REPLAY, f"{flag}=~/kept.md", "Which?").status == 0
    assert (Path(os.environ["HOME"]) / "kept.md").exists()


@pytest.mark.parametrize(("flag", "name"), [("-o", "a.txt"), ("--save", "a.md"), ("--record", "a.rec")])
def test_a_file_that_was_asked_for_and_is_not_there_is_in_the_exit_code(flag: str, name: str) -> None:
    """A script goes on with that file only where it is; the answer itself is shown all the same."""
    command = ("/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh", sys.executable, "-m", "streamchat")
    result = run("ask", "-m", "replay/showcase", "--speed", "0", "-n", flag, name, "Tides?", command=command)

    assert result.out.startswith("# Why the sea")
    assert (result.status, result.err) == (2, f"streamchat: {name} could not be written: File too large\n")
    assert list(Path().iterdir()) == []


def test_a_full_disk_does_not_cost_the_answer() -> None:
    result: Result = run(*REPLAY, "Which?", env={"XDG_DATA_HOME": "/dev/full/nowhere"})

    assert result.status == 0 and result.out.startswith("**9.9")
    assert len(result.err.splitlines()) == 1, result.err


def test_the_key_is_in_no_output_and_no_file(server: Server) -> None:
    server.play(
        stream(chat_answer(["Hi"])),
        document(openai_error_body(f"Incorrect API key provided: {KEY}", "invalid_api_key"), status=401),
    )
    for _ in range(2):
        result = run(
            *(
                "ask",
                "-m",
                "openai/m",
                "--base-url",
                server.v1,
                "--format",
                "jsonl",
                "--force",
                "--save",
                "t.json",
                "x",
            ),
            env={"OPENAI_API_KEY": KEY, "STREAMCHAT_DEBUG": "1"},
        )
        assert KEY not in result.out + result.err
    assert server.exchange().headers["authorization"] == f"Bearer {KEY}"
    for path in Path(os.environ["HOME"]).parent.rglob("*"):
        assert not path.is_file() or KEY not in path.read_text(errors="replace"), path


def test_a_question_is_written_in_the_editor(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "%s, and why?" "$(cat "$1")" > "$1"\n')
    editor.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    env = {"EDITOR": str(editor), "TMPDIR": str(tmp_path / "tmp")}
    with Program("ask", "-m", "echo", "-e", "How", terminal=(80, 24), env=env) as program:
        program.wait_for(b"How, and why?")

    assert run("ask", "-m", "echo", "-e", "How", env=env).status == 2
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("command", ["ask", "chat"])
def test_no_editor_is_opened_for_a_question_that_could_not_be_sent(tmp_path: Path, command: str) -> None:
    """What is written in it would be lost."""
    picture, editor, opened = tmp_path / "picture.png", tmp_path / "editor", tmp_path / "opened"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    editor.write_text(f'#!/bin/sh\ntouch {opened}; echo "a long text" > "$1"\n')
    editor.chmod(0o755)
    for model, file in (("echo", "gone.md"), ("replay", str(picture))):
        refused = run(command, "-m", model, "-e", "-f", file, terminal=(80, 24), env={"EDITOR": str(editor)})

        assert refused.status == 2, refused.screen
        assert not opened.exists(), (model, file)


def test_verbose_says_whom_where_and_with_which_key(server: Server) -> None:
    server.play(stream(chat_answer(["fine"])))
    key = "sk-0123456789abcdef"
    result = run("ask", "-v", "-m", "vllm/m", "--base-url", server.v1, "hello", env={"VLLM_API_KEY": key})

    assert f"asking vllm/m at {server.host}" in result.err
    assert "is kept in" in result.err
    assert key not in result.err
    assert result.out == "fine\n"


def test_a_proxy_that_refuses_is_named_and_not_the_provider_behind_it(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxy = f"127.0.0.1:{taken.getsockname()[1]}"
    asked = ("ask", "-m", "vllm/m", "--base-url", server.v1, "--retries", "0")
    result = run(*asked, "--proxy", f"http://me:hush@{proxy}", "hello")

    assert result.status == 5 and "hush" not in result.err
    told = f"streamchat: vllm ({server.host}): the proxy {proxy} refused the connection"
    assert result.err.splitlines()[0] == told


@pytest.mark.parametrize("model", ["nope/m", "m"])
def test_a_model_that_is_nobodys_is_named_where_nobody_is_there(model: str) -> None:
    config("[defaults]\ndiscover = false\n")
    result = run("ask", "-m", model, "hello")

    assert (result.status, result.stdout) == (2, b"")
    assert f"`{model}` does not say whose model it is" in result.err and "PROVIDER/MODEL" in result.err


def test_a_key_that_lies_in_the_directory_is_not_denied_and_how_to_use_it_is_told() -> None:
    config("[defaults]\ndiscover = false\n")
    Path(".env").write_text("GROQ_API_KEY=gsk-nearby\n")
    result = run("ask", "hello")

    assert (result.status, result.stdout) == (2, b"")
    assert "no key is set" not in result.err and "does not choose" in result.err
    assert result.err.endswith("  Name it: -m groq\n")
    assert run("ask", "-m", "m", "hello").err.endswith("  Name it: -m groq/m\n")
