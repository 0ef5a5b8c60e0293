"""The Typer application over all commands; which there are stands in `front`."""

from importlib import import_module
from signal import SIGINT, SIGPIPE
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from streamchat.cli.coercion import quick
from streamchat.cli.exits import Signalled
from streamchat.cli.front import COMMANDS, QUESTIONS, outline, run
from streamchat.cli.outline import refused
from streamchat.cli.pages import page, shape
from streamchat.errors import UsageError

__all__ = ["COMMANDS", "app", "parsed", "run", "top"]

HELP = """Ask a language model, and watch the answer appear as finished Markdown.

\b
  streamchat ask "How do tides work?"
  git diff | streamchat ask "Write a commit message for this."
"""


class Commands(TyperGroup):
    """The commands by name, each imported when it is run or asked for its own help."""

    lines = COMMANDS
    _behind = False

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(_app(cmd_name))
        command.name = cmd_name
        return quick(shape(command))

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

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As ever, but in front of a command there is nothing to parse: looking at the options that are not there
        would import the parser's validation, which costs as much as the parser."""
        self._behind = bool(args) and args[0] in COMMANDS
        try:
            return super().parse_args(ctx, args)
        finally:
            self._behind = False

    def get_params(self, ctx: Any) -> list[Any]:
        return [] if self._behind else super().get_params(ctx)


def _app(name: str) -> typer.Typer:
    module = import_module(f"streamchat.cli.{name}")
    if name not in QUESTIONS:
        app: typer.Typer = getattr(module, f"{name}_app")
        return app
    from streamchat.cli.options import application

    return application(module.HELP, getattr(module, name))


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


def top() -> tuple[Any, Any]:
    """The command above all others, and its context: for what is asked of the command line itself."""
    command = typer.main.get_command(app)
    return command, typer.Context(command, info_name="streamchat", **command.context_settings)


def parsed(arguments: list[str]) -> int:
    """Run the command that the arguments name; its exit code. UsageError for what the parser refuses."""
    if "-x" in arguments or "--extract" in arguments:
        from streamchat.cli.options import with_extract_value

        arguments = with_extract_value(arguments)
    try:
        code = app(arguments, prog_name="streamchat", standalone_mode=False)
    except Exception as exc:
        if not hasattr(exc, "format_message"):
            raise
        outline()  # the next slip is answered without all this
        raise _usage_error(exc, arguments) from exc
    return code if isinstance(code, int) else 0


def _usage_error(exc: Any, arguments: list[str]) -> UsageError:
    """The parser's complaint as ours, with the help of the command that it was about."""
    path = (getattr(exc, "ctx", None) or _context(arguments)).command_path
    message = str(exc.format_message()).rstrip(".").replace(": Value error, ", ": ", 1)
    return refused(message[:1].lower() + message[1:], path, arguments)


def _context(arguments: list[str]) -> Any:
    """That of the command which the first words name: where an option wants a value, the parser does not say it."""
    command, context = top()
    for word in arguments:
        command = command.get_command(context, word) if isinstance(command, TyperGroup) else None
        if command is None:
            break
        context = typer.Context(command, info_name=word, parent=context)
    return context
