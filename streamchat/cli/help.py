"""`streamchat help`: the whole page of a command, or one of the topics, which come with the program as Markdown."""

import sys
from collections.abc import Iterator
from importlib.resources import files
from typing import Annotated, Any, Final

import typer

from streamchat.cli.pages import page, shape
from streamchat.config.target import nearest, printable
from streamchat.errors import UsageError

TOPICS: Final[dict[str, str]] = {
    "pipes": "What goes into and out of a pipe.",
    "formats": "What --format json and jsonl give, field by field.",
    "keys": "Where API keys are looked for.",
    "config": "How it is configured, and what is stronger.",
    "security": "What is not trusted, and what is done about it.",
    "exit-codes": "What each exit code means.",
    "serve": "The web side: who is let in, the API, proxies, several processes.",
    "journal": "What stands in the file of a conversation, line by line.",
}
"""Each topic with its line; its text is topics/NAME.md."""

HELP = """Show every option of a command, or what there is to know about a topic.

\b
  streamchat help ask
  streamchat help pipes
"""

help_app = typer.Typer(
    rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@help_app.command(help=HELP)
def help_(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND | TOPIC]", help=f"Topics: {', '.join(TOPICS)}.", show_default=False),
    ] = None,
) -> None:
    """Show help."""
    top = context.find_root()
    if not words:
        sys.stdout.write(f"{page(top.command, top, every=True)}\n")
        return
    if len(words) == 1 and words[0] in TOPICS:
        _show(topic(words[0]))
        if words[0] in top.command.list_commands(top):  # type: ignore[attr-defined]  # the top is a group
            sys.stdout.write(f"\nThe command: streamchat {words[0]} --help\n")
        return
    command, inner = _find(top.command, top, words)
    sys.stdout.write(f"{page(command, inner, every=True)}\n")


def topic(name: str) -> str:
    """The text of a topic, Markdown."""
    return (files("streamchat.cli") / "topics" / f"{name}.md").read_text("utf-8")


def tree(top: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Every command with its context, each before those below it."""
    yield top, context
    for name in top.list_commands(context) if hasattr(top, "list_commands") else ():
        below = top.get_command(context, name)
        yield from tree(below, type(context)(below, info_name=name, parent=context))


def _find(command: Any, context: Any, words: list[str]) -> tuple[Any, Any]:
    for word in words:
        names = command.list_commands(context) if hasattr(command, "list_commands") else []
        if word not in names:
            known = list(dict.fromkeys((*names, *(TOPICS if len(words) == 1 else ()))))
            guesses = nearest(word, known)
            hint = f"did you mean {' or '.join(guesses)}?" if guesses else f"there are {', '.join(known)}"
            if not known:
                hint = f"what there is about it: streamchat help {context.command_path.partition(' ')[2]}"
            if len(words) > 2:
                hint += f"; to ask just that: streamchat ask help {' '.join(map(printable, words))}"
            raise UsageError(f"there is no command or topic {printable(word)!r}", hint)
        command = shape(command.get_command(context, word))
        context = type(context)(command, info_name=word, parent=context)
    return command, context


def _show(text: str) -> None:
    """Rendered on a terminal, as it is everywhere else."""
    if sys.stdout.isatty():
        from streamchat.views.live import print_markdown

        print_markdown(text)
    else:
        sys.stdout.write(text)
