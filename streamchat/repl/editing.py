"""A question that is written anew: it is in the line, and stays where it is in the conversation until that is sent."""

import re
from typing import TYPE_CHECKING

from streamchat.history.turn import Turn

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl

_FILES = re.compile(r"((?:[^\n]+:\n)?(`{3,})\n.*\n\2)\n\n", re.DOTALL)
"""Texts of files in front of a question: to be folded while it is edited."""


def edit(repl: "Repl", turn: Turn) -> None:
    """Put a question into the line, and its attachments beside it: the next message is asked in its place."""
    repl.editing = turn
    repl.files.attachments += [each for each in turn.question.attachments if each not in repl.files.attachments]
    head = _FILES.match(turn.question.content)
    rest = turn.question.content[head.end() :] if head else turn.question.content
    repl.typing.begin_with((repl.pastes.fold(head[1]) + "\n\n" if head else "") + rest)


def leave(repl: "Repl") -> str:
    """It is not written anew after all, or has been; what is asked next comes at the end, as the hint says."""
    if repl.editing is None:
        return ""
    left, repl.editing = repl.editing.question.attachments, None
    repl.files.attachments = [each for each in repl.files.attachments if each not in left]
    repl.restate()
    return "the question stays as it was"
