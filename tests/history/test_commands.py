"""`streamchat history` as a person runs it: the real program, on pipes and on a terminal."""

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from streamchat.chat import Reply
from streamchat.events import Stop, Text
from streamchat.history.conversation import Conversation
from tests.history.conversations import answered, one
from tests.program import Program, Result, run

HOSTILE = "sea \x1b[31mred\x1b]0;title\x07 \u202eabc"


def history(*args: str, **how: object) -> Result:
    return run("history", *args, **how)  # type: ignore[arg-type]


@pytest.fixture
def directory() -> Path:
    return Path(os.environ["XDG_DATA_HOME"]) / "streamchat" / "conversations"


def said(result: Result) -> str:
    assert (result.status, result.err) == (0, "")
    return result.out


def test_the_list_is_in_order_and_as_json_too(directory: Path) -> None:
    first, second = one(directory, "What are tides?"), one(directory, "And waves?", "And wind?")
    lines = said(history()).splitlines()
    (top, other) = json.loads(said(history("list", "--json")))

    assert [line.split()[0] for line in lines] == [second.id, first.id]
    assert lines[0].endswith("  2  And waves?  (echo/m-1)")
    assert (top["id"], top["turns"], other["title"]) == (second.id, 2, "What are tides?")
    assert said(history("list", "-n", "1", "tides")).splitlines() == lines[1:]


def test_an_empty_history_says_so() -> None:
    result = history()

    assert (result.status, result.out, result.err) == (0, "", "streamchat: there is no conversation yet\n")
    assert json.loads(said(history("list", "--json"))) == []


def test_search_shows_words_in_their_context(directory: Path) -> None:
    conversation = Conversation.new(directory)
    answered(conversation, "What are tides?", Text("The Moon's pull\non the sea."))
    conversation.close()
    (hit,) = json.loads(said(history("search", "moon", "--json")))

    assert said(history("search", "sea", "role:assistant")).splitlines()[1] == "  model: The Moon's pull on the *sea*."
    assert (hit["conversation"], hit["role"], hit["found"]) == (conversation.id, "assistant", ["Moon"])
    assert history("search", "sun").out == ""


def test_words_are_bold_on_a_terminal(directory: Path) -> None:
    one(directory, "What are tides?")

    assert b"are \x1b[1mtides\x1b[0m" in history("search", "tides", terminal=(80, 24)).screen


def test_a_long_title_stays_on_one_line_of_the_terminal(directory: Path) -> None:
    one(directory, "潮 " * 100)
    (line,) = history(terminal=(60, 24)).screen.decode().split("\r\n")[:-1]

    assert line.endswith("…")
    assert sum(2 if character == "潮" else 1 for character in line) <= 60


def test_show_is_markdown_in_a_pipe_and_rendered_on_a_terminal(directory: Path) -> None:
    conversation = Conversation.new(directory, name="sea")
    answered(conversation, "What are tides?", Text("**Moon**"))
    conversation.close()
    screen = history("show", "sea", terminal=(80, 24)).screen

    assert "\n**Moon**\n" in said(history("show"))
    assert json.loads(said(history("show", "sea", "--json")))["messages"][1]["content"] == "**Moon**"
    assert b"> What are tides?" in screen
    assert b"Moon" in screen
    assert b"**Moon" not in screen


def test_the_tree_shows_all_branches(directory: Path) -> None:
    conversation = Conversation.new(directory)
    first = answered(conversation, "One?", Text("1"))
    answered(conversation, "Two?", Text("2"))
    conversation.rewind(first.id)
    last = answered(conversation, "Three?", Text("3"), Stop("length"))
    conversation.close()

    assert [line.rpartition("  (")[0] for line in said(history("show", "--tree")).splitlines()] == [
        "* One?  →  1",
        "    Two?  →  2",
        "*   Three?  →  3 (cut: length)",
    ]
    assert last.id in said(history("show", "--tree"))


def test_nothing_that_was_kept_steers_the_terminal(directory: Path) -> None:
    conversation = Conversation.new(directory, name=HOSTILE)
    turn = conversation.begin(HOSTILE, provider="p\x1b[2J", model="m\x1b[2J")
    turn.add(Text(HOSTILE))
    turn.end(Reply(), ValueError(HOSTILE))
    conversation.close()
    for command in (
        ["list"],
        ["search", "sea"],
        ["show"],
        ["show", "--tree"],
        ["play", "--speed", "0"],
        ["show", "--json"],
    ):
        screen = history(*command, terminal=(80, 24)).screen.decode()
        assert "\x1b[31m" not in screen
        assert "\x1b]0" not in screen
        assert "\x1b[2J" not in screen
        assert "\x07" not in screen
        assert "\u202e" not in screen
    assert "\x1b" not in said(history("list", "--json"))


def test_play_keeps_the_time_of_the_answer(directory: Path) -> None:
    path = directory / "abcd123456.jsonl"
    directory.mkdir(parents=True)
    lines = [
        {"type": "conversation", "id": "abcd123456", "version": 1, "created": "2026-01-02T03:04:05Z"},
        {"type": "message", "id": "q", "parent": None, "content": "Count."},
        {"type": "reply", "id": "a", "parent": "q", "model": "m"},
        {"type": "text", "text": "one ", "at": 0.1},
        {"type": "text", "text": "two", "at": 30.0},
        {"type": "end", "stop_reason": "stop", "elapsed": 30.0},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert said(history("play", "abcd", "--speed", "0")) == "Count.\n\none two\n\n"
    assert said(history("play", "abcd", "--speed", "60")) == "Count.\n\none two\n\n"
    with Program("history", "play", "abcd") as program:
        program.wait_for(b"one ")
        program.signal(2)
        result = program.end()
    assert b"two" not in result.stdout
    assert result.status == -2


def test_a_journal_is_a_recording_for_the_replay_provider(directory: Path) -> None:
    path = one(directory, "Why?").path
    result = run("ask", "-m", f"replay/{path}", "--opt", "speed=0", "again", "-n")

    assert result.out == "Blue light\nscatters.\n"


def test_export_import_and_go_on(directory: Path, tmp_path: Path) -> None:
    conversation = one(directory, "What are tides?")
    target = tmp_path / "tides.md"
    assert said(history("export", conversation.id, "-o", str(target))) == f"{target}\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.write_text(target.read_text().replace("Blue light", "Moonlight"))

    result = history("import", str(target))
    identity = result.out.split()[0]

    assert result.err == "streamchat: 1 imported\n"
    assert "Moonlight\nscatters." in said(history("show", identity))
    again = history("export", conversation.id, "-o", str(target))
    assert (again.status, again.err.splitlines()[0]) == (2, f"streamchat: {target} exists already")


def test_of_several_files_one_that_cannot_be_read_costs_the_others_nothing(directory: Path, tmp_path: Path) -> None:
    conversation = one(directory, "What are tides?")
    good = tmp_path / "tides.md"
    said(history("export", conversation.id, "-o", str(good)))

    result = history("import", "missing.json", str(good), __file__)

    assert (result.status, len(result.out.splitlines())) == (2, 1)
    assert [line for line in result.err.splitlines() if line.startswith("streamchat: ")] == [
        "streamchat: missing.json cannot be read: No such file or directory",
        f"streamchat: {__file__} holds no conversation that streamchat knows how to read",
        "streamchat: 1 imported",
    ]


def test_everything_can_be_exported(directory: Path, tmp_path: Path) -> None:
    made = {one(directory, "One?").id, one(directory, "Two?").id}
    said(history("export", "--all", "--format", "html", "-o", str(tmp_path / "out")))

    assert {file.name for file in (tmp_path / "out").iterdir()} == {f"{identity}.html" for identity in made}


@pytest.mark.parametrize("fmt", ["md", "json", "jsonl"])
def test_what_is_piped_in_is_imported(directory: Path, fmt: str) -> None:
    """By the shell's `<(...)` too: what such a pipe has given is not there a second time."""
    one(directory, "What are tides? " * 1000)
    text = said(history("export", "--format", fmt)).encode()

    for name in ("-", "/dev/stdin"):
        taken = history("import", name, stdin=text)
        assert (taken.status, taken.err) == (0, "streamchat: 1 imported\n"), name
    nothing = history("import", "-", stdin=b"")
    assert (nothing.status, "holds no conversation" in nothing.err) == (2, True)
    assert "what is piped in" in history("import", "-", terminal=(80, 24)).screen.decode()


def test_rename_fork_path(directory: Path) -> None:
    conversation = one(directory, "What are tides?")
    said(history("rename", conversation.id[:4], "tides"))
    fork = said(history("fork", "tides", "--name", "other")).strip()

    assert said(history("path", "TIDES")) == f"{conversation.path}\n"
    assert said(history("path")) == f"{directory}\n"
    assert fork != conversation.id
    assert said(history("path", "other")).endswith(f"{fork}.jsonl\n")


def test_delete_asks_first(directory: Path, tmp_path: Path) -> None:
    conversation, other = one(directory, "What are tides?"), one(directory, "Why?")
    assert conversation.path is not None
    alone = history("delete", conversation.id)
    assert (alone.status, conversation.path.exists()) == (2, True)
    assert "wants a yes" in alone.err

    refused = history("delete", conversation.id, terminal=(80, 24), stdin=b"n\n")
    assert (refused.status, conversation.path.exists()) == (1, True)
    agreed = history("delete", conversation.id, terminal=(80, 24), stdin=b"y\n")
    assert (agreed.status, conversation.path.exists()) == (0, False)
    assert b"1 conversation deleted" in agreed.screen

    gone = history("delete", other.id, "-y")
    assert gone.err == "streamchat: 1 conversation deleted; files that you saved or exported stay\n"
    assert history().out == ""


@pytest.mark.parametrize("keys", [b"n\r", b"\r", b"\x04", b"nonsense\r"], ids=["no", "enter", "ctrl-d", "nonsense"])
def test_what_is_no_yes_deletes_nothing_and_says_so(directory: Path, keys: bytes) -> None:
    conversation = one(directory, "What are tides?")
    assert conversation.path is not None
    with Program("history", "delete", "@-1", terminal=(80, 24)) as program:
        program.wait_for(b"Delete 1 conversation? [y/N] ")
        program.press(keys)
        refused = program.end()

    assert (refused.status, conversation.path.exists()) == (1, True)
    assert refused.screen.endswith(b"streamchat: nothing was deleted\r\n")
    assert b"itself" not in refused.screen


def test_ctrl_c_at_the_question_whether_to_delete_ends_it_as_everywhere(directory: Path) -> None:
    conversation = one(directory, "What are tides?")
    assert conversation.path is not None
    with Program("history", "delete", "@-1", terminal=(80, 24)) as program:
        program.wait_for(b"Delete 1 conversation? [y/N] ")
        program.press(b"\x03")
        stopped = program.end()

    assert (stopped.status, conversation.path.exists()) == (-signal.SIGINT, True)
    assert b"streamchat:" not in stopped.screen


def test_the_question_whether_to_delete_is_seen_where_stdout_goes_to_a_file(directory: Path) -> None:
    one(directory, "What are tides?")
    with Program("history", "delete", "@-1", terminal=(80, 24), tty=("stdin", "stderr")) as program:
        program.wait_for(b"[y/N] ")
        program.press(b"y\r")
        agreed = program.end()

    assert agreed.status == 0
    assert b"Delete" in agreed.screen and "Delete" not in agreed.out


def test_delete_names_the_transcripts_that_stay(directory: Path, tmp_path: Path) -> None:
    conversation = one(directory, "What are tides?")
    copy = tmp_path / f"2026-01-01-tides-{conversation.id}.md"
    copy.write_text("kept")
    result = history("delete", "@-1", "-y", env={"STREAMCHAT_HISTORY_TRANSCRIPT_DIR": str(tmp_path)})

    assert f"streamchat: its transcript stays: {copy}\n" in result.err
    assert copy.read_text() == "kept"


def test_prune_deletes_what_is_old(directory: Path) -> None:
    directory.mkdir(parents=True)
    for name, year in (("oldold1111", 2020), ("newnew2222", 2999)):
        head = {"type": "conversation", "id": name, "version": 1, "created": f"{year}-01-01T00:00:00Z"}
        question = {"type": "message", "content": "?", "time": f"{year}-01-01T00:00:00Z"}
        (directory / f"{name}.jsonl").write_text(f"{json.dumps(head)}\n{json.dumps(question)}\n")
    listed = said(history("prune", "--older-than", "1y", "--dry-run"))
    history("prune", "--older-than", "1y", "--yes")

    assert listed.startswith("oldold1111")
    assert [path.name for path in directory.iterdir()] == ["newnew2222.jsonl"]


MISTAKES = [
    (["show", "nope"], "there is no conversation 'nope'"),
    (["search"], "there is nothing to search for"),
    (["list", "before:soon"], "'soon' is no date"),
    (["import", "missing.json"], "missing.json cannot be read: No such file or directory"),
    (["import", __file__], f"{__file__} holds no conversation that streamchat knows how to read"),
]


@pytest.mark.parametrize(("args", "message"), MISTAKES)
def test_a_mistake_is_one_line_and_a_way_out(directory: Path, args: list[str], message: str) -> None:
    one(directory)
    result = history(*args)

    assert (result.status, result.out) == (2, "")
    assert result.err.splitlines()[0] == f"streamchat: {message}"
    assert len(result.err.splitlines()) <= 2


def test_a_large_history_shows_how_far_its_index_is(directory: Path) -> None:
    directory.mkdir(parents=True)
    for number in range(201):
        (directory / f"c{number:05d}.jsonl").write_text('{"type":"message","content":"hello"}\n')
    first, second = history(terminal=(80, 24)).screen, history(terminal=(80, 24)).screen

    assert "░  0/201".encode() in first
    assert b"/201" not in second


def test_what_is_to_be_redacted_is_in_no_file(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[history]\nredact = ["sk-\\\\w+"]\n')
    asked = run(
        "ask", "--config", str(config), "-m", "echo", "my key is sk-verysecret", "--save", str(tmp_path / "a.md")
    )
    home = Path(os.environ["HOME"])
    files = [file.read_bytes() for file in (*home.rglob("*"), tmp_path / "a.md") if file.is_file()]

    assert "sk-verysecret" in asked.out
    assert any(b"[redacted]" in data for data in files)
    assert all(b"sk-verysecret" not in data for data in files)
