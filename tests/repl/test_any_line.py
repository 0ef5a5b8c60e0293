"""Whatever is typed at the prompt is answered or refused: no line, and nothing that is completed, ends the chat."""

import io
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from streamchat.chat import Options
from streamchat.choice import Choice, connect
from streamchat.config import load
from streamchat.history.conversation import Conversation
from streamchat.repl.commands.registry import commands
from streamchat.repl.completion import Completions
from streamchat.repl.keys import HELP
from streamchat.repl.loop import Repl
from streamchat.repl.picking import Search
from streamchat.repl.terminal import Terminal
from streamchat.repl.warming import WARMING
from streamchat.session import Session
from streamchat.views.choose import Look

NASTY = (
    *(
        "~nosuchperson",
        "~nosuchperson/",
        "~",
        "@~nosuchperson/x",
        "folder",
        "locked",
        "x\0y",
        "\0",
        "\udcff",
        "-1",
        "0",
        "1",
    ),
    *(
        "99999999999999999999999",
        "9" * 5000,
        "²",
        "٣",
        "*.txt",
        "[",
        "{}",
        '"',
        "'",
        "\\",
        "\x1b[2J",
        "echo/x",
        "nosuch/x",
        "/",
        "//",
        ":",
    ),
    *("@", "@@", "@-1", "@-0", "@folder", "a" * 5000, "off", "on", "all", "code", "temperature", "temperature x"),
    *("retries -1", "proxy x", "proxy http://[", "idle_timeout nan", "think 1e9", "max_tokens 0", "color blue"),
    *("notes.md", "notes.exe", ".", "..", "folder/..", "notes.txt", "@notes.txt @noise.bin", "noise.bin"),
)
WORDS = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_characters="/."), max_size=12))
LINES = st.one_of(
    st.builds("/{} {}".format, st.sampled_from([*commands(), "re", "x", ""]), WORDS),
    st.lists(WORDS, max_size=3).map(" ".join),
)


class Anyone:
    """A prompt whose person chooses by chance."""

    keys = HELP

    def __init__(self) -> None:
        self.chance = random.Random(7)
        self.draft = ""
        self.left = False
        """Whether none of the rows was chosen the last time: nothing is said of that."""
        self.drawn = threading.Event()
        self.drawn.set()

    def read(self, draft: Document) -> str | None:
        self.draft = draft.text
        return None

    def pick(self, title: str, rows: list[str] | Search) -> int | None:
        found = rows if isinstance(rows, list) else rows("tide")
        chosen = self.chance.choice([None, *range(len(found))])
        self.left = chosen is None
        return chosen

    def ahead(self) -> str:
        return ""

    def echo(self, text: str) -> None:
        pass


@contextmanager
def chat() -> Iterator[tuple[Repl, io.BytesIO]]:
    """A chat with a recorded answer, whose conversations are kept, and what it has written.

    What it loads behind the prompt is there when the chat ends: Hypothesis chooses the next lines by the `random` of
    the whole process, and refuses what it chose when an import takes a number of that meanwhile.
    """
    chosen = load(flags={"model": "replay/reasoning"})
    written = io.BytesIO()
    keys, keyboard = os.pipe()
    provider = connect(chosen, Choice("replay", "reasoning"))
    session = Session(provider, "reasoning", Conversation.new(Path("kept")), options=Options(extra={"speed": 0}))
    try:
        yield (
            Repl(
                session,
                chosen,
                Look(),
                terminal=Terminal(keys),
                prompt=lambda _: Anyone(),
                out=io.TextIOWrapper(written, encoding="utf-8", errors="replace"),
                extra={"extra": {"speed": 0}},
                directory=Path("kept"),
            ),
            written,
        )
    finally:
        for thread in threading.enumerate():
            if thread.name == WARMING:
                thread.join()
        session.conversation.close()
        os.close(keys)
        os.close(keyboard)


def answered(repl: Repl, written: io.BytesIO, before: int) -> bool:
    """Whether a person could see what became of a command."""
    assert isinstance(repl.prompt, Anyone)
    left, repl.prompt.left = repl.prompt.left, False
    return repl.leaving or bool(repl.typing.draft) or written.tell() > before or left


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files to be named, and nobody on the network."""
    monkeypatch.setattr("streamchat.discovery.servers", lambda *_, **__: [], raising=False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.setattr("os.fdatasync", lambda _: None)
    Path("folder").mkdir()
    Path("notes.txt").write_text("notes")
    Path("noise.bin").write_bytes(b"\0\1")


@pytest.mark.usefixtures("around")
@given(st.lists(LINES, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_no_line_ends_the_chat(lines: list[str]) -> None:
    with chat() as (repl, written):
        repl.handle("How do tides work?")
        for line in lines:
            before = written.tell()
            repl.handle(line)
            assert not line.startswith("/") or answered(repl, written, before), line


@pytest.mark.usefixtures("around")
@pytest.mark.parametrize("name", commands())
def test_every_command_bears_every_word(name: str) -> None:
    with chat() as (repl, written):
        for word in NASTY:
            if repl.conversation.last is None:
                repl.handle("How do tides work?")
            before = written.tell()
            repl.handle(f"/{name} {word}")
            assert answered(repl, written, before), word


@pytest.mark.usefixtures("around")
@given(LINES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_can_be_completed(text: str) -> None:
    with chat() as (repl, _):
        list(Completions(repl).get_completions(Document(text), CompleteEvent()))


@pytest.mark.usefixtures("around")
def test_a_stop_that_comes_when_the_answer_has_just_ended_keeps_what_is_queued_from_being_asked() -> None:
    with chat() as (repl, _):
        repl.handle("How do tides work?")
        repl.typing.queue = ["And why?", "/retry"]
        repl.stop.wanted = True
        repl.run()
        asked = [turn.question.content for turn in repl.conversation.every()]
        draft = repl.prompt.draft if isinstance(repl.prompt, Anyone) else ""
    assert (asked, draft) == (["How do tides work?"], "And why?\n/retry")
