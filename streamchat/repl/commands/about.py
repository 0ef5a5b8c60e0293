"""Commands about the chat itself."""

from typing import TYPE_CHECKING

from streamchat.repl.commands.registry import command, commands, find
from streamchat.repl.keys import HELP

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl


@command("help", "[COMMAND]", completes="commands")
def help_(repl: "Repl", rest: str) -> None:
    """Show the commands and the keys, or what one command does."""
    if rest:
        found = find(rest.removeprefix("/"))
        repl.say(f"/{found.name} {found.argument}".rstrip() + f"\n  {found.help}")
        return
    rows = [(f"/{each.name} {each.argument}".rstrip(), each.help) for each in commands().values()]
    wide = max(len(name) for name, _ in (*rows, *HELP))
    repl.say("\n".join(f"{name.ljust(wide)}  {what}" for name, what in (*rows, ("", ""), *HELP)))


@command("exit")
def exit_(repl: "Repl", _: str) -> None:
    """Leave; the conversation is kept."""
    repl.leaving = True
