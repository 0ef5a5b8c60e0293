"""Everything that is wrong with a configuration file: where, what was expected, and the nearest name."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from msgspec import Meta, Struct, ValidationError, convert

from streamchat.config.file import ConfigFile, Key, dotted
from streamchat.config.known import KNOWN
from streamchat.config.schema import SECTIONS, TABLES
from streamchat.config.target import nearest, printable, split_model
from streamchat.errors import ChatError


class Problem(Struct, frozen=True):
    """One thing that is wrong, and where; its text never shows a value that may be secret."""

    place: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f"; {self.hint}" if self.hint else "")


def problems(file: ConfigFile) -> Iterator[Problem]:
    """Everything that is wrong with a configuration file, in the file's own order."""
    for name, value in file.tables.items():
        if name in SECTIONS:
            yield from _section(file, (name,), value, SECTIONS[name])
        elif name in TABLES:
            yield from _named(file, name, value)
        elif name == "aliases":
            yield from _aliases(file, value)
        else:
            yield _unknown(file, (name,), [*SECTIONS, *TABLES, "aliases"])
    yield from _references(file)


def misfit(value: object, kind: Any, *, text: bool = False) -> str:
    """What was expected where this value does not fit, "" where it does; `text` for a variable's or a flag's value."""
    try:
        convert(value, kind, strict=not text)
    except ValidationError:
        return f"expected {expected(kind)}, found {_found(value, text)}"
    return "" if value == value else f"expected {expected(kind)}, found nan"  # only nan differs from itself


def expected(kind: Any) -> str:
    """A type in the words of the configuration."""
    return " or ".join(_words(kind))


def providers_of(tables: Mapping[str, Any]) -> set[str]:
    """The names of the providers that there are with these tables."""
    own = tables.get("providers")
    return {*KNOWN, *(own if isinstance(own, dict) else ())}


def _section(file: ConfigFile, key: Key, value: object, schema: type[Struct]) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(file.place(key), f"`{dotted(key)}` is a table: [{dotted(key)}]")
        return
    kinds = schema.__annotations__
    for name, item in value.items():
        if name not in kinds:
            yield _unknown(file, (*key, name), kinds)
        elif wrong := misfit(item, kinds[name]) or meaning(name, item):
            yield Problem(file.place((*key, name)), f"`{dotted((*key, name))}`: {wrong}")


def _named(file: ConfigFile, section: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(file.place((section,)), f"`{section}` holds tables: [{section}.NAME]")
        return
    for name, table in value.items():
        key = (section, name)
        if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
            yield Problem(file.place(key), f"`{dotted(key)}`: a name is letters, digits, `.`, `_` and `-`")
        yield from _section(file, key, table, TABLES[section])
        if section == "providers" and name not in KNOWN and isinstance(table, dict) and "kind" not in table:
            guesses = nearest(name, KNOWN, cutoff=0.75)
            hint = f"did you mean [providers.{guesses[0]}]?" if guesses else 'most servers are kind = "openai"'
            yield Problem(file.place(key), f"[{dotted(key)}] needs its `kind`", hint)


def _aliases(file: ConfigFile, value: object) -> Iterator[Problem]:
    if wrong := misfit(value, dict[str, Any]):
        yield Problem(file.place(("aliases",)), f"`aliases`: {wrong}")
        return
    assert isinstance(value, dict)
    for name, text in value.items():
        key = ("aliases", name)
        if wrong := misfit(text, str):
            yield Problem(file.place(key), f"`{dotted(key)}`: {wrong}")
            continue
        try:
            split_model(text, providers_of(file.tables), {})
        except ChatError as error:
            yield Problem(file.place(key), f"`{dotted(key)}`: {error.message}", error.hint or "")


def _references(file: ConfigFile) -> Iterator[Problem]:
    """Names that stand for a table which does not exist."""
    profiles = file.tables.get("profiles")
    profiles = profiles if isinstance(profiles, dict) else {}
    providers = providers_of(file.tables)
    users = {("defaults",): file.tables.get("defaults")} | {
        ("profiles", name): table for name, table in profiles.items()
    }
    for key, table in users.items():
        if not isinstance(table, dict):
            continue
        for field, names in (("provider", providers), ("profile", set(profiles))):
            name = table.get(field)
            if isinstance(name, str) and name and name not in names and (field == "provider" or key == ("defaults",)):
                message = f"`{dotted((*key, field))}`: there is no {field} `{printable(name)}`"
                yield Problem(file.place((*key, field)), message, _did_you_mean(name, names))


def meaning(name: str, value: Any) -> str:
    """What is wrong with a value of the right type; it never repeats one that may be a secret."""
    match name:
        case "api_key_env" if value and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):
            return (
                "expected the NAME of an environment variable, in capitals; a key itself does not belong in this file"
            )
        case "api_key_cmd" if value and not _is_command(value):
            return "expected a command line: a quotation mark is missing"
        case "api_key_keyring" if value and not re.fullmatch(r"[^/]+/.+", value):
            return "expected SERVICE/USER"
        case "base_url" if value and not _is_url(value, ("http", "https")):
            return "expected an http:// or https:// address"
        case "proxy" if value and not _is_url(value, ("http", "https", "socks5", "socks5h")):
            return "expected an http://, https:// or socks5:// address"
        case "redact":
            for pattern in value:
                try:
                    re.compile(pattern)
                except re.error as error:
                    return f"`{printable(pattern)}` is not a regular expression: {error.msg}"
    return ""


def _is_command(text: str) -> bool:
    import shlex  # only where there is a command

    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


def _is_url(text: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        return False


def _unknown(file: ConfigFile, key: Key, names: Collection[str]) -> Problem:
    homes = " or ".join(f"[{section}]" for section, schema in SECTIONS.items() if key[-1] in schema.__annotations__)
    if len(key) == 1 and homes and not isinstance(file.tables[key[0]], dict):
        return Problem(file.place(key), f"`{dotted(key)}` stands in no section", f"write it below {homes}")
    where = f"[{dotted(key[:-1])}] has no setting" if len(key) > 1 else "there is no section"
    hint = _did_you_mean(key[-1], names)
    if not hint and homes and key[0] in SECTIONS:
        hint = f"it stands in {homes}"
    return Problem(file.place(key), f"{where} `{dotted(key[-1:])}`", hint)


def _did_you_mean(name: str, names: Collection[str]) -> str:
    guesses = nearest(name, names)
    return f"did you mean `{guesses[0]}`?" if guesses else ""


def _words(kind: Any) -> list[str]:
    """The kinds of value that a type admits, in words."""
    if get_origin(kind) is Literal:
        return [", ".join(get_args(kind))]
    if hasattr(kind, "__metadata__"):
        bounds = kind.__metadata__[0]
        return [f"{_words(kind.__origin__)[0]}{_bounds(bounds)}"]
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes", Any: "a value"}
    if kind in names:
        return [names[kind]]
    if get_origin(kind) is tuple:
        return ["a list of texts"]
    if get_origin(kind) is dict:
        return ["a table of texts" if get_args(kind)[1] is str else "a table"]
    return [word for part in get_args(kind) if part is not type(None) for word in _words(part)]


def _bounds(bounds: Meta) -> str:
    low = f" of {bounds.ge:g} or more" if bounds.ge is not None else ""
    low = low or (f" above {bounds.gt:g}" if bounds.gt is not None else "")
    return low + (f", at most {bounds.le:g}" if bounds.le is not None else "")


def _found(value: object, text: bool) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "a table"}
    if isinstance(value, str):
        return f"`{printable(value, 40)}`" if text or re.fullmatch(r"[a-z]{1,12}", value) else "a text"
    return str(value) if type(value) in (bool, int, float) else kinds.get(type(value), "a date or time")
