"""Changes to a configuration file's text that leave everything else in it as it stands, comments above all.

Each way of making a change is a guess about layout; what decides is that the text, read again, says exactly what the
old one said but for the change. A new setting takes the place of its commented line where `config init` wrote one.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, get_args, get_origin

from msgspec import convert

from streamchat.config.checks import meaning, misfit
from streamchat.config.example import toml, toml_key
from streamchat.config.file import DOTTED, Key, dotted, key_parts, parse_toml, written
from streamchat.config.schema import SECTIONS, TABLES
from streamchat.config.spans import setting_span, settings_of, table_span, value_span
from streamchat.config.target import nearest, printable
from streamchat.errors import ConfigError, UsageError

_FREE = ("headers", "options")
"""The settings of a provider that are tables of anything."""
_WAY_OUT = "change it by hand: streamchat config edit"


def key_of(name: str) -> Key:
    """The place in the file of a setting as a person names it; UsageError for one that there is not.

    >>> key_of("model"), key_of("ui.color"), key_of("providers.my.server.base_url"), key_of("aliases.fast")
    (('defaults', 'model'), ('ui', 'color'), ('providers', 'my.server', 'base_url'), ('aliases', 'fast'))
    """
    parts = key_parts(name) if re.fullmatch(DOTTED, name) else ()
    match parts:
        case (setting,) if setting in SECTIONS["defaults"].__annotations__:
            return ("defaults", setting)
        case (section, setting) if section in SECTIONS and setting in SECTIONS[section].__annotations__:
            return (section, setting)
        case ("aliases", _, *_):
            return ("aliases", ".".join(parts[1:]))
        case (section, _, _, *_) if section in TABLES:
            return _in_table(section, parts[1:], name)
    raise _unknown(name)


def table_of(name: str) -> Key | None:
    """The key of a whole table that a name means (`profiles.short`), None where it is none."""
    parts = key_parts(name)
    return (parts[0], ".".join(parts[1:])) if len(parts) > 1 and parts[0] in TABLES else None


def value_of(key: Key, text: str) -> Any:
    """The text of the command line as the setting's value; UsageError says what was expected."""
    kind = _kind(key)
    anything = kind == Any
    if anything or get_origin(kind) in (tuple, dict):
        value = _as_toml(text, or_text=anything)
        wrong = misfit(value, kind)
    else:
        wrong = misfit(text, kind, text=True)
        value = None if wrong else convert(text, kind, strict=False)
    if wrong := wrong or meaning(key[-1], value):
        raise UsageError(f"`{dotted(key)}`: {wrong}")
    return value


def assigned(text: str, key: Key, value: Any) -> str:
    """The file's text with this setting set."""
    tables = parse_toml(text)
    wanted = _with(tables, key, value)
    ways: list[Callable[[], str | None]] = [
        lambda: _uncommented(text, key, value),
        lambda: _below_last(text, key, value),
        lambda: _with_table(text, key, value),
        lambda: _beside(text, key, value),
        lambda: _rewritten(text, key, wanted),
    ]
    if holds(tables, key):
        ways.reverse()
    return _first_right(ways, wanted)


def removed(text: str, key: Key) -> str:
    """The file's text without this setting, or without the whole table of that key."""
    wanted = _without(parse_toml(text), key)
    return _first_right([lambda: _cut(text, key), lambda: _rewritten(text, key, wanted)], wanted)


def holds(tables: Any, key: Key) -> bool:
    """Whether these tables have something under the key."""
    for part in key:
        if not isinstance(tables, dict) or part not in tables:
            return False
        tables = tables[part]
    return True


def _in_table(section: str, parts: Key, name: str) -> Key:
    """A setting of a named table; the name itself may have dots."""
    kinds = TABLES[section].__annotations__
    for index in range(1, len(parts)):
        owner, setting, more = ".".join(parts[:index]), parts[index], parts[index + 1 :]
        if setting in kinds and (not more or setting in _FREE):
            return (section, owner, setting, *((".".join(more),) if more else ()))
    raise _unknown(name)


def _unknown(name: str) -> UsageError:
    if name.rpartition(".")[2] in ("api_key", "key", "token"):
        return UsageError(
            "a key does not belong in the configuration",
            "keep it in the system's keyring: streamchat keys set PROVIDER; or name its variable: api_key_env",
        )
    known = [f"{section}.{field}" for section, table in SECTIONS.items() for field in table.__annotations__]
    start = name.rpartition(".")[0]
    fields = TABLES[table].__annotations__ if (table := start.partition(".")[0]) in TABLES else ()
    known += [f"{start}.{field}" for field in fields]
    guesses = nearest(name, [*known, *SECTIONS["defaults"].__annotations__])
    hint = f"did you mean {' or '.join(guesses)}?" if guesses else "see them all: streamchat config show"
    return UsageError(f"there is no setting `{printable(name)}`", hint)


def _kind(key: Key) -> Any:
    if key[0] == "aliases":
        return str
    if key[0] in SECTIONS:
        return SECTIONS[key[0]].__annotations__[key[1]]
    kind = TABLES[key[0]].__annotations__[key[2]]
    return get_args(kind)[1] if len(key) > 3 else kind


def _as_toml(text: str, *, or_text: bool) -> Any:
    try:
        return parse_toml(f"value = {text}")["value"]
    except ValueError:
        if or_text:
            return text
        raise UsageError(f"`{printable(text)}` is no TOML value", 'lists are ["a", "b"], tables {a = "b"}') from None


def _first_right(ways: list[Callable[[], str | None]], wanted: dict[str, Any]) -> str:
    for way in ways:
        text = way()
        if text is None:
            continue
        try:
            if _filled(parse_toml(text)) == _filled(wanted):
                return text
        except ValueError:
            continue
    raise ConfigError("the file is laid out in a way that this command cannot change", _WAY_OUT)


def _filled(tables: dict[str, Any]) -> dict[str, Any]:
    """The tables without empty ones: whether one has its header is layout."""
    inner = {name: _filled(value) if isinstance(value, dict) else value for name, value in tables.items()}
    return {name: value for name, value in inner.items() if value != {}}


def _with(tables: dict[str, Any], key: Key, value: Any) -> dict[str, Any]:
    wanted = deepcopy(tables)
    inner = wanted
    for part in key[:-1]:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"`{dotted(key[:-1])}` is no table in the file", _WAY_OUT)
    inner[key[-1]] = list(value) if isinstance(value, tuple) else value
    return wanted


def _without(tables: dict[str, Any], key: Key) -> dict[str, Any]:
    wanted = deepcopy(tables)
    inner = wanted
    for part in key[:-1]:
        inner = inner[part]
    del inner[key[-1]]
    return wanted


def _setting_line(key: Key, value: Any, ending: str) -> str:
    return f"{toml_key(key[-1])} = {toml(value)}{ending}"


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _uncommented(text: str, key: Key, value: Any) -> str | None:
    """In the place of the commented line of that setting, in the table that it belongs to."""
    lines = text.splitlines(keepends=True)
    span = table_span(text, key[:-1])
    shape = re.compile(rf"#{re.escape(toml_key(key[-1]))}\s*=")
    for index in range(*span) if span else ():
        if shape.match(lines[index]):
            lines[index] = _setting_line(key, value, _ending(text))
            return "".join(lines)
    return None


def _below_last(text: str, key: Key, value: Any) -> str | None:
    """Below the last setting of its table, or below the table's header."""
    span = table_span(text, key[:-1])
    if span is None:
        return None
    lines = text.splitlines(keepends=True)
    at = span[0]
    for other in settings_of(text, key[:-1]):
        found = setting_span(text, other)
        at = max(at, found[1]) if found else at
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += _ending(text)
    return "".join([*lines[:at], _setting_line(key, value, _ending(text)), *lines[at:]])


def _with_table(text: str, key: Key, value: Any) -> str | None:
    """With a new table at the file's end."""
    ending = _ending(text)
    before = text if not text or text.endswith("\n") else text + ending
    header = f"[{'.'.join(map(toml_key, key[:-1]))}]"
    return f"{before}{ending if before else ''}{header}{ending}{_setting_line(key, value, ending)}"


def _beside(text: str, key: Key, value: Any) -> str | None:
    """Below a setting of the same table that is written with the table's name in front of it."""
    lines = text.splitlines(keepends=True)
    for _, _, table, parts in written(text):
        found = setting_span(text, (*table, *parts)) if (*table, *parts)[: len(key) - 1] == key[:-1] else None
        if found and len(table) < len(key) - 1:
            name = ".".join(map(toml_key, key[len(table) :]))
            line = f"{name} = {toml(value)}{_ending(text)}"
            return "".join([*lines[: found[1]], line, *lines[found[1] :]])
    return None


def _rewritten(text: str, key: Key, wanted: dict[str, Any]) -> str | None:
    """With the value alone replaced, or that of the inline table which it is in."""
    for length in range(len(key), 0, -1):
        span = value_span(text, key[:length])
        if span is not None and holds(wanted, key[:length]):
            return f"{text[: span[0]]}{toml(_at(wanted, key[:length]))}{text[span[1] :]}"
    return None


def _cut(text: str, key: Key) -> str | None:
    """Without the lines of the setting, or of the table's header and settings; comments stay."""
    lines = text.splitlines(keepends=True)
    spans = [setting_span(text, key)]
    if isinstance(_at(parse_toml(text), key), dict):
        header = table_span(text, key)
        if header is None:
            return None
        spans = [(header[0] - 1, header[0]), *(setting_span(text, other) for other in settings_of(text, key))]
    for span in sorted(filter(None, spans), reverse=True):
        del lines[slice(*span)]
    return "".join(lines)


def _at(tables: Any, key: Key) -> Any:
    for part in key:
        tables = tables[part]
    return tables
