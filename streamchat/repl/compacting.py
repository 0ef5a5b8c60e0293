"""Conversations that outgrow the model's context go on as a shorter branch; the long one is kept beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamchat.chat import Reply
from streamchat.errors import ChatError, UsageError
from streamchat.events import Reasoning, Text
from streamchat.history.conversation import Conversation
from streamchat.history.turn import Turn

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl

SUMMARISE = (
    "Summarise our conversation so far, so that it can go on from your summary alone: what it is about, what was"
    " decided and found out, names, numbers and code that matter word by word, what is still open. Only the summary."
)
OUTGROWN = "The conversation no longer fits into the model's context."
WAYS = (
    "Leave it as it is",
    "Leave out the oldest half of the turns and ask again",
    "Summarise the older turns and ask again",
)
PREFACE = "This is a summary of our conversation so far; the turns themselves are left out.\n\n"
ACCEPTED = "Thank you. I go on from this summary."


def offer(repl: "Repl", error: ChatError, *, at: str | None) -> None:
    """The conversation did not fit: offer the ways out, and ask again after one was taken.

    `at` is where the conversation stood before.
    """
    session, conversation = repl.session, repl.conversation
    repl.context.learn(session.provider.name, session.model, error)
    failed = conversation.last
    assert failed is not None, "what was refused is a turn too"
    conversation.rewind(failed.question_parent)
    if not conversation.turns():
        raise ChatError("this message alone is longer than the model's context", error.message)
    chosen = repl.prompt.pick(OUTGROWN, list(WAYS))
    if chosen == 1:
        drop(repl)
    elif not (chosen == 2 and summarise(repl)):
        conversation.rewind(at)
        repl.typing.begin_with(repl.pastes.fold(failed.question.content))
        return
    repl.files.attachments = list(failed.question.attachments)
    repl.ask(failed.question.content, offering=False)


def summarise(repl: "Repl") -> bool:
    """Put a summary by the same model in place of the older two thirds; whether that was done."""
    conversation = repl.conversation
    turns, at = conversation.turns(), conversation.at
    older, recent = turns[: -(-2 * len(turns) // 3)], turns[-(-2 * len(turns) // 3) :]
    if not older or (len(older) == 1 and older[0].question.content.startswith(PREFACE)):
        raise UsageError("there is nothing to summarise yet")
    conversation.rewind(older[-1].id)
    reply = repl.ask(SUMMARISE, offering=False)
    if reply is None or reply.stop_reason != "stop":
        conversation.rewind(at)
        return False
    conversation.rewind(None)
    _write(conversation, PREFACE + reply.text, ACCEPTED, like=older[-1])
    _copy(conversation, recent)
    repl.say(f"the conversation goes on from this summary{_and(recent)}; every turn is kept: /branches")
    return True


def drop(repl: "Repl") -> None:
    """Go on with the later half of the turns alone."""
    turns = repl.conversation.turns()
    if len(turns) < 2:
        raise UsageError("there is nothing to leave out yet")
    recent = turns[(len(turns) + 1) // 2 :]
    repl.conversation.rewind(None)
    _copy(repl.conversation, recent)
    left = len(turns) - len(recent)
    first = f"its first {left} turns; they are" if left > 1 else "its first turn; it is"
    repl.say(f"the conversation goes on without {first} kept: /branches")


def _copy(conversation: Conversation, turns: Sequence[Turn]) -> None:
    for turn in turns:
        if turn.text:
            _write(conversation, turn.question.content, turn.text, like=turn, reasoning=turn.reasoning)


def _write(conversation: Conversation, question: str, answer: str, *, like: Turn, reasoning: str = "") -> None:
    """A turn that nobody was asked, with the provider, model and files of another one."""
    provider, model = (like.answer.provider, like.answer.model) if like.answer else ("", "")
    attachments = like.question.attachments if question == like.question.content else ()
    turn = conversation.begin(
        question, provider=provider, model=model, system=like.system, options=like.options, attachments=attachments
    )
    if reasoning:
        turn.add(Reasoning(reasoning))
    turn.add(Text(answer))
    reply = Reply(provider=provider, model=model)
    reply.stop("stop")
    turn.end(reply)


def _and(recent: Sequence[Turn]) -> str:
    return f" and the last {len(recent)} turns" if len(recent) > 1 else " and the last turn" if recent else ""
