"""`streamchat models`: what can be asked, without asking anything that costs; the default; short names."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import structs, to_builtins

from streamchat.catalogue import Listing, Model, catalogue, with_prices
from streamchat.cli.exits import notice
from streamchat.config import load
from streamchat.config.editing import assigned, removed
from streamchat.config.settings import Settings
from streamchat.config.target import printable, split_model
from streamchat.config.writing import rewrite
from streamchat.errors import ProviderError, UsageError
from streamchat.views.safe import one_line

HELP = """List the models that can be asked, choose the default, give them short names.

\b
  streamchat models
  streamchat models default anthropic/claude-sonnet-5-5
"""

models_app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigFlag = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Another configuration file.", show_default=False)
]


@models_app.callback()
def models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_()


@models_app.command("list")
def list_(
    provider: Annotated[
        list[str] | None, typer.Argument(metavar="[PROVIDER]...", help="Of these alone.", show_default=False)
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask again; lists are kept for a day.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="The names alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: ConfigFlag = None,
) -> None:
    """List the models of every provider that has a key and of every server on this machine.

    \b
      streamchat models list openai --refresh
      streamchat models list -q | grep opus

    Beside each, where known: tokens of context, US dollars for a million tokens in / out, what it takes besides text.
    """
    settings = load(config=config)
    listings = catalogue(settings, provider or (), refresh=refresh)
    if not quiet:
        listings = [_priced(settings, listing) for listing in listings]
    if as_json:
        sys.stdout.write(json.dumps([_as_json(listing) for listing in listings], indent=2) + "\n")
    else:
        _show(listings, names_only=quiet)
    for listing in listings:
        _say(listing)
    if provider and not any(listing.models for listing in listings):
        raise ProviderError(f"no model of {' or '.join(map(printable, provider))} could be listed")


@models_app.command()
def default(
    model: Annotated[str, typer.Argument(metavar="[MODEL]", help="As for -m.", show_default=False)] = "",
    config: ConfigFlag = None,
) -> None:
    """Set the model that is asked where none is named; without MODEL, show it.

    \b
      streamchat models default anthropic/claude-sonnet-5-5
      streamchat models default
    """
    settings = load(config=config, nearby=False)
    if not model:
        if settings.defaults.model:
            typer.echo(settings.defaults.model)
        else:
            typer.echo("none is set; what is there is taken, and said", err=True)
        return
    _known(settings, model)
    file = settings.sources.file.path
    rewrite(file, lambda text: assigned(text, ("defaults", "model"), model))
    typer.echo(f"{file}: defaults.model is set to {printable(model)}", err=True)
    stronger = load(config=config, nearby=False)
    if stronger.defaults.model != model:
        notice(f"{stronger.origin('defaults.model')} is stronger and says {printable(stronger.defaults.model)}")


@models_app.command()
def alias(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The short name.", show_default=False)] = "",
    target: Annotated[
        str, typer.Argument(metavar="[TARGET]", help="PROVIDER/MODEL that it stands for.", show_default=False)
    ] = "",
    remove: Annotated[bool, typer.Option("--rm", help="Take NAME out.")] = False,
    config: ConfigFlag = None,
) -> None:
    """Give a model a short name; without arguments, list the names.

    \b
      streamchat models alias fast groq/llama-3.3-70b-versatile
      streamchat ask -m fast "How do tides work?"
    """
    settings = load(config=config, nearby=False)
    file = settings.sources.file.path
    if not name:
        width = max(map(len, settings.aliases), default=0)
        for short, meant in settings.aliases.items():
            typer.echo(f"{short:<{width}}  {one_line(meant)}")
    elif remove and target:
        raise UsageError("--rm takes a NAME alone")
    elif remove or not target:
        if name not in settings.aliases:
            raise UsageError(f"there is no alias {printable(name)}", "Set one: streamchat models alias NAME TARGET")
        if not remove:
            typer.echo(one_line(settings.aliases[name]))
            return
        rewrite(file, lambda text: removed(text, ("aliases", name)))
        typer.echo(f"{file}: {printable(name)} is no alias any more", err=True)
    else:
        if name in settings.providers:
            raise UsageError(f"{printable(name)} is a provider's name already")
        _known(settings, target)
        rewrite(file, lambda text: assigned(text, ("aliases", name), settings.aliases.get(target, target)))
        typer.echo(f"{file}: {printable(name)} stands for {printable(target)}", err=True)


def _known(settings: Settings, model: str) -> None:
    """UsageError for a name that means no provider's model."""
    provider, _ = split_model(model, settings.providers, settings.aliases, settings.defaults.provider or None)
    if provider is None and not settings.defaults.provider:
        raise UsageError(f"`{printable(model)}` does not say whose model it is", "Write PROVIDER/MODEL.")


def _priced(settings: Settings, listing: Listing) -> Listing:
    """With what is known besides the list, for what is asked over the network; the person's own word comes first."""
    if own := settings.providers[listing.provider].context:
        models = tuple(structs.replace(model, context=own) for model in listing.models)
        listing = structs.replace(listing, models=models)
    return with_prices(listing) if listing.asked else listing


def _show(listings: list[Listing], *, names_only: bool) -> None:
    rows = [(one_line(f"{listing.provider}/{model.id}"), model) for listing in listings for model in listing.models]
    if names_only:
        sys.stdout.writelines(f"{name}\n" for name, _ in rows)
        return
    width = min(60, max((len(name) for name, _ in rows), default=0))
    for name, model in rows:
        figures = f"{_tokens(model):>6}  {_price(model):<15}  {', '.join(model.abilities)}".rstrip()
        sys.stdout.write(f"{name:<{width}}  {figures}".rstrip() + "\n")


def _tokens(model: Model) -> str:
    if not model.context:
        return ""
    if model.context >= 1_000_000:
        return f"{model.context / 1e6:.2g}M" if model.context < 10_000_000 else f"{model.context // 1_000_000}M"
    return f"{round(model.context / 1000)}k" if model.context >= 1000 else str(model.context)


def _price(model: Model) -> str:
    if model.input_price is None or model.output_price is None:
        return ""
    if not (model.input_price or model.output_price):
        return "free"
    return f"${model.input_price:.4g} / ${model.output_price:.4g}"


def _say(listing: Listing) -> None:
    """What is wrong with a list, and its age where it is kept for want of a newer one."""
    if listing.trouble:
        kept = f"; the list of {_age(listing)} ago is shown" if listing.models else ""
        notice(f"{listing.provider}: {listing.trouble}{kept}")
    elif listing.asked and time.time() - listing.asked > 60:
        notice(f"{listing.provider}: as of {_age(listing)} ago; --refresh asks again")


def _age(listing: Listing) -> str:
    seconds = max(0, round(time.time() - listing.asked))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _as_json(listing: Listing) -> dict[str, Any]:
    return {
        "provider": listing.provider,
        "models": [to_builtins(model) for model in listing.models],
        "asked": round(listing.asked) or None,
        "trouble": listing.trouble or None,
    }
