"""The places that values come from, each read as a layer of settings; pure."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, convert

from streamchat.config.checks import meaning, misfit
from streamchat.config.environment import Variables
from streamchat.config.file import ConfigFile
from streamchat.config.schema import SECTIONS, setting_of_profile
from streamchat.config.settings import CONVENTION, ENVIRONMENT, FILE, FLAG, RESUMED
from streamchat.config.target import nearest, printable
from streamchat.errors import ConfigError, UsageError

FLAGS = {
    "ui.reasoning": "--hide-reasoning",
    "ui.footer": "--quiet",
    "history.save": "--no-save",
    "defaults.stream": "--no-stream",
}
"""The flags that are not called as the setting that they set."""

CONVENTIONS: dict[str, tuple[str, Any]] = {
    "NO_COLOR": ("ui.color", "never"),
    "FORCE_COLOR": ("ui.color", "always"),
    "ACCESSIBLE": ("ui.accessible", True),
}
"""Variables that many programs share and what they mean here; of two for one setting the first wins. `0` is no."""


class Layer(Struct, frozen=True):
    """The values of one place by their dotted names, each with the words for where it stands."""

    rank: int
    values: dict[str, tuple[Any, str]]
    base: Path | None = None
    """The directory that `@FILE` in `system` means; None where a text that begins with @ is only a text."""


def variable_of(setting: str) -> str:
    """The variable that sets a setting: STREAMCHAT_MODEL, STREAMCHAT_UI_COLOR."""
    section, _, name = setting.partition(".")
    return f"STREAMCHAT_{name}".upper() if section == "defaults" else f"STREAMCHAT_{section}_{name}".upper()


KINDS = {
    f"{section}.{name}": kind for section, schema in SECTIONS.items() for name, kind in schema.__annotations__.items()
}
"""The type of each setting, by its dotted name."""

VARIABLES = {variable_of(setting): setting for setting, kind in KINDS.items() if kind != tuple[str, ...]}
"""The setting of each variable: of each that is not a list."""


def flag_layer(flags: Mapping[str, Any], base: Path) -> Layer:
    """What the command line says."""
    values = {}
    for name, value in flags.items():
        key = name if "." in name else f"defaults.{name}"
        if value is None or name in ("base_url", "speed"):
            continue
        flag = FLAGS.get(key, f"--{key.partition('.')[2].replace('_', '-')}")
        if wrong := misfit(value, KINDS[key], text=True) or meaning(key.partition(".")[2], value):
            raise UsageError(f"{flag}: {wrong}")
        values[key] = (convert(value, KINDS[key], strict=False), f"flag {flag}")
    return Layer(FLAG, values, base)


def flag_base_url(flags: Mapping[str, Any]) -> str:
    """The address that the command line gives, "" for none."""
    url = flags.get("base_url") or ""
    if wrong := meaning("base_url", url):
        raise UsageError(f"--base-url: {wrong}")
    return url


def profile_layer(file: ConfigFile, name: str, rank: int) -> Layer:
    """What the profile of this name says; "" is no profile."""
    profiles = file.tables.get("profiles", {})
    if name and name not in profiles:
        guesses = nearest(name, profiles)
        hint = (
            f"did you mean {' or '.join(guesses)}?" if guesses else f"profiles stand in {file.path} as [profiles.NAME]"
        )
        raise UsageError(f"there is no profile `{printable(name)}`", hint)
    table = profiles[name] if name else {}
    words = f"profile {name} ({file.path})"
    return Layer(rank, {setting_of_profile(field): (value, words) for field, value in table.items()}, file.path.parent)


def resumed_layer(values: Mapping[str, Any]) -> tuple[Layer, list[str]]:
    """What a kept conversation says; what no longer fits is left out, with a notice, and never stops it."""
    fitting, notices = {}, []
    for name, value in values.items():
        key = name if "." in name else f"defaults.{name}"
        if value is None:
            continue
        if key in KINDS and not misfit(value, KINDS[key]):
            fitting[key] = (value, "resumed conversation")
        else:
            notices.append(
                f"`{printable(name)}` of the resumed conversation is not a setting of this version: left out"
            )
    return Layer(RESUMED, fitting), notices


def environment_layer(variables: Variables, base: Path) -> Layer:
    """What STREAMCHAT_* say."""
    for wrong in bad_variables(variables):
        raise ConfigError(wrong)
    values = {}
    for variable, key in VARIABLES.items():
        if text := variables.get(variable):
            values[key] = (convert(text, KINDS[key], strict=False), variables.origin(variable))
    return Layer(ENVIRONMENT, values, base)


def bad_variables(variables: Variables) -> Iterator[str]:
    """What is wrong with the variables that set settings, a line each."""
    for variable, key in VARIABLES.items():
        text = variables.get(variable)
        if text and (wrong := misfit(text, KINDS[key], text=True) or meaning(key.partition(".")[2], text)):
            yield f"{variables.origin(variable)}: {wrong}"


def table_layer(rank: int, tables: Mapping[str, Any], words: str, base: Path | None = None) -> Layer:
    """What the sections among these tables say."""
    sections = ((section, tables.get(section, {})) for section in SECTIONS)
    return Layer(
        rank,
        {f"{section}.{name}": (value, words) for section, table in sections for name, value in table.items()},
        base,
    )


def file_layer(file: ConfigFile) -> Layer:
    """What the configuration file says."""
    return table_layer(FILE, file.tables, str(file.path), file.path.parent)


def convention_layer(variables: Variables) -> Layer:
    """What the variables that many programs share say."""
    values: dict[str, tuple[Any, str]] = {}
    for variable, (key, value) in CONVENTIONS.items():
        if variables.get(variable) not in ("", "0") or (variable == "NO_COLOR" and variables.get(variable)):
            values.setdefault(key, (value, variable))
    return Layer(CONVENTION, values)
