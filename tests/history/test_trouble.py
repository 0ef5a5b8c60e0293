"""Disks that do not write: the answer goes on, the person is told once, and what can be saved is."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamchat.events import Text
from streamchat.history.conversation import Conversation
from tests.history.conversations import ANSWER, answered, one, texts

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def limited() -> Iterator[int]:
    """No file may grow beyond this size: a full disk, as far as a program can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield 1000
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_never_reaches_the_answer(tmp_path: Path, limited: int) -> None:
    conversation = Conversation.new(tmp_path)
    turn = answered(conversation, "?", *[Text(f"word{n} ") for n in range(100)])

    assert conversation.path is not None
    assert turn.text == "".join(f"word{n} " for n in range(100))
    assert conversation.trouble == f"this conversation is not being saved to {conversation.path}: file too large"
    assert len(conversation.messages()) == 2
    assert conversation.path.stat().st_size == limited


def test_a_disk_that_comes_back_gets_everything(tmp_path: Path, limited: int) -> None:
    conversation = Conversation.new(tmp_path)
    words = [Text(f"word{n} ") for n in range(100)]
    turn = conversation.begin("?")
    for _ in turn.record(words):
        pass
    assert conversation.trouble is not None

    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    answered(conversation, "and?", Text("more"))

    assert conversation.trouble is None
    assert conversation.path is not None
    loaded = Conversation.load(conversation.path)
    assert texts(loaded.turns()) == [("?", "".join(word.text for word in words)), ("and?", "more")]
    assert loaded.notices in ([], [f"1 line of {conversation.path} could not be read and was skipped"])


@pytest.mark.skipif(not AS_ROOT or sys.platform != "linux", reason="only root mounts a file system")
def test_a_full_file_system_never_reaches_the_answer(tmp_path: Path) -> None:
    mount = tmp_path / "tiny"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", mount], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        conversation = Conversation.new(mount)
        turn = answered(conversation, "?", *[Text("word " * 20) for _ in range(400)])
        assert turn.text == "word " * 8000
        assert conversation.trouble is not None
        assert conversation.trouble.endswith("no space left on device")
        assert conversation.path is not None
        assert Conversation.load(conversation.path).turns()[0].text.startswith("word word")
        conversation.close()
    finally:
        subprocess.run(["umount", mount], check=True)


@pytest.mark.parametrize("fault", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", ["write", "fdatasync", "open"])
def test_a_failing_call_never_reaches_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, fault: int
) -> None:
    def fails(*_: object) -> int:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, call, fails)
    conversation = Conversation.new(tmp_path)
    turn = answered(conversation, "?")
    trouble = conversation.trouble
    monkeypatch.undo()

    assert trouble is not None
    assert os.strerror(fault).lower() in trouble.lower()
    assert turn.text == "Blue light\nscatters."
    conversation.close()


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    conversation = Conversation.new(tmp_path / "data" / "conversations")
    turn = answered(conversation, "?")

    assert turn.text == "Blue light\nscatters."
    assert conversation.trouble is not None
    assert conversation.trouble.endswith(": not a directory")


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[None]:
    """Somebody who may not write in `closed`, and for whom permissions count: root is another user for a while."""
    (tmp_path / "closed").mkdir(mode=0o500)
    if AS_ROOT:
        os.seteuid(65534)
    yield
    if AS_ROOT:
        os.seteuid(0)


def test_a_directory_without_permission(tmp_path: Path, nobody: None) -> None:
    conversation = Conversation.new(tmp_path / "closed" / "conversations")
    answered(conversation, "?")

    assert conversation.trouble is not None
    assert conversation.trouble.endswith(": permission denied")


def test_a_directory_that_vanishes_is_told(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path / "c")
    turn = conversation.begin("?")
    for number, _ in enumerate(turn.record(ANSWER)):
        if number == 0:
            shutil.rmtree(tmp_path / "c")
    answered(conversation, "and?")

    assert conversation.trouble is not None
    assert conversation.trouble.endswith("it was deleted while it was in use")
    assert len(conversation.messages()) == 4


def test_a_fifo_in_the_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    conversation = one(tmp_path)
    assert conversation.path is not None
    conversation.path.unlink()
    os.mkfifo(conversation.path)
    answered(conversation, "and?")

    assert conversation.trouble is not None
    assert conversation.trouble.endswith("it is not a regular file")
