"""The words behind `ask` and `chat`, read without the parser where there is nothing about them to doubt.

Typer takes longer to import than all that is ours. What is understood here are whole option names with their values
beside them or behind an equals sign, and words; for anything else (letters run together, a value that begins with a
hyphen, a number that is none, an option that there is not, --help) the answer is None, and Typer reads the words.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, get_args

from streamchat.cli.coercion import conversion
from streamchat.cli.flags import Flag, Flags

_SPECIAL = ("-x", "--extract")
"""Its value may be left out, which is decided elsewhere."""


class _Option(NamedTuple):
    field: str
    convert: Callable[[Any], Any] | None
    """None for an option without a value, which is then `given`."""
    many: bool
    given: bool


def plain(words: Sequence[str]) -> tuple[str, Flags] | None:
    """The question and the flags that these words are; None where the parser must look itself."""
    options = dict(_options())
    text: list[str] = []
    found: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            text += rest
            break
        if not word.startswith("-"):
            text.append(word)
            continue
        name, equals, value = word.partition("=")
        option = options.get(name)
        if option is None or name in _SPECIAL or (equals and (option.convert is None or not name.startswith("--"))):
            return None
        if option.convert is None:
            found[option.field] = option.given
            continue
        if not equals:
            if not rest or rest[0].startswith("-"):
                return None
            value = rest.pop(0)
        try:
            converted = option.convert(value)
        except ValueError:
            return None
        found[option.field] = [*found.get(option.field, ()), converted] if option.many else converted
    return " ".join(text).strip(), Flags(**found)


def _options() -> Iterator[tuple[str, _Option]]:
    for field, told in Flags.__annotations__.items():
        kind, flag = get_args(told)
        assert isinstance(flag, Flag)
        convert, many = conversion(kind)
        for names in flag.names:
            yes, _, no = names.partition("/")
            yield yes, _Option(field, convert, many, True)
            if no:
                yield no, _Option(field, convert, many, False)
