"""The index and its query language: it follows the files, and may itself vanish at any time."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.errors import UsageError
from streamchat.events import Text
from streamchat.history.conversation import Conversation
from streamchat.history.index import Hit, Index
from streamchat.history.query import parse, spaced, unspaced
from streamchat.history.tree import now
from tests.history.conversations import answered

NOW = datetime(2026, 11, 22, 15, 30).astimezone()


def kept(directory: Path, *said: tuple[str, str], name: str = "") -> Path:
    conversation = Conversation.new(directory, name=name)
    for question, answer in said:
        answered(conversation, question, Text(answer))
    conversation.close()
    assert conversation.path is not None
    return conversation.path


def searched(directory: Path, query: str, index: Path | None = None) -> list[str]:
    """What was found, as `role: text`."""
    opened = Index(directory, index or directory.parent / "cache" / "index.db")
    try:
        opened.refresh()
        return [f"{hit.role}: {shown(hit)}" for hit in opened.search(parse(query))]
    finally:
        opened.close()


def shown(hit: Hit) -> str:
    return "".join(f"[{text}]" if found else text for text, found in hit.pieces)


SAID = (
    ("Why is the sea salty?", "Rivers carry salt: über Jahre."),
    ("Und auf Deutsch?", "Das Meer ist salzig, std::vector<int>."),
)
SALTY = "user: Why is the sea [salty]?"
SALZIG = "assistant: Das Meer ist [salzig], std::vector<int>."
MEER = "assistant: Das [Meer] ist salzig, std::vector<int>."
FOUND = {
    "salty": [SALTY],
    "SALTY why": ["user: [Why] is the sea [salty]?"],
    "salty rivers": [],
    "sal*": [SALZIG, "assistant: Rivers carry [salt]: über Jahre.", SALTY],
    '"the sea"': ["user: Why is [the sea] salty?"],
    '"sea the"': [],
    "uber": ["assistant: Rivers carry salt: [über] Jahre."],
    "sal* role:user": [SALTY],
    "sal* -rivers -role:user": [SALZIG],
    "std::vector": ["assistant: Das Meer ist salzig, [std::vector]<int>."],
    "meer model:m-1": [MEER],
    "meer model:echo/m-1": [MEER],
    "meer model:gpt": [],
    "meer after:today": [MEER],
    "meer before:2020": [],
    "meer after:1d before:2999": [MEER],
    "-salty role:user": ["user: Und auf Deutsch?"],
    '"unfinished': [],
    "ocean role:name": ["name: The [ocean]"],
}
TOKYO = {"東京": ["user: 私は[東京]に住む"], "京": ["user: 私は東[京]に住む"], "京東": []}
DATES = {
    "2026": (2026, 1, 1, 0),
    "2025-07": (2025, 7, 1, 0),
    "2025-7-9": (2025, 7, 9, 0),
    "today": (2026, 11, 22, 0),
    "yesterday": (2026, 11, 21, 0),
    "3d": (2026, 11, 19, 15),
    "12h": (2026, 11, 22, 3),
    "1y": (2025, 11, 22, 15),
}
BREAKS = ["deleted", "empty", "garbage", "garbled inside", "cut", "another version", "no tables"]


@pytest.mark.parametrize("query", FOUND)
def test_what_a_query_finds(tmp_path: Path, query: str) -> None:
    kept(tmp_path / "c", *SAID, name="The ocean")

    assert searched(tmp_path / "c", query) == FOUND[query]


@pytest.mark.parametrize("query", TOKYO)
def test_scripts_without_spaces_are_searched_by_their_characters(tmp_path: Path, query: str) -> None:
    kept(tmp_path / "c", ("私は東京に住む", "yes"))

    assert searched(tmp_path / "c", query) == TOKYO[query]


@given(st.text(st.characters(exclude_characters="\u200b")))
def test_the_seams_leave_no_trace(text: str) -> None:
    assert unspaced(spaced(text)) == text


@given(st.text(st.characters(codec=None)))
def test_no_query_breaks_the_index(text: str) -> None:
    try:
        query = parse(text, now=NOW)
    except UsageError:
        return
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE said USING fts5 (text, role, model)")
    if query.match:
        db.execute("SELECT * FROM said WHERE said MATCH ?", (query.match.encode(errors="replace").decode(),)).fetchall()
    db.close()


@pytest.mark.parametrize("text", DATES)
def test_dates(text: str) -> None:
    moment = datetime.fromisoformat(parse(f"after:{text}", now=NOW).after).astimezone()

    assert (moment.year, moment.month, moment.day, moment.hour) == DATES[text]


@pytest.mark.parametrize("query", ["before:soon", "after:2026-13", "after:20261", "before:2026-1-1-1", "role:pope"])
def test_a_query_that_means_nothing_is_refused(query: str) -> None:
    with pytest.raises(UsageError):
        parse(query)


def test_marks_cannot_be_forged(tmp_path: Path) -> None:
    kept(tmp_path / "c", ("a \x01fake\x02 sea", "yes"))

    assert searched(tmp_path / "c", "sea") == ["user: a  fake  [sea]"]


def test_it_follows_what_others_do_to_the_files(tmp_path: Path) -> None:
    directory = tmp_path / "c"
    first, second = kept(directory, ("one", "sea")), kept(directory, ("two", "sea"))
    assert searched(directory, "sea role:assistant") == ["assistant: [sea]"] * 2

    answered(Conversation.load(first), "three", Text("sea too"))
    assert len(searched(directory, "sea role:assistant")) == 3

    second.write_bytes(second.read_bytes().replace(b"sea", b"lake"))
    assert searched(directory, "lake") == ["assistant: [lake]"]

    shutil.copy(first, directory / "copied-by-hand.jsonl")
    assert len(searched(directory, "sea role:assistant")) == 4

    first.unlink()
    assert len(searched(directory, "sea role:assistant")) == 2


def _until_the_clock_moves() -> None:
    """Times are kept to the millisecond: what happens within one has no order."""
    before = now()
    while now() == before:
        pass


def test_the_last_used_conversation_comes_first(tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        paths.append(kept(tmp_path / "c", (f"sea {number}", "yes")))
        _until_the_clock_moves()
    answered(Conversation.load(paths[0]), "sea 3", Text("yes"))

    assert searched(tmp_path / "c", "sea") == [f"user: [sea] {number}" for number in (3, 0, 2, 1)]
    index = Index(tmp_path / "c", tmp_path / "cache" / "index.db")
    assert [entry.path for entry in index.entries()] == [paths[0], paths[2], paths[1]]
    assert [entry.turns for entry in index.entries(limit=2)] == [2, 1]
    index.close()


def broken(path: Path, how: str) -> None:
    match how:
        case "deleted":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "garbage":
            path.write_bytes(b"garbage" * 1000)
        case "garbled inside":
            data = bytearray(path.read_bytes())
            for place in range(4096, len(data), 512):
                data[place : place + 64] = b"\xff" * 64
            path.write_bytes(data)
        case "cut":
            path.write_bytes(path.read_bytes()[:5000])
        case "another version":
            db = sqlite3.connect(path)
            db.execute("PRAGMA user_version = 99")
            db.close()
        case "no tables":
            db = sqlite3.connect(path)
            db.execute("DROP TABLE rows")
            db.close()


@pytest.mark.parametrize("how", BREAKS)
def test_a_broken_index_is_built_again(tmp_path: Path, how: str) -> None:
    for number in range(20):
        kept(tmp_path / "c", (f"sea {number}", "yes " * 200))
    index = tmp_path / "cache" / "index.db"
    expected = searched(tmp_path / "c", "sea", index)
    broken(index, how)

    assert len(expected) == 20
    assert searched(tmp_path / "c", "sea", index) == expected


def test_an_index_that_cannot_be_written_is_made_in_memory(tmp_path: Path) -> None:
    kept(tmp_path / "c", ("sea", "yes"))
    (tmp_path / "cache").write_text("in the way")

    assert searched(tmp_path / "c", "sea") == ["user: [sea]"]


def test_a_large_build_tells_how_far_it_is(tmp_path: Path) -> None:
    for number in range(205):
        path = tmp_path / "c" / f"{number}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"type":"message","content":"sea"}\n')
    told: list[tuple[int, int]] = []
    index = Index(tmp_path / "c", tmp_path / "index.db", progress=lambda done, total: told.append((done, total)))
    index.refresh()
    index.refresh()
    index.close()

    assert told == [(0, 205), (200, 205), (205, 205)]


def test_the_index_is_private(tmp_path: Path) -> None:
    kept(tmp_path / "c", ("sea", "yes"))
    before = os.umask(0)
    try:
        index = Index(tmp_path / "c", tmp_path / "cache" / "index.db")
        index.refresh()
        files = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in (tmp_path / "cache").iterdir()}
        index.close()
    finally:
        os.umask(before)

    assert set(files.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_a_link_and_what_is_no_conversation_are_passed_over(tmp_path: Path) -> None:
    directory = tmp_path / "c"
    kept(directory, ("sea", "yes"))
    (directory / "link.jsonl").symlink_to(next(directory.rglob("*.jsonl")))
    (directory / "noise.jsonl").write_bytes(b"\xff\x00" * 100)
    os.mkfifo(directory / "pipe.jsonl")

    assert searched(directory, "sea") == ["user: [sea]"]


def test_eight_processes_build_it_together(tmp_path: Path) -> None:
    for number in range(50):
        kept(tmp_path / "c", (f"sea {number}", "yes"))
    code = (
        "import sys; from pathlib import Path; from streamchat.history.store import Store;"
        "store = Store(Path(sys.argv[1], 'c'), Path(sys.argv[1], 'cache')); print(len(store.search('sea')))"
    )
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) for _ in range(8)]

    assert [process.communicate()[0] for process in running] == [b"50\n"] * 8


def test_any_time_and_any_number_of_messages_have_their_place(tmp_path: Path) -> None:
    directory = tmp_path / "c"
    directory.mkdir()
    for number, time in enumerate(
        ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "soon", *["2026-01-01T00:00:00Z"] * 3]
    ):
        line = json.dumps({"type": "message", "role": "assistant", "content": "sea", "time": time}) + "\n"
        (directory / f"conversation{number}.jsonl").write_text(line * (23_000 if time.startswith("2026") else 1))

    assert len(searched(directory, "sea")) == 3 + 3 * 23_000


def test_half_a_character_is_no_trouble(tmp_path: Path) -> None:
    kept(tmp_path / "c", ("sea \udcff", "\ud83d"))

    assert searched(tmp_path / "c", "sea") == ["user: [sea] \ufffd"]
