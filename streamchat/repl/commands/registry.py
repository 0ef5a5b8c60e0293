"""Slash commands: one decorated function each, from which help, completion and the README's table follow.

To add one, write a function in a module of this package:

    @command("copy", "[N|code|all]")
    def copy(repl: Repl, rest: str) -> None:
        "Copy the last answer, its code, or the whole conversation."

Its docstring is its help; `completes` names what its argument is completed with (a key of `completion.SOURCES`).
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from streamchat.errors import UsageError

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl

Action = Callable[["Repl", str], None]


class Command(Struct, frozen=True):
    """A command: `name` without the slash, the form of its argument, its help in one line."""

    name: str
    argument: str
    help: str
    topic: str
    completes: str
    action: Action


_commands: dict[str, Command] = {}
_ELSEWHERE = {"quit": "exit", "bye": "exit", "clear": "new"}
"""What other chats call a command."""


def command(name: str, argument: str = "", *, completes: str = "") -> Callable[[Action], Action]:
    """Make the function below the slash command of that name."""

    def register(action: Action) -> Action:
        topic = action.__module__.rpartition(".")[2]
        _commands[name] = Command(name, argument, (action.__doc__ or "").strip(), topic, completes, action)
        return action

    return register


@cache
def commands() -> dict[str, Command]:
    """All of them, by name, topic by topic."""
    for found in iter_modules(import_module(__package__ or "").__path__):
        import_module(f"{__package__}.{found.name}")
    return dict(sorted(_commands.items(), key=lambda item: item[1].topic))


def find(word: str, own: Mapping[str, Command] = MappingProxyType({})) -> Command:
    """The command of that name or the only one that begins so; `own` are those that the person made.

    UsageError says what was near.
    """
    known = {**own, **commands()}
    if word not in known:
        word = _ELSEWHERE.get(word, word)
    if word in known:
        return known[word]
    begins = [name for name in known if name.startswith(word)] if word else []
    if len(begins) == 1:
        return known[begins[0]]
    if begins:
        raise UsageError(f"/{word} could be {', '.join(f'/{name}' for name in begins)}")
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=2)
    hint = f"Did you mean {' or '.join(f'/{name}' for name in near)}?" if near else "All of them: /help"
    raise UsageError(f"there is no command /{word}", hint)


def table() -> str:
    """The commands as the Markdown table of the README."""
    named = ((f"/{each.name} {each.argument}".rstrip(), each.help) for each in commands().values())
    rows = [f"| `{name.replace('|', chr(92) + '|')}` | {what} |" for name, what in named]
    return "\n".join(["| Command | What it does |", "| --- | --- |", *rows])
