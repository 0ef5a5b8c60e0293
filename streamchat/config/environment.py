"""Variables from the environment and from `.env` files; what may hold a key is never part of a repr."""

from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from streamchat.config.target import printable
from streamchat.errors import ConfigError


class Variables:
    """Variables and where each was found, strongest place first. An empty one counts as not set."""

    __slots__ = ("_places",)

    def __init__(self, *places: tuple[str, Mapping[str, str]]) -> None:
        self._places = places

    def get(self, name: str) -> str:
        """The variable's value, "" where there is none."""
        return self._find(name)[1]

    def origin(self, name: str) -> str:
        """The variable's name, with the file it stands in if it is not from the environment itself."""
        place, _ = self._find(name)
        return f"{name} ({place})" if place else name

    def where(self) -> str:
        """The places, in words."""
        return ", ".join(place or "environment" for place, _ in self._places)

    def mentions(self, name: str) -> bool:
        """Whether a place names the variable, be it to make it empty."""
        return any(name in values for _, values in self._places)

    def additions(self) -> dict[str, str]:
        """What the files add to the environment itself."""
        _, environ = self._places[0]
        merged: dict[str, str] = {}
        for _, values in reversed(self._places[1:]):
            merged |= {name: value for name, value in values.items() if name not in environ}
        return merged

    def __iter__(self) -> Iterator[str]:
        """The names, each once."""
        return iter({name: None for _, values in self._places for name in values})

    def __repr__(self) -> str:
        return f"Variables({self.where()})"

    def _find(self, name: str) -> tuple[str, str]:
        for place, values in self._places:
            if value := values.get(name, "").strip():
                return place, value
        return "", ""


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `.env` that the person trusts; a line that cannot be read is an error that names it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {reason(error)}") from None
    values, bad_lines = parse_env(text)
    if bad_lines:
        raise ConfigError(f"{path}:{bad_lines[0]}: this is not NAME=value")
    return values


def parse_env(text: str) -> tuple[dict[str, str], list[int]]:
    """The variables of a `.env` text, taken literally (nothing is expanded), and the lines that are none."""
    # 30 ms, so only where there is a .env. The parser alone: it looks for no file, expands nothing and logs nothing.
    from dotenv.parser import parse_stream

    values: dict[str, str] = {}
    bad_lines: list[int] = []
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            bad_lines.append(binding.original.line)
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values, bad_lines


def reason(error: Exception) -> str:
    """Why a file could not be read, in a few words."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    return printable(getattr(error, "strerror", None) or str(error))
