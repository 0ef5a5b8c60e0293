"""The Typer application: which commands there are, and what words that are no command mean.

To add a command, add a line to COMMANDS and a module with a Typer app of that name; only the module of the command
that runs is imported.
"""

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from signal import SIGINT, SIGPIPE
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from streamchat.cli.exits import Signalled, guarded
from streamchat.cli.pages import page, shape
from streamchat.errors import UsageError

COMMANDS: Final[dict[str, str]] = {
    "ask": "Ask one question, show the answer, exit.",
    "chat": "Chat: ask, read, ask on; the conversation is kept.",
    "history": "Find, show, move and delete kept conversations.",
    "models": "List the models that can be asked.",
    "keys": "Keep API keys, see where each comes from, test one.",
    "config": "Show, check and change the configuration.",
    "doctor": "Look at terminal, keys, network settings, files; say what is wrong.",
    "help": "Show the whole help of a command, or a topic such as pipes.",
    "completion": "Print the completion script for bash, zsh or fish.",
    "usage": "Sum what the kept answers used and cost.",
    "local": "Install, list and remove the embedded model's weights.",
}
"""Each command with its line in the help; its module is `streamchat.cli.NAME`, the app in it `NAME_app`."""

HELP = """Ask a language model, and watch the answer appear as finished Markdown.

\b
  streamchat ask "How do tides work?"
  git diff | streamchat ask "Write a commit message for this."
"""


class Commands(TyperGroup):
    """The commands by name, each imported when it is run or asked for its own help."""

    lines = COMMANDS

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(getattr(import_module(f"streamchat.cli.{cmd_name}"), f"{cmd_name}_app"))
        command.name = cmd_name
        return shape(command)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C and a reader that has gone are ours to answer, not the parser's."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Signalled(SIGINT) from None
        except BrokenPipeError:
            raise Signalled(SIGPIPE) from None

    def get_help(self, ctx: Any) -> str:
        return page(self, ctx)


app = typer.Typer(
    cls=Commands,
    help=HELP,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def streamchat(
    version: Annotated[bool, typer.Option("--version", "-V", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from streamchat import __version__

        typer.echo(f"streamchat {__version__}")


def run(argv: Sequence[str]) -> None:
    """Run the program with these arguments; does not return."""
    guarded(lambda: _run(list(argv)))


def meaning(argv: Sequence[str], *, piped: bool, terminal: bool = False) -> list[str]:
    """The arguments with the command that they mean: words that are no command are a question, none of them a chat.

    One word that is nearly a command's name is UsageError: a slip of the keyboard must not become a paid request.
    """
    if not argv:
        return ["ask"] if piped else ["chat"] if terminal else ["--help"]
    first = argv[0]
    if first in COMMANDS or first in ("-h", "--help", "-V", "--version"):
        return list(argv)
    near = get_close_matches(first, COMMANDS, cutoff=0.7)
    if len(argv) == 1 and near and not first.startswith("-"):
        raise UsageError(
            f"there is no command {first!r}; did you mean {near[0]}?", f"To ask just that: streamchat ask {first}"
        )
    return ["ask", *argv]


def _run(argv: list[str]) -> int:
    from streamchat.cli.stdin import is_piped
    from streamchat.firstuse import defer

    arguments = meaning(argv, piped=is_piped(), terminal=_on_terminal())
    if "-x" in arguments or "--extract" in arguments:
        from streamchat.cli.options import with_extract_value

        arguments = with_extract_value(arguments)
    defer("openai", "anthropic", "httpcore2")
    try:
        code = app(arguments, prog_name="streamchat", standalone_mode=False)
    except Exception as exc:
        if not hasattr(exc, "format_message"):
            raise
        raise _usage_error(exc) from exc
    return code if isinstance(code, int) else 0


def _on_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _usage_error(exc: Any) -> UsageError:
    """The parser's complaint as ours, with the help of the command that it was about."""
    path = exc.ctx.command_path if getattr(exc, "ctx", None) else "streamchat"
    message = str(exc.format_message()).rstrip(".")
    return UsageError(message[:1].lower() + message[1:], f"See: {path} --help")
