"""Where in a configuration file's text a setting, its value and the settings of a table stand."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from streamchat.config.file import DOTTED, Key, key_parts, parse_toml, position, written

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")


def value_span(text: str, key: Key) -> tuple[int, int] | None:
    """Where the value of a setting stands in the text: up to the first comment or line's end at which it is whole."""
    for number, column, table, parts in written(text):
        if parts and (*table, *parts) == key:
            line = sum(map(len, text.splitlines(keepends=True)[: number - 1]))
            named = re.compile(rf"{DOTTED}\s*=\s*").match(text, line + column - 1)
            start = named.end() if named else 0
            for end in (*(found.start() for found in re.finditer("[#\n]", text) if found.start() > start), len(text)):
                with suppress(ValueError):
                    parse_toml(f"value = {text[start:end]}")
                    return start, start + len(text[start:end].rstrip())
    return None


def settings_of(text: str, table: Key) -> Iterator[Key]:
    tables: Any = parse_toml(text)
    for part in table:
        tables = tables.get(part) if isinstance(tables, dict) else None
    yield from ((*table, name) for name in tables) if isinstance(tables, dict) else ()


def setting_span(text: str, key: Key) -> tuple[int, int] | None:
    """The lines of a setting, the first and the one behind its last: the fewest that are TOML by themselves."""
    place = position(text, key)
    if place is None:
        return None
    lines = text.splitlines(keepends=True)
    start = place[0] - 1
    for end in range(start + 1, len(lines) + 1):
        try:
            parse_toml("".join(lines[start:end]))
        except ValueError:
            continue
        return start, end
    return None


def table_span(text: str, table: Key) -> tuple[int, int] | None:
    """The lines below a table's header, up to the next header."""
    lines = text.splitlines()
    headers = [(index, key_parts(found[1])) for index, line in enumerate(lines) if (found := _HEADER.match(line))]
    for order, (index, key) in enumerate(headers):
        if key == table:
            return index + 1, headers[order + 1][0] if order + 1 < len(headers) else len(lines)
    return None
