"""`streamchat models`: what can be asked, without asking anything that costs."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct, to_builtins

from streamchat.choice import Choice, connect, local_options
from streamchat.config import load
from streamchat.config.settings import Settings
from streamchat.providers.replay import SHIPPED
from streamchat.views.safe import one_line

HELP = """List the models that can be asked.

\b
  streamchat models
  streamchat models list openai
"""

models_app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Listed(Struct, frozen=True):
    """A provider and what it offers; `state` says why it offers nothing yet."""

    provider: str
    models: list[str]
    state: str


@models_app.callback()
def models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show(listing(load()), as_json=False)


@models_app.command("list", help="List the models that can be asked; with PROVIDER, by asking it.")
def list_(
    provider: Annotated[str | None, typer.Argument(metavar="[PROVIDER]", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", show_default=False)] = None,
) -> None:
    settings = load(config=config)
    show([asked(settings, provider)] if provider else listing(settings), as_json=as_json)


def show(rows: list[Listed], *, as_json: bool) -> None:
    """The rows for a person, or as one JSON list."""
    if as_json:
        sys.stdout.write(json.dumps([to_builtins(row) for row in rows], indent=2) + "\n")
        return
    for row in rows:
        for model in row.models:
            sys.stdout.write(f"{one_line(f'{row.provider}/{model}')}\n")
    for row in rows:
        if not row.models or row.state:
            sys.stdout.write(f"{row.provider}: {one_line(row.state)}\n")


def asked(settings: Settings, name: str) -> Listed:
    """The provider's own list of models. Raises ChatError."""
    if settings.provider(name).kind in ("local", "replay", "echo"):
        return next(row for row in listing(settings) if row.provider == name)
    provider = connect(settings, Choice(name, ""))
    try:
        return Listed(name, provider.models(), "")
    finally:
        provider.close()


def listing(settings: Settings) -> list[Listed]:
    """Every provider that is there: with a key, on this machine, or in this program."""
    from streamchat.discovery import is_local, local_servers

    near = {name: table.base_url for name, table in settings.providers.items() if is_local(table.base_url)}
    answering = local_servers(near)
    rows = [_row(settings, name, answering.get(name)) for name in settings.providers]
    return [row for row in rows if row is not None]


def _row(settings: Settings, name: str, answered: list[str] | None) -> Listed | None:
    table = settings.providers[name]
    own = [table.model] if table.model else []
    if answered:
        return Listed(name, answered, "")
    match table.kind:
        case "replay":
            return Listed(name, list(SHIPPED), "")
        case "echo":
            return Listed(name, ["echo"], "")
        case "local":
            return _embedded(settings, name)
    if settings.api_key(name) is not None:
        return Listed(name, own, "" if own else f"has a key; its models: streamchat models list {name}")
    if table.api_key_env and name in settings.ready():
        return Listed(name, own, f"{table.api_key_env} is not set")
    return None


def _embedded(settings: Settings, name: str) -> Listed:
    from streamchat.local.weights import available, engine_line, has_engine

    if not has_engine():
        return Listed(name, [], f"not installed: {engine_line()}")
    found = [weights.name for weights in available(local_options(settings).directory)]
    return Listed(name, found, "" if found else "no weights yet: streamchat local install")
