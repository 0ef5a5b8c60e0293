"""Conversations for the tests: asked and answered without any provider."""

from collections.abc import Iterable
from pathlib import Path

from streamchat.chat import Attachment, Reply
from streamchat.events import Event, Reasoning, Stop, Text, Usage
from streamchat.history.conversation import Conversation
from streamchat.history.turn import Turn

ANSWER: tuple[Event, ...] = (
    Reasoning("Let me see."),
    Text("Blue "),
    Text("light\nscatters."),
    Usage(input_tokens=5, output_tokens=7),
    Stop("stop"),
)


def answered(
    conversation: Conversation,
    content: str | None,
    *events: Event,
    error: BaseException | None = None,
    system: str | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Turn:
    """Ask and journal these events (a plain good answer by default)."""
    turn = conversation.begin(content, provider="echo", model="m-1", system=system, attachments=attachments)
    reply = Reply(provider="echo", model="m-1")
    for event in turn.record(events or ANSWER):
        reply.add(event)
    if error is None:
        reply.stop("stop")
    turn.end(reply, error)
    return turn


def one(directory: Path, *questions: str) -> Conversation:
    """A saved and closed conversation with good answers to these questions."""
    conversation = Conversation.new(directory)
    for question in questions or ("Why is the sky blue?",):
        answered(conversation, question)
    conversation.close()
    return conversation


def written(path: Path, *lines: str | bytes) -> Conversation:
    """The conversation in a file with these lines."""
    path.write_bytes(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
    return Conversation.load(path)


def texts(turns: Iterable[Turn]) -> list[tuple[str, str]]:
    """Question and answer of each."""
    return [(turn.question.content, turn.text) for turn in turns]
