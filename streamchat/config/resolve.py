"""Reads the configuration: flags, environment and files become Settings.

`resolve` is pure and decides; `load` has the sources read first. Strongest first: flag, `-P` profile, the resumed
conversation's own, `STREAMCHAT_*`, default profile, the project file, the configuration file, NO_COLOR and its kind,
built in. A `-P` profile takes the place of the default one.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import convert, structs

from streamchat.config.checks import meaning, problems
from streamchat.config.environment import Variables, reason
from streamchat.config.file import ConfigFile
from streamchat.config.known import ENDPOINT_VARIABLES, ENDPOINTS, KNOWN
from streamchat.config.layers import (
    VARIABLES,
    Layer,
    bad_variables,
    convention_layer,
    environment_layer,
    file_layer,
    flag_base_url,
    flag_layer,
    profile_layer,
    resumed_layer,
    table_layer,
)
from streamchat.config.nearby import ENV_NAME, PROJECT_NAME, nearby_keys, project_settings
from streamchat.config.schema import SECTIONS, Defaults, History, Local, Profile, ProviderTable, Serve, Ui
from streamchat.config.settings import DEFAULT_PROFILE, ENVIRONMENT, FILE, PROFILE, PROJECT, Origin, Settings
from streamchat.config.sources import Sources, read_sources
from streamchat.config.target import choose, nearest, printable
from streamchat.errors import ConfigError
from streamchat.paths import expanded

OTHER_VARIABLES = frozenset(
    ("STREAMCHAT_CONFIG", "STREAMCHAT_DEBUG", "STREAMCHAT_PLAIN_IMPORTS", "STREAMCHAT_SERVE_TOKEN")
)
"""The variables of ours that are no settings; `check` takes the rest for misspelt."""


def load(
    *,
    flags: Mapping[str, Any] | None = None,
    profile: str | None = None,
    resumed: Mapping[str, Any] | None = None,
    config: Path | None = None,
    env_file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    nearby: bool = True,
) -> Settings:
    """The settings of this run; `config` and `env_file` are the flags of these names.

    Without `nearby`, what lies in the current directory is not even looked at.
    """
    sources = read_sources(config=config, env_file=env_file, environ=environ, nearby=nearby)
    return _finished(structs.replace(sources, flags=flags or {}, profile=profile, resumed=resumed or {}))


def change(
    settings: Settings,
    *,
    flags: Mapping[str, Any] | None = None,
    profile: str | None = None,
    resumed: Mapping[str, Any] | None = None,
) -> Settings:
    """These settings with more flags, another profile or a resumed conversation; no configuration is read again."""
    before: Sources = settings.sources
    return _finished(
        structs.replace(
            before,
            flags={**before.flags, **(flags or {})},
            profile=before.profile if profile is None else profile,
            resumed=before.resumed if resumed is None else resumed,
        )
    )


def check(sources: Sources) -> list[str]:
    """Everything that is wrong with the configuration, a line each."""
    found = [str(problem) for problem in problems(sources.file)]
    found += bad_variables(sources.variables)
    for name in sources.variables:
        if name.startswith("STREAMCHAT_") and name not in VARIABLES and name not in OTHER_VARIABLES:
            guesses = nearest(name, [*VARIABLES, *OTHER_VARIABLES])
            hint = f"; did you mean {guesses[0]}?" if guesses else ""
            found.append(f"{printable(sources.variables.origin(name))}: no setting has this variable{hint}")
    return found


def resolve(sources: Sources) -> Settings:
    """What the sources amount to; pure: where `system` names a file, the file is left for `load` to read."""
    for problem in problems(sources.file):
        raise ConfigError(str(problem), "see everything that is wrong: streamchat config check")
    file, variables, nearby = sources.file, sources.variables, sources.nearby
    aliases: dict[str, str] = file.tables.get("aliases", {})
    providers, origins = _providers(file, variables)
    origins |= _named_origins(file)
    project, project_notices = project_settings(nearby.project, providers, aliases)
    resumed, resumed_notices = resumed_layer(sources.resumed)
    layers = (
        flag_layer(sources.flags, Path()),
        profile_layer(file, sources.profile or "", PROFILE),
        resumed,
        environment_layer(variables, Path()),
        profile_layer(file, _default_profile(sources), DEFAULT_PROFILE),
        table_layer(PROJECT, {"defaults": project}, str(nearby.directory / PROJECT_NAME)),
        file_layer(file),
        convention_layer(variables),
    )
    values, system_base = _merged(layers, origins)
    system, system_file = _system(values.get("defaults.system", ""), system_base)
    values["defaults.system"] = system
    named = tuple(_named_providers(layers))
    chosen_here = _chosen_here(values, origins, named, providers, aliases)
    keys, key_notices = nearby_keys(nearby.variables, variables, _keyless(providers, sources.vault.names), chosen_here)
    return Settings(
        defaults=convert(_section("defaults", values), Defaults),
        ui=convert(_section("ui", values), Ui),
        history=convert(_section("history", values), History),
        local=convert(_section("local", values), Local),
        serve=convert(_section("serve", values), Serve),
        providers=providers,
        profiles={name: convert(table, Profile) for name, table in file.tables.get("profiles", {}).items()},
        aliases=aliases,
        files=sources.files,
        origins=origins,
        named_providers=named,
        base_url=flag_base_url(sources.flags),
        speed=sources.flags.get("speed"),
        notices=(*nearby.notices, *project_notices, *_announced(origins), *key_notices, *resumed_notices),
        variables=variables,
        nearby_keys=Variables((str(nearby.directory / ENV_NAME), keys)),
        vault=sources.vault,
        system_file=system_file,
        sources=sources,
    )


def _finished(sources: Sources) -> Settings:
    """The settings with the system prompt's file read."""
    settings = resolve(sources)
    if settings.system_file is None:
        return settings
    path = expanded(settings.system_file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        hint = f"set by {settings.origin('defaults.system')}"
        raise ConfigError(f"the system prompt {path} cannot be read: {reason(error)}", hint) from None
    origin = settings.origins["defaults.system"]
    return structs.replace(
        settings,
        defaults=structs.replace(settings.defaults, system=text.strip()),
        origins=settings.origins | {"defaults.system": Origin(origin.rank, f"{origin.text}: @{path}")},
    )


def _default_profile(sources: Sources) -> str:
    """The default profile's name; none where a flag names one, be it the empty one."""
    if sources.profile is not None:
        return ""
    name: str = sources.variables.get("STREAMCHAT_PROFILE") or sources.file.tables.get("defaults", {}).get(
        "profile", ""
    )
    return name


def _providers(file: ConfigFile, variables: Variables) -> tuple[dict[str, ProviderTable], dict[str, Origin]]:
    """Every provider's table, the known ones changed field by field, and where what changed them stands."""
    own_tables = file.tables.get("providers", {})
    tables: dict[str, ProviderTable] = {}
    origins: dict[str, Origin] = {}
    for name in {**KNOWN, **own_tables}:
        own = {field: value for field, value in own_tables.get(name, {}).items() if value != ""}
        known = KNOWN.get(name, {})
        if own.get("kind") not in (None, known.get("kind")):
            known = {}  # another kind of thing under this name: the known address and key are not its own
        origins |= {f"providers.{name}.{field}": Origin(FILE, str(file.path)) for field in own}
        variable = ENDPOINT_VARIABLES.get(name, "")
        if (url := variables.get(variable)) and "base_url" not in own:
            if wrong := meaning("base_url", url):
                raise ConfigError(f"{variables.origin(variable)}: {wrong}")
            own["base_url"] = url
            origins[f"providers.{name}.base_url"] = Origin(ENVIRONMENT, variables.origin(variable))
        table = known | own
        table.setdefault("base_url", ENDPOINTS.get(table["kind"], ""))
        tables[name] = convert(table, ProviderTable)
    return tables, origins


def _named_origins(file: ConfigFile) -> dict[str, Origin]:
    """Profiles and aliases stand nowhere but in the file."""
    place = Origin(FILE, str(file.path))
    profiles = file.tables.get("profiles", {})
    names = [f"profiles.{name}.{field}" for name, table in profiles.items() for field in table]
    return dict.fromkeys([*names, *(f"aliases.{name}" for name in file.tables.get("aliases", {}))], place)


def _merged(layers: Sequence[Layer], origins: dict[str, Origin]) -> tuple[dict[str, Any], Path | None]:
    """The winning values and, into `origins`, where they stand; and the directory that the system prompt is from."""
    values: dict[str, Any] = {}
    system_base = None
    for layer in reversed(layers):
        for key, (value, words) in layer.values.items():
            values[key] = value
            origins[key] = Origin(layer.rank, words)
        if "defaults.system" in layer.values:
            system_base = layer.base
    return values, system_base


def _section(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    names = SECTIONS[section].__struct_fields__
    return {name: values[f"{section}.{name}"] for name in names if f"{section}.{name}" in values}


def _system(text: str, base: Path | None) -> tuple[str, Path | None]:
    """The system prompt's text, or the file that it stands in; `@@` is how a text begins with @."""
    if base is None or not text.startswith("@"):
        return text, None
    if text.startswith("@@"):
        return text[1:], None
    name = text[1:]
    return "", Path(name) if name.startswith("~") else base / name


def _named_providers(layers: Iterable[Layer]) -> Iterator[tuple[int, str]]:
    """The providers that the layers name, strongest first; an empty name means: whoever is there."""
    for layer in layers:
        name, _ = layer.values.get("defaults.provider", (None, ""))
        if name == "":
            return
        if name is not None:
            yield layer.rank, name


def _chosen_here(
    values: Mapping[str, Any],
    origins: Mapping[str, Origin],
    named: Sequence[tuple[int, str]],
    providers: Mapping[str, ProviderTable],
    aliases: Mapping[str, str],
) -> str | None:
    """The provider that the project file chose, None where it chose none."""
    place = origins.get("defaults.model")
    if place is None or place.rank != PROJECT or any(rank < PROJECT for rank, _ in named):
        return None
    return choose(values["defaults.model"], PROJECT, named, providers, aliases)[0]


def _keyless(providers: Mapping[str, ProviderTable], kept: Collection[str]) -> dict[str, ProviderTable]:
    """The providers for which the person has no key anywhere but, perhaps, in a variable."""
    return {
        name: table
        for name, table in providers.items()
        if not (table.api_key_cmd or table.api_key_keyring or name in kept)
    }


def _announced(origins: Mapping[str, Origin]) -> Iterator[str]:
    """The project file's announcement of what it changed."""
    set_here = [name.partition(".")[2] for name, origin in origins.items() if origin.rank == PROJECT]
    if set_here:
        yield f"{PROJECT_NAME} in the current directory sets {', '.join(sorted(set_here))}"
