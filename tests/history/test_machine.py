"""A conversation on a disk that fails, heals and is torn, in any order: what is told to be saved can be read back."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from streamchat.errors import UsageError
from streamchat.events import Text
from streamchat.history import journal
from streamchat.history.conversation import Conversation
from tests.history.conversations import answered, one, texts

WORDS = st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5)
FAULTS = st.sampled_from([errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
RUBBISH = st.sampled_from(
    [b'{"type":"text","te', b"\0" * 100, b"\xff\xfe\n", b"[1, 2]\n", b'{"type":"unknown"}\n', b"\n\n"]
)


class Disk:
    """`os` for the journal: its calls fail as they are told to, and write no more than they are told to."""

    def __init__(self) -> None:
        self.faults: dict[str, int] = {}
        self.room: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def _call(self, name: str, *arguments: Any) -> Any:
        if name in self.faults:
            raise OSError(self.faults[name], os.strerror(self.faults[name]))
        return getattr(os, name)(*arguments)

    def open(self, *arguments: Any) -> int:
        return int(self._call("open", *arguments))

    def fdatasync(self, descriptor: int) -> None:
        self._call("fdatasync", descriptor)

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room is not None:
            data, self.room = data[: self.room], max(0, self.room - len(data))
            if not data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(self._call("write", descriptor, data))


class Saving(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.directory = Path(self.place.name)
        old = one(self.directory / "old")
        assert old.path is not None
        self.old, self.old_bytes = old.path, old.path.read_bytes()
        self.disk, self.os = Disk(), journal.os
        journal.os = self.disk  # type: ignore[assignment]
        self.conversation = Conversation.new(self.directory)
        self.told: list[tuple[str, str]] = []

    @rule(question=st.text(min_size=1, max_size=20), words=WORDS)
    def ask(self, question: str, words: list[str]) -> None:
        turn = answered(self.conversation, question, *map(Text, words))
        assert turn.text == "".join(words)
        self.told.append((question, "".join(words)))

    @rule(call=st.sampled_from(["write", "fdatasync", "open"]), fault=FAULTS)
    def fail(self, call: str, fault: int) -> None:
        self.disk.faults[call] = fault

    @rule(room=st.integers(0, 300))
    def fill(self, room: int) -> None:
        self.disk.room = room

    @rule()
    def heal(self) -> None:
        self.disk.faults.clear()
        self.disk.room = None

    @rule()
    def die(self) -> None:
        """The process ends without a word; another one goes on with what is on disk."""
        whole = self.conversation.trouble is None
        self._let_go()
        path = self.conversation.path
        if path is None or not path.exists() or not texts_of(path):
            assert not (whole and self.told)
            self.conversation, self.told = Conversation.new(self.directory), []
            return
        self.conversation = Conversation.load(path)
        found = texts(self.conversation.turns())
        if whole:
            assert found == self.told
        assert len(found) <= len(self.told)
        for (question, text), (asked, said) in zip(found, self.told, strict=False):
            assert question == asked
            assert said.startswith(text)
        self.told = found

    @precondition(lambda self: bool(self.told))
    @rule(rubbish=RUBBISH)
    def tear(self, rubbish: bytes) -> None:
        """A crash of the machine, or a hand, leaves something at the end of the file."""
        self.die()
        path = self.conversation.path
        if path is not None and self.told:
            torn = not path.read_bytes().endswith(b"\n")
            with path.open("ab") as file:
                file.write(b"\n" + rubbish if torn else rubbish)
            self.conversation = Conversation.load(path)

    @invariant()
    def what_was_answered_is_in_memory_and_what_is_told_to_be_saved_on_disk(self) -> None:
        assert texts(self.conversation.turns()) == self.told
        if self.told and self.conversation.trouble is None:
            assert self.conversation.path is not None
            assert texts_of(self.conversation.path) == self.told

    @invariant()
    def old_conversations_are_whole(self) -> None:
        assert self.old.read_bytes() == self.old_bytes

    def teardown(self) -> None:
        self._let_go()
        journal.os = self.os
        self.place.cleanup()

    def _let_go(self) -> None:
        held = self.conversation._journal
        if held is not None and held._fd is not None:
            os.close(held._fd)
            held._fd = None


def texts_of(path: Path) -> list[tuple[str, str]]:
    try:
        return texts(Conversation.load(path, save=False).turns())
    except UsageError:  # nothing of it is there, or nothing that can be read
        return []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
class TestSaving(Saving.TestCase):  # type: ignore[misc, valid-type, name-defined]
    settings = settings(max_examples=60, stateful_step_count=25)
