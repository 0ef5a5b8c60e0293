"""Words of the command line as values, without the parser's validation where there is nothing to validate.

Typer builds an adapter of pydantic's for every parameter that a command has, given or not, and pydantic takes twice as
long to import as Typer itself. What cannot be wrong is converted here instead: texts, paths, and numbers that are
plainly numbers. Everything else goes through Typer's own, whose complaints are then the same as ever; so does all of it
should Typer no longer keep its conversion where we look for it. (`words` converts by the same functions.)
"""

import re
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Any, get_args

_SLOT = "_runtime_param"
"""Where Typer keeps a parameter's conversion once it is built."""

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)


def _text(word: Any) -> str:
    if type(word) is not str:
        raise ValueError
    return word


def _integer(word: Any) -> int:
    return word if type(word) is int else int(_plain(word))


def _real(word: Any) -> float:
    return word if type(word) is float else float(_plain(word))


def _plain(word: Any) -> str:
    if not _NUMBER.fullmatch(_text(word)):
        raise ValueError
    return str(word)


def _path(word: Any) -> Path:
    if isinstance(word, Path):
        return word
    if "\0" in _text(word):
        raise ValueError
    return Path(word)


def _flag(given: Any) -> bool:
    if type(given) is not bool:
        raise ValueError
    return given


_CONVERSIONS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _integer,
    float: _real,
    Path: _path,
    bool: _flag,
}
_LISTS: dict[Any, Callable[[Any], Any]] = {list[str]: _text, list[Path]: _path}
_VALIDATED = ("parser", "click_type", "exists", "resolve_path")


def conversion(kind: Any) -> tuple[Callable[[Any], Any] | None, bool]:
    """How one word becomes a value of this kind (or None), None for a flag; and whether there may be several."""
    (kind,) = [each for each in get_args(kind) if each is not type(None)] if type(kind) is UnionType else (kind,)
    return (None if kind is bool else _CONVERSIONS.get(kind) or _LISTS[kind]), kind in _LISTS


class Quick:
    """What Typer asks for a parameter's value; made of that parameter's own type."""

    def __init__(self, one: Callable[[Any], Any], *, many: bool, least: float | None, most: float | None) -> None:
        self._convert, self._many = one, many
        self._least, self._most = least, most

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value; what is not plainly one is left to Typer, for good."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        try:
            if self._many and not isinstance(value, str):
                return [self._one(word) for word in value]
            if not (self._many or several):
                return self._one(value)
        except ValueError:
            pass
        setattr(param, _SLOT, None)
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)

    def _one(self, word: Any) -> Any:
        value = self._convert(word)
        if (self._least is not None and value < self._least) or (self._most is not None and value > self._most):
            raise ValueError
        return value


def quick(command: Any) -> Any:
    """The command (and those below it) with the quick conversion wherever there is nothing to validate."""
    for parameter in command.params:
        _quicken(parameter)
    own = command.get_help_option
    command.get_help_option = lambda context: _quicken(own(context))
    for below in getattr(command, "commands", {}).values():
        quick(below)
    return command


def _quicken(parameter: Any) -> Any:
    told = getattr(parameter, "type_descriptor", None)
    if told is None or getattr(parameter, _SLOT, told) is not None or not hasattr(parameter, "get_runtime_param"):
        return parameter  # not the Typer that this was written for
    info = told.parameter_info
    if any(getattr(info, name, None) for name in _VALIDATED):
        return parameter
    conversion = _CONVERSIONS.get(told.annotation) or _LISTS.get(told.annotation)
    if conversion is not None:
        setattr(parameter, _SLOT, Quick(conversion, many=told.annotation in _LISTS, least=info.min, most=info.max))
    return parameter
