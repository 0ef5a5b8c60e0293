"""Commands about the chat itself."""

import shutil
from textwrap import wrap
from typing import TYPE_CHECKING

from streamchat.chat import Reply
from streamchat.events import Reasoning, Text
from streamchat.repl.commands.registry import command, find
from streamchat.repl.context import used
from streamchat.views.footer import figures

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl

_NAMES = 24
"""Columns for the names of commands and keys in a list of them; a longer one stands on a line of its own."""


@command("help", "[COMMAND]", completes="commands")
def help_(repl: "Repl", rest: str) -> None:
    """Show the commands and the keys, or what one command does."""
    if rest:
        found = find(rest.removeprefix("/"), repl.commands())
        repl.say(f"/{found.name} {found.argument}".rstrip() + f"\n  {found.help}")
        return
    rows = [(f"/{each.name} {each.argument}".rstrip(), each.help) for each in repl.commands().values()]
    columns = shutil.get_terminal_size().columns
    repl.say(
        "\n".join(line for name, what in (*rows, ("", ""), *repl.prompt.keys) for line in _row(name, what, columns))
    )


def _row(name: str, what: str, columns: int) -> list[str]:
    """The name and, beside it or below it, what it does: broken between words."""
    beside = columns >= 3 * _NAMES
    indent, room = " " * (_NAMES if beside else 2), max(columns - 1, 12)
    lines = wrap(what, room, initial_indent=indent, subsequent_indent=indent) or [""]
    if beside and len(name) < _NAMES:
        return [name.ljust(_NAMES) + lines[0][_NAMES:], *lines[1:]]
    return [*wrap(name, room), *lines]


@command("usage")
def usage(repl: "Repl", _: str) -> None:
    """Show what the last answer and the whole conversation cost, and how full the model's context is."""
    last = repl.conversation.last
    if last is not None and last.answer is not None and last.ended is not None:
        reply = Reply(provider=last.answer.provider, model=last.answer.model)
        reply.add(Reasoning(last.reasoning))
        reply.add(Text(last.text))
        reply.usage, reply.first_token, reply.elapsed = last.usage, last.ended.first_token, last.ended.elapsed
        repl.say(f"the last answer: {' · '.join(figures(reply))}")
    repl.say(f"the conversation: {' · '.join(repl.spending.phrases()) or 'nothing yet'}")
    session = repl.session
    size = repl.context.size(repl.settings, session.provider.name, session.model)
    filled = used(repl.conversation)
    if filled is not None:
        of = f" of {size:,}" if size else "; how much the model holds is not known (`context` in its provider table)"
        repl.say(f"the context: {filled:,} tokens{of}")


@command("exit")
def exit_(repl: "Repl", _: str) -> None:
    """Leave; the conversation is kept."""
    repl.leaving = True
