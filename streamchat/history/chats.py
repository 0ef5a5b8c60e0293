"""The data exports of ChatGPT and Claude, and documents with a list of messages."""

from typing import Any

from streamchat.history import records
from streamchat.history.draft import Draft, Json, Writing, attached, dicts, epoch, flat, iso, word
from streamchat.history.records import Head
from streamchat.history.tree import new_id


def document(value: Json) -> Draft:
    """The document of `--save x.json`; also any list of messages with role and content."""
    writing = Writing(word(value, "name"))
    for said in dicts(value["messages"]):
        if said.get("role") == "system":
            writing.system = flat(said.get("content"))
        writing.system = word(said, "system") or writing.system
        usage = said.get("usage")
        writing.add(
            word(said, "role"),
            flat(said.get("content")),
            reasoning=word(said, "reasoning"),
            provider=word(said, "provider"),
            model=word(said, "model"),
            time=word(said, "time"),
            usage=usage if isinstance(usage, dict) else {},
            stop_reason=said.get("stop_reason", "stop"),
            attachments=attached(said.get("attachments")),
        )
    head = Head(word(value, "id") or new_id(), records.VERSION, word(value, "created"), imported="json")
    return Draft(head, writing.lines)


def chatgpt(value: Json) -> Draft:
    writing = Writing(word(value, "title"))
    for message in _branch(value):
        content = message.get("content") or {}
        about = message.get("metadata") or {}
        role = word(message.get("author") or {}, "role")
        hidden = about.get("is_visually_hidden_from_conversation") or message.get("recipient", "all") != "all"
        if hidden or role not in ("user", "assistant"):
            continue
        kind = content.get("content_type")
        thoughts = "\n\n".join(word(thought, "content") for thought in dicts(content.get("thoughts")))
        text = flat(content.get("parts")) if kind in ("text", "multimodal_text") else ""
        if text or thoughts:
            model, time = word(about, "model_slug"), epoch(message.get("create_time"))
            writing.add(role, text, reasoning=thoughts, provider="openai", model=model, time=time)
    source = f"chatgpt:{value.get('conversation_id') or value.get('id') or ''}"
    return Draft(Head(new_id(), records.VERSION, epoch(value.get("create_time")), imported=source), writing.lines)


def _branch(value: Json) -> list[Json]:
    """The messages from the first to the current one."""
    mapping: dict[str, Any] = value["mapping"]
    branch: list[Json] = []
    seen = set()
    at = value.get("current_node") or next(reversed(mapping), None)
    while isinstance(node := mapping.get(str(at)), dict) and at not in seen:
        seen.add(at)
        if isinstance(node.get("message"), dict):
            branch.append(node["message"])
        at = node.get("parent")
    return branch[::-1]


def claude(value: Json) -> Draft:
    writing = Writing(word(value, "name"))
    for message in dicts(value["chat_messages"]):
        blocks = dicts(message.get("content"))
        text = "\n\n".join(word(block, "text") for block in blocks if block.get("type") == "text")
        text = text or word(message, "text")
        for piece in dicts(message.get("attachments")):
            text += f"\n\n{word(piece, 'file_name') or 'attachment'}:\n\n{word(piece, 'extracted_content')}"
        for file in dicts(message.get("files")):
            text += f"\n\n[{word(file, 'file_name') or 'file'}]"
        thinking = "\n\n".join(word(block, "thinking") for block in blocks if block.get("type") == "thinking")
        role = "user" if message.get("sender") in ("human", "user") else "assistant"
        time, model = iso(word(message, "created_at")), word(value, "model")
        writing.add(role, text.strip("\n"), reasoning=thinking, provider="anthropic", model=model, time=time)
    head = Head(new_id(), records.VERSION, iso(word(value, "created_at")), imported=f"claude:{word(value, 'uuid')}")
    return Draft(head, writing.lines)
