"""`streamchat keys`: API keys in the system's keyring, where each provider's key comes from, and whether it works."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import structs

from streamchat.choice import Choice, connect
from streamchat.cli.exits import notice
from streamchat.config import load
from streamchat.config.settings import Settings
from streamchat.config.target import printable
from streamchat.errors import AuthError, ChatError, UsageError
from streamchat.providers.base import Secret

HELP = """Keep API keys in the system's keyring, see where each key comes from, test one.

\b
  streamchat keys set openai
  pass show llm/groq | streamchat keys set groq

Looked for in this order: the provider's variable, a .env of your own, api_key_cmd, the keyring.
"""

keys_app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[str, typer.Argument(metavar="PROVIDER", help="Whose key.", show_default=False)]
ConfigFlag = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Another configuration file.")]


@keys_app.callback()
def keys(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_()


@keys_app.command("set")
def set_(name: Name, config: ConfigFlag = None) -> None:
    """Keep a provider's key in the system's keyring. It is asked for, or read from stdin; never an argument.

    \b
      streamchat keys set openai
      pass show llm/openai | streamchat keys set openai
    """
    settings = _load(config)
    table = settings.provider(name)
    if table.kind not in ("openai", "anthropic"):
        raise UsageError(f"{name} wants no key")
    settings.vault.keep(name, _read_key(name))
    typer.echo(f"the key for {name} is in the keyring", err=True)
    place = settings.key_origin(name)
    if place != "keyring":
        notice(f"{place} comes before it")


@keys_app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", "-a", help="Providers without a key too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: ConfigFlag = None,
) -> None:
    """List where each provider's key comes from. No key is ever shown.

    \b
      streamchat keys list
      streamchat keys list --all --json
    """
    settings = _load(config)
    rows = [(name, settings.key_origin(name), _wanted(settings, name)) for name in settings.providers]
    shown = [(name, place, wanted) for name, place, wanted in rows if place or (everything and wanted)]
    if as_json:
        typer.echo(json.dumps([{"provider": name, "place": place or None} for name, place, _ in shown], indent=2))
        return
    width = max((len(name) for name, _, _ in shown), default=0)
    for name, place, wanted in shown:
        typer.echo(f"{name:<{width}}  {place or f'none: {wanted} is not set'}")
    if not shown:
        typer.echo(
            "no key is set anywhere: streamchat keys set PROVIDER, or a variable such as OPENAI_API_KEY", err=True
        )


@keys_app.command()
def rm(name: Name, config: ConfigFlag = None) -> None:
    """Take a provider's key out of the keyring.

    \b
      streamchat keys rm openai
      streamchat keys list
    """
    settings = _load(config)
    settings.vault.drop(name)
    typer.echo(f"the key for {name} is not in the keyring any more", err=True)
    if place := settings.key_origin(name):
        notice(f"{place} still gives one")


@keys_app.command("test")
def try_(name: Name, config: ConfigFlag = None) -> None:
    """Ask a provider for its models with the key that would be used; exit code 3 when it is refused.

    \b
      streamchat keys test openai
      streamchat keys test groq && echo fine
    """
    settings = _load(config)
    if settings.provider(name).kind not in ("openai", "anthropic"):
        raise UsageError(f"{name} wants no key")
    places = settings.looked_for_key(name)
    count = len(_models(settings, name))
    if settings.api_key(name) is None:
        typer.echo(f"{name} answers without a key: {count} models")
    elif _open_to_all(settings, name):
        typer.echo(f"{name} answers ({count} models), but whatever the key is: this says nothing about it")
    else:
        typer.echo(f"{name} takes the key from {places[-1]}: {count} models")


def _models(settings: Settings, name: str, key: Secret | None = None) -> list[str]:
    """The provider's own list, with this key or with the one that would be used."""
    provider: Any = connect(settings, Choice(name, ""))
    if key:
        provider.endpoint = structs.replace(provider.endpoint, api_key=key, key_places=())
    try:
        models: list[str] = provider.models()
        return models
    finally:
        provider.close()


def _open_to_all(settings: Settings, name: str) -> bool:
    """Whether the list is given to a key that is none: then it proves nothing."""
    try:
        _models(settings, name, Secret("streamchat-test-of-a-wrong-key"))
    except AuthError:
        return False
    except ChatError:
        return False  # it made a difference
    return True


def _wanted(settings: Settings, name: str) -> str:
    return settings.providers[name].api_key_env


def _load(config: Path | None) -> Settings:
    return load(config=config, nearby=False)


def _read_key(name: str) -> str:
    """The key as it was typed, unseen, or piped."""
    if sys.stdin is None:
        raise UsageError("there is no stdin to read the key from")
    if sys.stdin.isatty():
        from getpass import getpass

        try:
            key = getpass(f"API key for {printable(name)} (it is not shown): ", stream=sys.stderr)
        except EOFError:
            key = ""
    else:
        key = sys.stdin.readline(65536)
    key = key.strip()
    if not key:
        raise UsageError("no key was given")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError("that is no key: keys have neither spaces nor letters outside ASCII")
    return key
