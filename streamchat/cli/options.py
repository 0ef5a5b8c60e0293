"""The flags of a question as Typer's options: for the help, the completion and whatever `words` leaves to Typer."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args

import typer

from streamchat.cli.flags import Flag, Flags


def application(help: str, command: Callable[[str, Flags], int]) -> typer.Typer:  # noqa: A002  # Typer's own word
    """A command `(question, flags)` as a Typer app."""
    app = typer.Typer(
        rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
    )
    app.command(help=help)(_takes(command))
    return app


def _takes(command: Callable[[str, Flags], int]) -> Callable[..., int]:
    """The command with the whole signature that Typer reads its options from."""
    text = inspect.Parameter(
        "text",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", show_default=False)],
    )
    own = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=Flags._field_defaults[name], annotation=_annotated(told)
        )
        for name, told in Flags.__annotations__.items()
    ]

    def whole(*, text: list[str] | None, **given: Any) -> int:
        return command(" ".join(text or ()).strip(), Flags(**given))

    whole.__signature__ = inspect.Signature([text, *own])  # type: ignore[attr-defined]
    whole.__annotations__ = {parameter.name: parameter.annotation for parameter in (text, *own)}
    whole.__doc__ = command.__doc__
    return whole


def _annotated(told: Any) -> Any:
    kind, flag = get_args(told)
    assert isinstance(flag, Flag)
    option = typer.Option(
        *flag.names, help=flag.help, rich_help_panel=flag.panel, metavar=flag.metavar, show_default=False
    )
    return Annotated[kind, option]


def with_extract_value(argv: list[str]) -> list[str]:
    """The arguments with the first block named behind a `-x` that stands alone: what follows it is the question.

    Only a number, `last` and the name of a well-known language are taken for its value; `--extract=LANG` takes any.
    """
    from streamchat.fences import is_language

    end = argv.index("--") if "--" in argv else len(argv)
    whole: list[str] = []
    for place, word in enumerate(argv):
        whole.append(word)
        if word in ("-x", "--extract") and place < end:
            value = argv[place + 1] if place + 1 < end else ""
            if not (value.isdigit() or value == "last" or is_language(value)):
                whole.append("1")
    return whole
