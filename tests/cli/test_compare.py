"""`ask -m A -m B`: several models asked at once, by the real program."""

import json
import signal
import threading
from typing import Any

import pytest

from tests.cli.person import config, conversations, journal, seen
from tests.program import Program, Result, run
from tests.wire.answers import chat_answer, openai_error_body
from tests.wire.scenario import Stall, Wait, document, stream
from tests.wire.server import Server

BOTH = ("ask", "-m", "one/a", "-m", "two/b")


@pytest.fixture
def servers(server: Server, other_server: Server) -> tuple[Server, Server]:
    """Two providers, `one` and `two`."""
    tables = [
        f'[providers.{name}]\nkind = "openai"\nbase_url = "{each.v1}"\nretries = 0\n'
        for name, each in (("one", server), ("two", other_server))
    ]
    config("\n".join(tables))
    return server, other_server


def answers(servers: tuple[Server, Server], one: list[str], two: list[str]) -> None:
    for server, deltas in zip(servers, (one, two), strict=True):
        server.play(stream(chat_answer(deltas)))


def replies(lines: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """What the journal has of each: its text and how it ended."""
    names = {line["id"]: line["model"] for line in lines if line["type"] == "reply"}
    found = dict.fromkeys(names.values(), ("", ""))
    latest = ""
    for line in lines:
        latest = line["id"] if line["type"] == "reply" else latest
        name = names.get(line.get("reply", latest), "")
        if line["type"] == "text":
            found[name] = (found[name][0] + line["text"], found[name][1])
        elif line["type"] == "end":
            found[name] = (found[name][0], line["stop_reason"])
    return found


def test_a_pipe_gets_labelled_sections_in_order(servers: tuple[Server, Server]) -> None:
    answers(servers, ["On", "e."], ["Two.\n"])
    result = run(*BOTH, "-u", "Who?")

    assert (result.out, result.status) == ("==> one/a <==\nOne.\n\n==> two/b <==\nTwo.\n", 0)
    first, second = result.err.splitlines()
    assert first.startswith("streamchat: one/a: 12 in · 4 cached · 5 out") and "two/b: 12 in" in second


def test_all_are_asked_at_once_and_kept_as_answers_to_one_question(servers: tuple[Server, Server]) -> None:
    """Neither is answered before both were asked; the second ends before the first."""
    gates = threading.Event(), threading.Event()
    for server, gate in zip(servers, gates, strict=True):
        server.play(stream(Wait(gate), chat_answer([server.host])))
    with Program(*BOTH, "Who?") as program:
        assert [server.exchange().json["messages"] for server in servers] == [[{"role": "user", "content": "Who?"}]] * 2
        gates[1].set()
        assert servers[1].exchange().played.wait(10)
        gates[0].set()
        assert program.end().status == 0

    lines = journal()
    asked = [line for line in lines if line["type"] in ("message", "reply")]
    assert [line["type"] for line in asked] == ["message", "reply", "reply"]
    assert {line["parent"] for line in asked[1:]} == {asked[0]["id"]}
    assert replies(lines) == {"a": (servers[0].host, "stop"), "b": (servers[1].host, "stop")}
    assert lines[-1] == {"type": "head", "id": asked[1]["id"]}, "it goes on with the first"


def test_one_that_fails_does_not_stop_the_others(servers: tuple[Server, Server]) -> None:
    """The exit code is the worst, and the conversation goes on with the one that came."""
    servers[0].play(document(openai_error_body("slow down", "rate_limit"), status=429))
    servers[1].play(stream(chat_answer(["Two."])))
    result = run(*BOTH, "Who?")

    assert (result.out, result.status) == ("==> one/a <==\n\n==> two/b <==\nTwo.\n", 4)
    assert result.err.startswith("streamchat: one/a: ") and "slow down" in result.err
    assert replies(journal()) == {"a": ("", "error"), "b": ("Two.", "stop")}


def test_lines_name_their_model(servers: tuple[Server, Server]) -> None:
    answers(servers, ["One."], ["Two."])
    lines = [json.loads(line) for line in run(*BOTH, "--format", "jsonl", "Who?").out.splitlines()]

    for number, (provider, model, text) in enumerate((("one", "a", "One."), ("two", "b", "Two.")), 1):
        own = [line for line in lines if line["answer"] == number]
        assert {(line["provider"], line["model"]) for line in own} == {(provider, model)}
        assert [line["type"] for line in own] == ["reply", "text", "usage", "end"]
        assert own[1]["text"] == text and own[-1]["stop_reason"] == "stop"


def test_json_is_a_list_also_with_one_that_failed(servers: tuple[Server, Server]) -> None:
    servers[0].play(stream(chat_answer(["One."])[:2]))
    servers[1].play(stream(chat_answer(["Two."])))
    result = run(*BOTH, "--json", "Who?")
    one, two = json.loads(result.out)

    assert (one["text"], one["stop_reason"], two["text"], two["error"]) == ("One.", "network", "Two.", None)
    assert "cut" in one["error"] and result.status == 5


def test_a_wide_terminal_has_columns(servers: tuple[Server, Server]) -> None:
    answers(servers, ["# Tides\n\nThe *Moon* pulls.\n\n- near\n", "- heavy"], ["x" * 70 + "\n\n```py\nprint(1)\n```"])
    lines = seen(run(*BOTH, "Who?", terminal=(100, 30)), 100, 30)

    assert lines[0] == "one/a" + " " * 44 + "│ two/b"
    assert lines[1] == "─" * 49 + "┼" + "─" * 49
    left, right = zip(*(line.ljust(100).split("│") for line in lines[2 : lines.index(lines[1], 2)]), strict=True)
    assert [row.strip() for row in left if row.strip()] == ["Tides", "The Moon pulls.", "• near", "• heavy"]
    assert [row.strip() for row in right if row.strip()] == ["x" * 48, "x" * 22, "── 1 · py", "print(1)"]
    assert [line.index("│") for line in lines if "│" in line] == [49] * sum("│" in line for line in lines)
    assert lines[-1].count("12 in · 4 cached · 5 out") == 2


def test_columns_show_what_went_wrong_and_scroll_past_the_screen(servers: tuple[Server, Server]) -> None:
    """Everything of the long answer is above, once; the error stands in its own column."""
    servers[0].play(document(openai_error_body("no such thing", "x"), status=404))
    servers[1].play(stream(chat_answer([f"row {number}\n\n" for number in range(40)])))
    result = run(*BOTH, "Who?", terminal=(90, 12))
    lines = seen(result, 90, 12)

    assert result.status == 1
    assert "no such thing" in " ".join(line.partition("│")[0].strip() for line in lines)
    rows = [row for line in lines if (row := line.partition("│")[2].strip()).startswith("row")]
    assert rows == [f"row {number}" for number in range(40)]


def test_a_narrow_terminal_has_one_under_the_other(servers: tuple[Server, Server]) -> None:
    answers(servers, ["*One*."], ["*Two*."])
    lines = [line for line in seen(run(*BOTH, "Who?", terminal=(80, 24))) if line]

    assert [lines[0], lines[1], lines[3], lines[4]] == ["── one/a ──", "One.", "── two/b ──", "Two."]
    assert lines[2].startswith("one · a · 12 in") and lines[5].startswith("two · b · 12 in")


@pytest.mark.parametrize(("columns", "flags"), [(80, ()), (160, ("--accessible",)), (100, ("-q",)), (100, ())])
def test_why_one_failed_is_said_once_however_they_are_shown(
    columns: int, flags: tuple[str, ...], servers: tuple[Server, Server]
) -> None:
    servers[0].play(stream(chat_answer(["One."])))
    servers[1].play(document(openai_error_body("broken-to-bits", "x"), status=500))
    result = run(*BOTH, *flags, "Who?", terminal=(columns, 24))

    assert result.status == 1
    assert "".join(seen(result, columns)).count("broken-to-bits") == 1


def test_accessible_is_one_under_the_other_without_redrawing(servers: tuple[Server, Server]) -> None:
    answers(servers, ["One."], ["Two."])
    screen = run(*BOTH, "--accessible", "Who?", terminal=(160, 24)).screen

    assert b"\x1b[A" not in screen and b"\x1b[J" not in screen and b"?2026" not in screen
    assert screen.index(b"One.") < screen.index("── two/b ──".encode()) < screen.index(b"Two.")


@pytest.mark.parametrize("terminal", [None, (100, 24)])
def test_ctrl_c_stops_all_and_keeps_what_came(servers: tuple[Server, Server], terminal: tuple[int, int] | None) -> None:
    for server, name in zip(servers, ("one", "two"), strict=True):
        server.play(stream(chat_answer([f"{name} begun "], finish=None, usage=None, done=False), Stall()))
    with Program(*BOTH, "Who?", terminal=terminal) as program:
        program.wait_for(b"one begun")
        assert all(server.exchange() for server in servers)
        program.signal(signal.SIGINT)
        assert program.end().status == -signal.SIGINT

    assert all(server.exchange().closed.wait(10) for server in servers)
    assert {ended for _, ended in replies(journal()).values()} == {"interrupted"}
    assert replies(journal())["a"][0] == "one begun "


def test_a_reader_that_leaves_stops_all(servers: tuple[Server, Server]) -> None:
    gate = threading.Event()
    packets = chat_answer(["begun "] + ["more "] * 3)
    servers[0].play(stream(packets[:2], Wait(gate), packets[2:4], Stall()))
    servers[1].play(stream(Stall()))
    with Program(*BOTH, "Who?") as program:
        program.wait_for(b"begun")
        program.hang_up()
        gate.set()
        result = program.end()

    assert (result.status, result.stderr) == (-signal.SIGPIPE, b"")
    assert replies(journal())["a"][1] == "pipe_closed"


@pytest.mark.parametrize("args", [("-o", "x"), ("--dry-run",)], ids=str)
def test_what_is_for_one_answer_is_refused(servers: tuple[Server, Server], args: tuple[str, ...]) -> None:
    result = run(*BOTH, "Who?", *args)

    assert result.status == 2 and "several models are asked" in result.err
    assert not conversations().exists()


def test_several_can_be_asked_in_a_conversation_that_goes_on(servers: tuple[Server, Server]) -> None:
    """With what came before; the conversation goes on with the first of them."""
    servers[0].play(stream(chat_answer(["Hi."])), stream(chat_answer(["One."])), stream(chat_answer(["Good."])))
    servers[1].play(stream(chat_answer(["Two."])))
    run("ask", "-m", "one/a", "Hello")
    assert run(*BOTH, "-c", "Who?").status == 0
    run("ask", "-c", "And?")

    said = ["Hello", "Hi.", "Who?"]
    assert [[each["content"] for each in server.exchanges[-1].json["messages"]] for server in servers] == [
        [*said, "One.", "And?"],
        said,
    ]


def test_a_terminal_that_becomes_too_narrow_gets_one_under_the_other(servers: tuple[Server, Server]) -> None:
    """A row about each while they come; both whole, in the new width, when they are there."""
    gate = threading.Event()
    for server, name in zip(servers, ("First", "Second"), strict=True):
        packets = chat_answer([f"{name} begins. ", "word " * 20 + "end."])
        server.play(stream(packets[:2], Wait(gate), packets[2:]))
    with Program(*BOTH, "Who?", terminal=(100, 24)) as program:
        program.wait_for(b"Second begins.")
        program.resize(50, 24)
        program.wait_for(b"two/b: ")
        gate.set()
        screen = program.end().screen.decode()

    lines = seen(Result(b"", b"", 0, screen[screen.index("two/b: ") :].encode()), 50)
    one, two = lines.index("one/a"), lines.index("two/b")
    assert " ".join(lines[one + 2 : two]).startswith("First begins. word") and lines[one + 2].count("word") < 8
    assert " ".join(lines[two:]).count("word") == 20 and not any("│" in line for line in lines[one:])
