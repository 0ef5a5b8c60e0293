"""Commands that ask again: the conversation is a tree, and nothing that was answered is deleted."""

from typing import TYPE_CHECKING

from streamchat.choice import connect
from streamchat.errors import UsageError
from streamchat.history.turn import Turn
from streamchat.repl.again import show_last
from streamchat.repl.commands.registry import command
from streamchat.repl.commands.setting import asked_by
from streamchat.repl.editing import edit
from streamchat.repl.entry import number_in
from streamchat.views.safe import one_line

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl


@command("retry")
def retry(repl: "Repl", _: str) -> None:
    """Ask the last question again; the other answer is kept beside the new one."""
    repl.ask(None)


@command("continue")
def continue_(repl: "Repl", _: str) -> None:
    """Go on with an answer that was cut, where it was cut."""
    repl.ask(None, going_on=True)


@command("edit")
def edit_(repl: "Repl", _: str) -> None:
    """Write the last question anew and ask it in its old place; the old branch is kept."""
    edit(repl, _last(repl))


@command("undo", "[N]")
def undo(repl: "Repl", rest: str) -> None:
    """Go back by one turn, or by N; what was said there is kept as a branch."""
    turns = repl.conversation.turns()
    if not turns:
        raise UsageError("there is no turn to go back")
    back = number_in(rest) if rest else 1
    if not 0 < back <= len(turns):
        raise UsageError(f"/undo cannot go back {rest}", f"It takes a number from 1 to {len(turns)}.")
    repl.conversation.rewind(turns[-back].question_parent)
    left = turns[:-back]
    repl.say(f"went back {back}: " + (f"the last question is now {_short(left[-1])}" if left else "nothing is left"))


@command("rewind")
def rewind(repl: "Repl", _: str) -> None:
    """Choose an earlier question of any branch, edit it, ask again (the same: Esc Esc)."""
    branch = {turn.question.id for turn in repl.conversation.turns()}
    turns = {turn.question.id: turn for turn in repl.conversation.every()}
    if not turns:
        raise UsageError("nothing was asked yet")
    found = list(turns.values())
    rows = [_short(turn) + ("" if turn.question.id in branch else "   (another branch)") for turn in found]
    chosen = repl.prompt.pick("Go back to which question?", rows)
    if chosen is not None:
        edit(repl, found[chosen])


@command("branches")
def branches(repl: "Repl", _: str) -> None:
    """Choose a branch of the conversation and go on at its end."""
    turns = repl.conversation.every()
    parents = {turn.question_parent for turn in turns}
    ends = [turn for turn in turns if turn.id not in parents]
    if all(turn.id == repl.conversation.at for turn in ends):
        raise UsageError("there is only one branch", "A new one begins with /retry, /edit, /undo or Esc Esc.")
    rows = [
        f"{_short(turn)}  ->  {turn.glimpse(40)}{'   (here)' if turn.id == repl.conversation.at else ''}"
        for turn in ends
    ]
    chosen = repl.prompt.pick("Go on with which branch?", rows)
    if chosen is not None:
        repl.conversation.rewind(ends[chosen].id)
        show_last(repl)


@command("compare", "MODEL", completes="models")
def compare(repl: "Repl", rest: str) -> None:
    """Ask the last question of another model too; the conversation goes on with the first answer."""
    if not rest:
        raise UsageError("whom shall it be compared with?", "For example: /compare anthropic")
    first = _last(repl)
    choice, settings = asked_by(repl, rest)
    session = repl.session
    before = session.provider, session.model, session.options
    other = connect(settings, choice)
    try:
        repl.use(other, choice.model)
        session.options = settings.options(repl.extra)
        repl.ask(None)
    finally:
        session.provider, session.model, session.options = before
        other.close()
        repl.conversation.rewind(first.id)
    whose = " · ".join(filter(None, (first.answer.provider, first.answer.model))) if first.answer else "before"
    repl.say(f"the conversation goes on with the answer of {whose}; the other one is kept: /branches")


def _last(repl: "Repl") -> Turn:
    last = repl.conversation.last
    if last is None:
        raise UsageError("nothing was asked yet")
    return last


def _short(turn: Turn) -> str:
    return one_line(turn.question.content[:300], 60)
