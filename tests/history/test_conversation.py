"""A conversation in use: nothing before the first turn, everything from then on, and a tree that survives damage."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamchat.chat import Message, Options, Reply
from streamchat.errors import CutError, UsageError
from streamchat.events import Event, Text, Usage
from streamchat.history.conversation import Conversation
from tests.history.conversations import ANSWER, answered, one, texts, written


def test_there_is_no_file_before_the_first_turn(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path / "conversations", name="sky")
    assert not (tmp_path / "conversations").exists()

    answered(conversation, "Why?")

    assert conversation.path is not None
    year, month = conversation.created[:4], conversation.created[5:7]
    assert conversation.path == tmp_path / "conversations" / year / month / f"{conversation.id}.jsonl"
    assert Conversation.load(conversation.path).name == "sky"


def test_what_was_said_comes_back(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    options = Options(temperature=0.5, extra={"seed": 1})
    turn = conversation.begin("Why?", provider="openai", model="gpt-5", system="Be brief.", options=options)
    reply = Reply()
    for event in turn.record(ANSWER):
        reply.add(event)
    turn.end(reply)

    assert conversation.path is not None
    loaded = Conversation.load(conversation.path)
    last = loaded.last

    assert loaded.id == conversation.id
    assert loaded.messages() == (Message("user", "Why?"), Message("assistant", "Blue light\nscatters."))
    assert last is not None
    assert (last.model, last.system, last.options) == ("openai/gpt-5", "Be brief.", options)
    assert (last.reasoning, last.usage, last.stop_reason) == ("Let me see.", Usage(5, 7), "stop")
    assert tuple(event for _, event in last.timed()) == ANSWER
    assert loaded.notices == []


def test_each_event_is_on_disk_before_it_is_seen(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    turn = conversation.begin("Why?")
    seen = ""
    for event in turn.record([Text("a"), Text("b"), Text("c")]):
        assert isinstance(event, Text)
        seen += event.text
        assert conversation.path is not None
        assert texts(Conversation.load(conversation.path).turns()) == [("Why?", seen)]


def test_the_question_is_on_disk_before_the_first_event(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    conversation.begin("Why?", model="m")

    assert conversation.path is not None
    assert texts(Conversation.load(conversation.path).turns()) == [("Why?", "")]


def test_leaving_the_turn_closes_the_stream(tmp_path: Path) -> None:
    closed = []

    def stream() -> Iterator[Event]:
        try:
            yield Text("a")
            yield Text("b")
        finally:
            closed.append(True)

    recording = Conversation.new(tmp_path).begin("Why?").record(stream())
    next(recording)
    assert isinstance(recording, Iterator)
    recording.close()  # type: ignore[attr-defined]  # it is a generator

    assert closed == [True]


def test_a_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    for umask in (0o000, 0o022, 0o777):
        before = os.umask(umask)
        try:
            path = one(tmp_path / f"{umask:o}" / "conversations").path
        finally:
            os.umask(before)
        assert path is not None
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for parent in path.parents[:4]:
            assert stat.S_IMODE(parent.stat().st_mode) == 0o700


def test_a_file_with_loose_permissions_is_made_private(tmp_path: Path) -> None:
    path = one(tmp_path).path
    assert path is not None
    path.chmod(0o644)

    answered(Conversation.load(path), "And?")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    path = one(tmp_path / "c").path
    assert path is not None
    target = tmp_path / "target"
    path.rename(target)
    path.symlink_to(target)
    before = target.read_bytes()

    conversation = Conversation.load(path)
    turn = answered(conversation, "And?")

    assert target.read_bytes() == before
    assert conversation.trouble == f"this conversation is not being saved to {path}: it is a symbolic link"
    assert turn.text == "Blue light\nscatters."


def test_a_resumed_conversation_goes_on_in_its_file(tmp_path: Path) -> None:
    first = one(tmp_path, "One?")
    assert first.path is not None
    second = Conversation.load(first.path)
    answered(second, "Two?", Text("2"))

    assert texts(Conversation.load(first.path).turns()) == [("One?", "Blue light\nscatters."), ("Two?", "2")]


def test_a_file_without_its_last_newline_is_gone_on_with(tmp_path: Path) -> None:
    path = one(tmp_path).path
    assert path is not None
    path.write_bytes(path.read_bytes() + b'{"type":"text","te')

    answered(Conversation.load(path), "And?", Text("then"))
    loaded = Conversation.load(path)

    assert texts(loaded.turns())[-1] == ("And?", "then")
    assert loaded.notices == [f"1 line of {path} could not be read and was skipped"]


def test_the_system_prompt_is_written_when_it_changes(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    for system in (None, "A", "A", None):
        answered(conversation, "?", system=system)
    assert conversation.path is not None
    lines = [json.loads(line) for line in conversation.path.read_text().splitlines()]
    replies = [line for line in lines if line["type"] == "reply"]

    assert [line.get("system", "absent") for line in replies] == ["absent", "A", "absent", None]
    assert [turn.system for turn in Conversation.load(conversation.path).turns()] == [None, "A", "A", None]


def test_asking_again_makes_a_second_answer_beside_the_first(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    answered(conversation, "Name a colour.", Text("red"))
    answered(conversation, None, Text("blue"))
    assert conversation.path is not None
    loaded = Conversation.load(conversation.path)

    assert texts(loaded.turns()) == [("Name a colour.", "blue")]
    assert texts(loaded.every()) == [("Name a colour.", "red"), ("Name a colour.", "blue")]


def test_two_answers_may_arrive_at_once(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    first, second = conversation.begin("?", model="a"), conversation.begin(None, model="b")
    for number in range(3):
        first.add(Text(f"a{number}"))
        second.add(Text(f"b{number}"))
    second.end(Reply())
    first.end(Reply())
    assert conversation.path is not None

    assert texts(Conversation.load(conversation.path).every()) == [("?", "a0a1a2"), ("?", "b0b1b2")]
    assert all(turn.ended for turn in Conversation.load(conversation.path).every())
    assert first.messages() == second.messages() == (Message("user", "?"),)


def test_a_rewound_conversation_keeps_both_branches(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    first = answered(conversation, "1", Text("one"))
    answered(conversation, "2", Text("two"))
    conversation.rewind(first.id)
    assert conversation.path is not None
    assert texts(Conversation.load(conversation.path).turns()) == [("1", "one")]

    answered(conversation, "3", Text("three"))
    loaded = Conversation.load(conversation.path)

    assert texts(loaded.turns()) == [("1", "one"), ("3", "three")]
    assert texts(loaded.every()) == [("1", "one"), ("2", "two"), ("3", "three")]
    with pytest.raises(UsageError):
        conversation.rewind("nonsense")


def test_a_fork_is_a_file_of_its_own(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    answered(conversation, "1", Text("one"))
    fork = conversation.fork()
    assert fork.path is None
    answered(fork, "2", Text("two"))
    assert fork.path is not None
    assert conversation.path is not None
    loaded = Conversation.load(fork.path)

    assert fork.id != conversation.id
    assert texts(loaded.turns()) == [("1", "one"), ("2", "two")]
    assert loaded.head.forked is not None
    assert loaded.head.forked["conversation"] == conversation.id
    assert texts(Conversation.load(conversation.path).turns()) == [("1", "one")]


def test_a_name_is_appended(tmp_path: Path) -> None:
    path = one(tmp_path).path
    assert path is not None
    before = path.read_bytes()
    Conversation.load(path).rename("sky")

    assert path.read_bytes().startswith(before)
    assert Conversation.load(path).name == "sky"


def test_a_name_can_be_given_while_another_process_writes(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    turn = conversation.begin("?")
    assert conversation.path is not None
    turn.add(Text("a"))
    Conversation.load(conversation.path).rename("busy")
    turn.add(Text("b"))
    turn.end(Reply())
    loaded = Conversation.load(conversation.path)

    assert (loaded.name, texts(loaded.turns())) == ("busy", [("?", "ab")])


def test_the_second_process_on_a_conversation_is_told_and_goes_on_as_a_fork(tmp_path: Path) -> None:
    first = Conversation.new(tmp_path, name="tides")
    answered(first, "1", Text("one"))
    assert first.path is not None
    second = Conversation.load(first.path)
    answered(second, "2", Text("two"))

    assert second.path != first.path
    assert second.notices == [
        f"the conversation {first.id} is in use by another process; this goes on as its fork {second.id}"
    ]
    assert texts(Conversation.load(first.path).turns()) == [("1", "one")]
    assert second.path is not None
    assert (Conversation.load(first.path).name, Conversation.load(second.path).name) == ("tides", "")
    assert texts(Conversation.load(second.path).turns()) == [("1", "one"), ("2", "two")]


def test_what_another_process_added_meanwhile_becomes_a_branch(tmp_path: Path) -> None:
    path = one(tmp_path, "1").path
    assert path is not None
    mine, other = Conversation.load(path), Conversation.load(path)
    answered(other, "other", Text("o"))
    other.close()
    answered(mine, "mine", Text("m"))

    assert mine.notices == ["another process added to this conversation; this goes on beside that, as a branch"]
    assert texts(Conversation.load(path).turns())[1:] == [("mine", "m")]
    assert len(Conversation.load(path).every()) == 3


def test_a_closed_conversation_can_go_on(tmp_path: Path) -> None:
    conversation = one(tmp_path, "1")
    answered(conversation, "2", Text("two"))

    assert conversation.notices == []
    assert conversation.path is not None
    assert texts(Conversation.load(conversation.path).turns())[1:] == [("2", "two")]


def test_a_conversation_may_be_kept_in_memory_only(tmp_path: Path) -> None:
    conversation = Conversation.new(None)
    answered(conversation, "1", Text("one"))
    saved = one(tmp_path)
    assert saved.path is not None
    size = saved.path.stat().st_size
    resumed = Conversation.load(saved.path, save=False)
    answered(resumed, "2")

    assert conversation.messages() == (Message("user", "1"), Message("assistant", "one"))
    assert (conversation.path, conversation.trouble) == (None, None)
    assert saved.path.stat().st_size == size
    assert len(resumed.turns()) == 2


def test_what_is_sent_alternates(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    answered(conversation, "1", Text("one"))
    failed = conversation.begin("2")
    failed.end(Reply(), CutError("gone"))
    partial = conversation.begin("3")
    partial.add(Text("thr"))
    partial.end(Reply(), KeyboardInterrupt())
    last = conversation.begin("4")

    assert [message.content for message in last.messages()] == ["1", "one", "3", "thr", "4"]
    assert failed.ended is not None
    assert partial.ended is not None
    assert (failed.ended.stop_reason, failed.ended.error, failed.ending) == ("network", "gone", "cut by the network")
    assert (partial.ended.stop_reason, partial.ended.error, partial.ending) == ("interrupted", None, "interrupted")
    assert (last.stop_reason, last.ending) == (None, "unfinished")


Q = '{"type":"message","id":"%s","parent":%s,"content":"%s"}'
A = '{"type":"reply","id":"%s","parent":%s}'
T = '{"type":"text","text":"%s"}'


def test_a_file_made_by_hand_needs_no_ids(tmp_path: Path) -> None:
    conversation = written(
        tmp_path / "hand.jsonl",
        '{"type":"message","content":"1"}',
        '{"type":"message","role":"assistant","content":"one"}',
        '{"type":"message","content":"2"}',
        '{"type":"reply"}',
        T % "two",
    )

    assert [message.content for message in conversation.messages()] == ["1", "one", "2", "two"]
    assert conversation.id == "hand"


def test_a_lost_question_does_not_lose_its_answer(tmp_path: Path) -> None:
    conversation = written(
        tmp_path / "x.jsonl",
        Q % ("q", "null", "1"),
        A % ("a", '"q"'),
        T % "one",
        "torn",
        A % ("b", '"lost"'),
        T % "two",
    )

    assert [turn.text for turn in conversation.turns()] == ["one", "two"]
    assert "could not be read" in conversation.turns()[1].question.content


def test_a_lost_reply_line_does_not_lose_what_stands_before(tmp_path: Path) -> None:
    conversation = written(
        tmp_path / "x.jsonl",
        Q % ("q", "null", "1"),
        A % ("a", '"q"'),
        T % "one",
        Q % ("r", '"lost"', "2"),
        A % ("b", '"r"'),
        T % "two",
    )

    assert texts(conversation.turns()) == [("1", "one"), ("2", "two")]


def test_a_line_that_stands_twice_loses_nothing(tmp_path: Path) -> None:
    turn = Q % ("q", "null", "1"), A % ("a", '"q"'), T % "one"
    again = Q % ("q", '"a"', "2"), A % ("a", '"q"'), T % "two"
    conversation = written(tmp_path / "x.jsonl", *turn, *again, Q % ("r", '"a"', "3"))

    assert texts(conversation.turns()) == [("1", "one"), ("2", "two"), ("3", "")]


def test_thousands_of_messages_keep_apart(tmp_path: Path) -> None:
    lines = [f'{{"type":"message","role":"assistant","content":"{number}"}}' for number in range(60_000)]
    conversation = written(tmp_path / "x.jsonl", *lines)

    assert [message.content for message in conversation.messages()] == [str(number) for number in range(60_000)]


def test_a_circle_of_parents_ends(tmp_path: Path) -> None:
    conversation = written(tmp_path / "x.jsonl", Q % ("q", "null", "1"), A % ("a", '"q"'), Q % ("q", '"a"', "2"))

    assert len(conversation.turns()) <= 2


def test_a_newer_version_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    conversation = written(
        tmp_path / "x.jsonl",
        '{"type":"conversation","id":"x","version":99}',
        Q % ("q", "null", "1"),
        '{"type":"hologram"}',
    )

    assert texts(conversation.turns()) == [("1", "")]
    assert conversation.notices == [
        f"{tmp_path / 'x.jsonl'} was written by a newer streamchat; this one may not understand all of it"
    ]


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"hello\n"])
def test_a_file_that_is_no_conversation_is_said_to_be_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.jsonl").write_bytes(data)

    with pytest.raises(UsageError, match="holds no conversation"):
        Conversation.load(tmp_path / "x.jsonl")


def test_half_a_character_survives_and_joins_its_other_half(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path)
    answered(conversation, "\udcff", Text("\ud83d"), Text("\ude00\ud83d"))
    assert conversation.path is not None

    assert texts(Conversation.load(conversation.path).turns()) == [("\udcff", "😀\ufffd")]
    assert Conversation.load(conversation.path).messages()[0].content == "\ufffd"
