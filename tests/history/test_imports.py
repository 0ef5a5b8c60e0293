"""Conversations from elsewhere come in as they were."""

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest

from streamchat.chat import Attachment
from streamchat.errors import UsageError
from streamchat.events import Text
from streamchat.history import formats
from streamchat.history.conversation import Conversation
from streamchat.history.imports import read
from streamchat.history.store import Store
from tests.history.conversations import answered, texts


def imported(path: Path) -> list[Conversation]:
    """Imported, and loaded again from disk."""
    with Store(path.parent / "conversations", path.parent / "cache") as store:
        added = [store.add(draft) for draft in read(path)]
    return [Conversation.load(conversation.path) for conversation in added if conversation and conversation.path]


def node(identity: str, parent: str | None, role: str, *parts: object, **more: Any) -> dict[str, Any]:
    content = more.pop("content", {"content_type": "text", "parts": list(parts)})
    about = {"model_slug": "gpt-9"} if role == "assistant" else {}
    message = {
        "author": {"role": role},
        "content": content,
        "create_time": 1.7e9,
        "metadata": about | more.pop("metadata", {}),
        **more,
    }
    return {"id": identity, "parent": parent, "children": [], "message": message}


PNG = Attachment("a.png", "image/png", b"\x89PNG")
THOUGHTS = {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "Hm."}]}
PICTURE = {"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "And this?"]}
CHATGPT = [
    {
        "title": "Tides",
        "conversation_id": "c-1",
        "create_time": 1.7e9,
        "current_node": "g",
        "mapping": {
            "root": {"id": "root", "parent": None, "message": None},
            "a": node("a", "root", "system", "hidden", metadata={"is_visually_hidden_from_conversation": True}),
            "b": node("b", "a", "user", "Why?"),
            "other": node("other", "b", "assistant", "An answer that was made again."),
            "c": node("c", "b", "assistant", content=THOUGHTS),
            "d": node("d", "c", "assistant", recipient="python", content={"content_type": "code", "text": "1+1"}),
            "e": node("e", "d", "assistant", "The Moon."),
            "f": node("f", "e", "user", content=PICTURE),
            "g": node("g", "f", "assistant", "A picture."),
        },
    }
]
CLAUDE = [
    {
        "uuid": "u-1",
        "name": "Letters",
        "created_at": "2026-01-02T03:04:05.678901Z",
        "chat_messages": [
            {
                "sender": "human",
                "text": "Look:",
                "created_at": "2026-01-02T03:04:05Z",
                "content": [],
                "attachments": [{"file_name": "a.txt", "extracted_content": "alpha"}],
                "files": [{"file_name": "b.png"}],
            },
            {
                "sender": "assistant",
                "text": "old",
                "created_at": "2026-01-02T03:04:06Z",
                "content": [
                    {"type": "thinking", "thinking": "Hm."},
                    {"type": "text", "text": "Nice."},
                    {"type": "tool_use"},
                ],
            },
        ],
    }
]


def test_a_chatgpt_export(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps(CHATGPT))
    (conversation,) = imported(path)
    first, second = conversation.turns()

    assert texts([first, second]) == [("Why?", "The Moon."), ("[image]\n\nAnd this?", "A picture.")]
    assert (first.reasoning, first.model, first.stop_reason) == ("Hm.", "openai/gpt-9", "stop")
    assert (conversation.name, conversation.created) == ("Tides", "2023-11-14T22:13:20.000Z")
    assert conversation.path is not None
    assert conversation.path.parent == tmp_path / "conversations" / "2023" / "11"


def test_a_claude_export_in_its_zip_file(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("users.json", "[]")
        archive.writestr("data/conversations.json", json.dumps(CLAUDE))
    (conversation,) = imported(path)

    assert texts(conversation.turns()) == [("Look:\n\na.txt:\n\nalpha\n\n[b.png]", "Nice.")]
    assert conversation.turns()[0].reasoning == "Hm."
    assert (conversation.name, conversation.created) == ("Letters", "2026-01-02T03:04:05.678Z")


def test_the_same_export_twice_comes_in_once(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([*CHATGPT, *CLAUDE]))

    assert len(imported(path)) == 2
    assert imported(path) == []


UNTIL_031 = """
CREATE TABLE conversations (id, name, model);
CREATE TABLE responses (id, model, prompt, system, response, conversation_id, duration_ms, datetime_utc, input_tokens);
INSERT INTO conversations VALUES ('c', 'Sea', 'gpt');
INSERT INTO responses VALUES
  ('2', 'gpt', 'And?', NULL, 'Yes.', 'c', 10, '2024-05-06T07:08:10', 3),
  ('1', 'gpt', 'Salt?', 'Brief.', 'Rivers.', 'c', 1500, '2024-05-06T07:08:09', 3),
  ('3', 'gpt', 'Alone', NULL, 'Indeed.', NULL, 10, '2024-05-06T07:08:11', 3);
"""
SINCE_032 = """
CREATE TABLE threads (id, name, tip_message_hash, datetime_utc);
CREATE TABLE turns (
  id, thread_id, parent_message_hash, tip_message_hash, model, input_tokens, output_tokens, duration_ms, datetime_utc
);
CREATE TABLE messages (hash, parent_hash, role);
CREATE TABLE parts (message_hash, position, type, text, payload);
CREATE TABLE fragments (id INTEGER PRIMARY KEY, content);
INSERT INTO threads VALUES ('t', NULL, 'a2', '2026-05-06T07:08:09');
INSERT INTO turns VALUES
  ('1', 't', 'q1', 'a1', 'gpt', 3, 4, 1500, '2026-05-06T07:08:09'),
  ('2', 't', 'q2', 'a2', 'gpt', 3, 4, 1500, '2026-05-06T07:08:10');
INSERT INTO messages VALUES
  ('s', NULL, 'system'), ('q1', 's', 'user'), ('a1', 'q1', 'assistant'), ('q2', 'a1', 'user'),
  ('a2', 'q2', 'assistant');
INSERT INTO parts VALUES
  ('s', 0, 'text', 'Brief.', NULL), ('q1', 0, 'text', 'Salt?', NULL),
  ('a1', 0, 'reasoning', 'Hm.', NULL), ('a1', 1, 'text', 'Rivers.', NULL),
  ('q2', 0, 'text', NULL, '{"text_ref": [{"literal": "Read "}, {"fragment": 1}]}'), ('a2', 0, 'text', 'Yes.', NULL);
INSERT INTO fragments VALUES (1, 'this');
"""


def database(path: Path, script: str) -> Path:
    db = sqlite3.connect(path)
    db.executescript(script)
    db.close()
    return path


def test_llm_as_it_was(tmp_path: Path) -> None:
    sea, alone = imported(database(tmp_path / "logs.db", UNTIL_031))
    first = sea.turns()[0]

    assert texts(sea.turns()) == [("Salt?", "Rivers."), ("And?", "Yes.")]
    assert [turn.system for turn in sea.turns()] == ["Brief.", "Brief."]
    assert (sea.name, sea.created, first.usage.input_tokens) == ("Sea", "2024-05-06T07:08:09.000Z", 3)
    assert first.ended is not None
    assert first.ended.elapsed == 1.5
    assert texts(alone.turns()) == [("Alone", "Indeed.")]


def test_llm_as_it_is(tmp_path: Path) -> None:
    (conversation,) = imported(database(tmp_path / "logs.db", SINCE_032))

    assert texts(conversation.turns()) == [("Salt?", "Rivers."), ("Read this", "Yes.")]
    assert [turn.reasoning for turn in conversation.turns()] == ["Hm.", ""]
    assert conversation.turns()[1].system == "Brief."


@pytest.mark.parametrize("kind", ["md", "json", "jsonl"])
def test_our_own_exports_come_back(tmp_path: Path, kind: str) -> None:
    conversation = Conversation.new(tmp_path / "first", name="sea")
    answered(conversation, "Why?", system="Be brief.", attachments=(PNG,))
    answered(conversation, "And?", Text("So."), system="Be brief.")
    formats.save(tmp_path / f"export.{kind}", conversation)
    (back,) = imported(tmp_path / f"export.{kind}")

    assert texts(back.turns()) == texts(conversation.turns())
    assert [turn.system for turn in back.turns()] == ["Be brief.", "Be brief."]
    assert [turn.model for turn in back.turns()] == ["echo/m-1"] * 2
    assert (back.name, back.turns()[0].usage) == ("sea", conversation.turns()[0].usage)
    assert (back.id == conversation.id) is (kind != "md")
    assert back.turns()[0].question.attachments == (() if kind == "md" else (PNG,))


def test_a_second_import_of_the_same_export_is_another_conversation(tmp_path: Path) -> None:
    conversation = Conversation.new(tmp_path / "conversations")
    answered(conversation, "Why?")
    conversation.close()
    formats.save(tmp_path / "export.jsonl", conversation)
    (back,) = imported(tmp_path / "export.jsonl")

    assert back.id != conversation.id


def test_an_imported_conversation_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "hand.md"
    path.write_text("## User\n\nWhy?\n\n## Assistant\n\nBecause.\n")
    (conversation,) = imported(path)
    turn = conversation.begin("And?")

    assert [message.content for message in turn.messages()] == ["Why?", "Because.", "And?"]


def test_messages_as_the_vendors_have_them(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    said = [
        ("system", "Brief."),
        ("user", "Why?"),
        ("user", "Really?"),
        ("assistant", [{"type": "text", "text": "Yes."}]),
    ]
    path.write_text(json.dumps({"messages": [{"role": role, "content": content} for role, content in said]}))
    (conversation,) = imported(path)

    assert texts(conversation.turns()) == [("Why?\n\nReally?", "Yes.")]
    assert conversation.turns()[0].system == "Brief."


@pytest.mark.parametrize("created", ["../../../../tmp/x", "/etc/passwd", "", "soon"])
@pytest.mark.parametrize("identity", ["../../../evil", "a/b", "", "."])
def test_a_strangers_file_does_not_choose_where_it_is_kept(tmp_path: Path, created: str, identity: str) -> None:
    head = {"type": "conversation", "version": 1, "id": identity, "created": created}
    path = tmp_path / "evil.jsonl"
    path.write_text(json.dumps(head) + '\n{"type":"message","content":"hi"}\n')
    (conversation,) = imported(path)

    assert conversation.path is not None
    assert conversation.path.parent.parent.parent == tmp_path / "conversations"
    assert [file for file in tmp_path.rglob("*.jsonl") if file != path] == [conversation.path]


NO_CONVERSATION = {
    "text": b"hello\n",
    "json": b'{"a": 1}',
    "a list": b"[1, 2]",
    "nothing": b"",
    "a zip without one": b"PK\x05\x06" + b"\0" * 18,
    "half a zip": b"PK\x03\x04half",
    "half a database": b"SQLite format 3\0half",
    "noise": bytes(range(256)),
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", NO_CONVERSATION)
def test_what_is_no_conversation_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(NO_CONVERSATION[name])

    with pytest.raises(UsageError):
        list(read(path))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        list(read(tmp_path / "nothing"))


def test_another_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not llm's"):
        list(read(database(tmp_path / "x.db", "CREATE TABLE a (b)")))
