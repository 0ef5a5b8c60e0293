"""`streamchat config`: what holds and why, where it stands, what is wrong with it, and a file to begin with."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import structs

from streamchat.cli import changing
from streamchat.config import check, load
from streamchat.config.example import example, toml, toml_key
from streamchat.config.known import KNOWN
from streamchat.config.schema import SECTIONS, TABLES, shown
from streamchat.config.settings import Settings
from streamchat.config.sources import config_path, read_sources
from streamchat.config.target import nearest, printable
from streamchat.config.writing import make_directory
from streamchat.errors import ConfigError, UsageError
from streamchat.paths import files

HELP = """Show, check and change the configuration; without a command, show it.

\b
  streamchat config show --origin
  streamchat config set model ollama/qwen3
"""

config_app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigFlag = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Read this configuration file.")]
EnvFileFlag = Annotated[Path | None, typer.Option("--env-file", metavar="FILE", help="Read this .env file too.")]
ProfileFlag = Annotated[str | None, typer.Option("--profile", "-P", metavar="NAME", help="Put this profile on.")]


@config_app.callback()
def config(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show()


@config_app.command()
def show(
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with the origins.")] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    env_file: EnvFileFlag = None,
) -> None:
    """Show the values that hold. No key is ever shown, only whether there is one.

    \b
      streamchat config show --origin
      streamchat config show --json | jq .defaults
    """
    settings = _load(profile, config, env_file)
    if as_json:
        typer.echo(json.dumps(_as_json(settings), indent=2))
        return
    for table, values in _shown_tables(settings).items():
        typer.echo(f"[{table}]")
        for name, value in values.items():
            comment = f"  # {printable(settings.origin(f'{table}.{name}'), 500)}" if origin else ""
            if value is not None:
                typer.echo(f"{toml_key(name)} = {toml(value)}{comment}")
        section, _, provider = table.partition(".")
        if section == "providers" and (key_line := _key_line(settings, provider)):
            typer.echo(key_line)
        typer.echo()


@config_app.command()
def get(
    name: Annotated[str, typer.Argument(metavar="KEY", help="model, ui.color, providers.ollama.base_url ...")],
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    env_file: EnvFileFlag = None,
) -> None:
    """Print one value.

    \b
      streamchat config get model
      streamchat config get providers.ollama.base_url
    """
    settings = _load(profile, config, env_file)
    known = {
        f"{table}.{field}": value for table, values in _tables(settings).items() for field, value in values.items()
    }
    key = name if name in known else f"defaults.{name}"
    if key not in known:
        guesses = nearest(name, [*known, *(full.removeprefix("defaults.") for full in known)])
        raise UsageError(
            f"there is no setting `{printable(name)}`",
            f"did you mean {' or '.join(guesses)}?" if guesses else "see them all: streamchat config show",
        )
    value = known[key]
    if value is not None:
        typer.echo(_lines(value) if isinstance(value, str) else toml(value))


@config_app.command()
def path(
    everything: Annotated[bool, typer.Option("--all", help="The data, state and cache directories too.")] = False,
    config: ConfigFlag = None,
    env_file: EnvFileFlag = None,
) -> None:
    """Print where the configuration file is, or would be.

    \b
      streamchat config path
      cat "$(streamchat config path)"
    """
    file = config_path(config=config, env_file=env_file)
    typer.echo(f"config  {file}" if everything else file)
    if everything:
        where = files()
        for kind in ("data", "state", "cache"):
            typer.echo(f"{kind:7} {getattr(where, kind)}")


@config_app.command("check")
def check_command(config: ConfigFlag = None, env_file: EnvFileFlag = None) -> None:
    """Say everything that is wrong with the configuration; exit code 2 if anything is.

    \b
      streamchat config check
      streamchat config check --config other.toml
    """
    sources = read_sources(config=config, env_file=env_file)
    found = check(sources)
    for problem in found:
        typer.echo(problem)
    if found:
        raise ConfigError(f"{len(found)} problem{'s' * (len(found) > 1)} in the configuration")
    settings = load(config=config, env_file=env_file)
    _say(settings)
    settings.target()
    typer.echo(f"{sources.file.path}: no problem" if sources.file.text else "no configuration file, and no problem")


@config_app.command()
def init(
    config: ConfigFlag = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a configuration file that holds every setting, explained and not yet set.

    \b
      streamchat config init
      streamchat config init --config team.toml
    """
    from streamchat.history.files import write

    file = config_path(config=config)
    if os.path.lexists(file) and not force:
        raise UsageError(f"{file} exists already", "to write over it: streamchat config init --force")
    make_directory(file.parent)
    write(file, example().encode(), overwrite=force)
    typer.echo(file)


config_app.command("set")(changing.set_)
config_app.command("unset")(changing.unset)
config_app.command("edit")(changing.edit)


def _load(profile: str | None, config: Path | None, env_file: Path | None) -> Settings:
    settings = load(profile=profile, config=config, env_file=env_file)
    _say(settings)
    return settings


def _say(settings: Settings) -> None:
    for notice in settings.notices:
        typer.echo(f"streamchat: {notice}", err=True)


def _tables(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every value that holds, by table and name, fit to be seen."""
    tables = {section: getattr(settings, section) for section in SECTIONS}
    tables |= {f"providers.{name}": table for name, table in settings.providers.items()}
    tables |= {f"profiles.{name}": table for name, table in settings.profiles.items()}
    seen = {
        name: {field: shown(field, value) for field, value in structs.asdict(table).items()}
        for name, table in tables.items()
    }
    return seen | {"aliases": dict(settings.aliases)}


def _shown_tables(settings: Settings) -> dict[str, dict[str, Any]]:
    """What `show` has a line for: of providers and profiles only what a table says."""
    tables = _tables(settings)
    for table, values in tables.items():
        if table.partition(".")[0] in TABLES:
            known = KNOWN.get(table.partition(".")[2], {})
            tables[table] = {k: v for k, v in values.items() if f"{table}.{k}" in settings.origins or k in known}
    return tables


def _as_json(settings: Settings) -> dict[str, Any]:
    values = {
        f"{table}.{name}": {"value": value, "origin": settings.origin(f"{table}.{name}")}
        for table, values in _tables(settings).items()
        for name, value in values.items()
    }
    keys = {
        name: {
            "variable": table.api_key_env,
            "set": bool(place := settings.key_origin(name)),
            "origin": place,
        }
        for name, table in settings.providers.items()
        if table.api_key_env
    }
    return {"settings": values, "keys": keys}


def _key_line(settings: Settings, provider: str) -> str:
    """Whether there is a key, as a comment; "" for a provider that wants none."""
    variable = settings.providers[provider].api_key_env
    place = settings.key_origin(provider)
    if not (variable or place):
        return ""
    if place == "keyring":
        return "# key: in the keyring"
    return f"# key: {place} is set" if place else f"# key: {variable} is not set"


def _lines(text: str) -> str:
    """A text as it is, but for what could work on a terminal."""
    return "\n".join(printable(line, len(line)) for line in text.split("\n"))
