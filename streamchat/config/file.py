"""The configuration file as tables, and where in its text each of them stands."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamchat.config.environment import reason
from streamchat.config.target import printable
from streamchat.errors import ConfigError

Key = tuple[str, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({DOTTED})\s*\]\]?")
_SETTING = re.compile(rf"\s*({DOTTED})\s*=")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class ConfigFile(Struct, frozen=True):
    """A configuration file as it was read; `text` is kept to find the lines of what is wrong."""

    path: Path
    text: str = ""
    tables: dict[str, Any] = {}

    def place(self, key: Key) -> str:
        """`path:line:column` of a setting, as near as its text tells."""
        for length in range(len(key), 0, -1):
            if found := position(self.text, key[:length]):
                return f"{self.path}:{found[0]}:{found[1]}"
        return str(self.path)


def read_config(path: Path, *, required: bool) -> ConfigFile:
    """The file at this path; a missing one is empty unless a person named it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if required:
            raise ConfigError(f"there is no configuration file {path}", "write one: streamchat config init") from None
        return ConfigFile(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {reason(error)}") from None
    return parse_config(path, text)


def parse_config(path: Path, text: str) -> ConfigFile:
    """The text of a configuration file as tables."""
    try:
        return ConfigFile(path, text, parse_toml(text))
    except ValueError as error:
        message, line, column = syntax_error(error)
        place = f"{path}:{line}:{column}" if line else str(path)
        raise ConfigError(f"{place}: this is not TOML: {message}") from None


def parse_toml(text: str) -> dict[str, Any]:
    """TOML as tables; whatever is wrong with it is a ValueError."""
    import tomllib  # only where there is a file

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def syntax_error(error: ValueError) -> tuple[str, int, int]:
    """What the TOML reader says, with line and column (0 where it does not know)."""
    words = str(error)
    place = _PLACE.search(words)
    line, column = (int(place[1] or 0), int(place[2] or 0)) if place else (0, 0)
    return printable(_PLACE.sub("", words), 120), line, column


def dotted(key: Key) -> str:
    """A key as it is written, fit for a terminal."""
    return ".".join(printable(part, 40) for part in key)


def position(text: str, key: Key) -> tuple[int, int] | None:
    """Line and column where a key is written, or the first that is below it."""
    for number, column, table, parts in written(text):
        if (*table, *parts)[: len(key)] == key:
            return number, column
    return None


def written(text: str) -> Iterator[tuple[int, int, Key, Key]]:
    """The headers and settings of a text: line, column, table, and the key in it (none for the header itself).

    Strings over several lines are skipped.
    """
    table: Key = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if header := _HEADER.match(line):
            table = key_parts(header[1])
            yield number, header.start(1) + 1, table, ()
            continue
        if not (setting := _SETTING.match(line)):
            continue
        yield number, setting.start(1) + 1, table, key_parts(setting[1])
        value = line[setting.end() :].strip()
        for quotes in ('"""', "'''"):
            if value.startswith(quotes) and quotes not in value[3:]:
                closing = quotes


def key_parts(dotted_key: str) -> Key:
    """A key as it is written, part by part, without its quotes."""
    return tuple(_unquoted(part) for part in re.findall(_KEY, dotted_key))


def _unquoted(part: str) -> str:
    if "\\" in part:
        with suppress(ValueError):
            return str(parse_toml(f"key = {part}")["key"])
    return part[1:-1] if part[0] in "\"'" else part
