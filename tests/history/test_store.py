"""The store: what REF means, and what deleting leaves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streamchat.errors import UsageError
from streamchat.events import Text
from streamchat.history import records
from streamchat.history.conversation import Conversation
from streamchat.history.store import Store, copies, keep_copy
from streamchat.history.tree import instant
from tests.history.conversations import answered, one, texts


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "conversations", tmp_path / "cache") as opened:
        yield opened


def aged(directory: Path, name: str, days: int) -> Path:
    """A conversation that was last used so many days ago."""
    time = instant(datetime.now(UTC) - timedelta(days=days))
    path = directory / f"{name}.jsonl"
    directory.mkdir(exist_ok=True)
    question = records.Question("q", None, content=f"about {name}", time=time)
    path.write_bytes(records.encode(records.Head(name, 1, time)) + records.encode(question))
    return path


def test_what_a_ref_means(store: Store) -> None:
    first = aged(store.directory, "abcd111111", 3)
    second = aged(store.directory, "abce222222", 2)
    Conversation.load(first).rename("Tides")
    third = aged(store.directory, "wxyz333333", 1)

    assert store.find("abcd111111").path == first
    assert store.find("abcd").path == first
    assert store.find("ABCD1").path == first
    assert store.find("tides").path == first
    assert store.find("@-1").path == third
    assert store.find("@-2").path == second
    assert store.path(str(second)) == second


REFUSED = {
    "abc": "there is no conversation 'abc'",
    "nope": "there is no conversation 'nope'",
    "@-9": "there are only 3 conversations",
    "@-0": "there is no conversation '@-0'",
    "": "there is no conversation ''",
    "same": "'same' means more than one conversation",
}


@pytest.mark.parametrize("ref", REFUSED)
def test_a_ref_that_means_nothing_or_too_much(store: Store, ref: str) -> None:
    for name in ("abcd111111", "same222222", "same333333"):
        aged(store.directory, name, 1)

    with pytest.raises(UsageError) as caught:
        store.find(ref)

    assert caught.value.message == REFUSED[ref]
    assert caught.value.hint or ref == "@-9"


def test_a_name_nearly_right_is_suggested(store: Store) -> None:
    path = one(store.directory).path
    assert path is not None
    Conversation.load(path).rename("thermodynamics")

    with pytest.raises(UsageError) as caught:
        store.find("termodynamics")
    assert caught.value.hint == "Did you mean thermodynamics?"


def test_an_empty_store(store: Store) -> None:
    assert store.entries() == []
    with pytest.raises(UsageError, match="no such conversation yet"):
        store.find("@-1")
    with pytest.raises(UsageError, match="nothing to search"):
        store.search(" ")


def test_a_name_means_one_conversation(store: Store) -> None:
    aged(store.directory, "abcd111111", 2)
    aged(store.directory, "wxyz333333", 1)
    store.rename("abcd", "Tides")
    with pytest.raises(UsageError, match="already called"):
        store.rename("wxyz", "tides")
    store.rename("abcd", "tides")

    assert Conversation.load(store.path("abcd")).name == "tides"


def test_a_list_may_be_narrowed(store: Store) -> None:
    aged(store.directory, "tides11111", 40)
    aged(store.directory, "waves22222", 2)

    assert [entry.id for entry in store.entries("waves22222")] == ["waves22222"]
    assert [entry.id for entry in store.entries("after:7d")] == ["waves22222"]
    assert [entry.id for entry in store.old("30d")] == ["tides11111"]


def test_a_fork_is_kept_at_once_and_is_the_last_one(store: Store) -> None:
    conversation = one(store.directory, "One?")
    fork = store.fork("@-1", name="other")
    assert fork.path is not None

    with Store(store.directory, store.directory.parent / "cache") as again:
        assert again.find("@-1").id == fork.id
    assert Conversation.load(fork.path).name == "other"
    assert texts(Conversation.load(fork.path).turns()) == texts(conversation.turns())


def test_deleting_takes_the_words_out_of_every_file(tmp_path: Path, store: Store) -> None:
    secret, other = one(store.directory, "xylophone secret"), one(store.directory, "another")
    entry = store.find(secret.id)
    assert store.search("xylophone")

    assert store.delete([entry]) == []

    assert store.search("xylophone") == []
    assert [left.id for left in store.entries()] == [other.id]
    assert all(b"xylophone" not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_conversation_in_use_is_not_deleted(store: Store) -> None:
    conversation = Conversation.new(store.directory)
    conversation.begin("?")
    assert conversation.path is not None

    assert store.delete([store.find(conversation.id)]) == [conversation.path]
    assert conversation.path.exists()
    conversation.close()
    assert store.delete([store.find(conversation.id)]) == []


def test_a_copy_is_kept_current(tmp_path: Path, store: Store) -> None:
    conversation = Conversation.new(store.directory)
    answered(conversation, "Why is the sky blue, please?", Text("first"))
    before = keep_copy(conversation, tmp_path / "copies", "md")
    answered(conversation, "And?", Text("second"))
    after = keep_copy(conversation, tmp_path / "copies", "md")

    assert before == after
    assert after.name.endswith(f"-why-is-the-sky-blue-please-{conversation.id}.md")
    assert "second" in after.read_text()
    assert copies(store.find(conversation.id), tmp_path / "copies") == [after]
