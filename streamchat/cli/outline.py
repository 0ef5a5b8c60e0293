"""The outline of the command line: what help, completion and a slip in an option need of it, without its parser.

The parser (Typer) takes five times as long to import as Python to start, and it has to import every command to know its
options. Their outline is therefore kept in the cache, as JSON, and made anew from the commands themselves whenever a
file of the program or an installed package is another than it was. It answers as the parser's own objects do, as far
as `pages` and `completing` ask them, so that there is one page and one completion.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from streamchat import __version__
from streamchat.errors import UsageError

_FILE = "outline.json"
_OTHERS = 0o022
"""Whoever else may write a file could put words into the program's mouth."""
_QUESTION = 3
"""Words that may have been meant as a question."""


class Parameter(SimpleNamespace):
    """An option or an argument."""

    opts: list[str]
    secondary_opts: list[str]
    record: list[str] | None
    is_flag: bool
    nargs: int

    def get_help_record(self, _: Any) -> tuple[str, str] | None:
        return (self.record[0], self.record[1]) if self.record else None


class Command:
    """A command; `commands` are those below it, empty for one that has none."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.name: str = told["name"]
        self.help: str = told["help"]
        self.hidden: bool = told["hidden"]
        self.commands = {name: command_of(below) for name, below in told["commands"].items()}
        self.parameters = [Parameter(**each) for each in told["parameters"]]

    def get_params(self, _: Any) -> list[Parameter]:
        return self.parameters


class Group(Command):
    """A command with commands below it; `lines` is given where those have a line of their own for its help."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(told)
        if told["lines"] is not None:
            self.lines: dict[str, str] = told["lines"]

    def list_commands(self, _: Any) -> list[str]:
        return list(self.commands)

    def get_command(self, _: Any, name: str) -> Command | None:
        return self.commands.get(name)


class Place:
    """Where in the command line one is."""

    def __init__(self, command: Command, *, info_name: str, parent: "Place | None" = None) -> None:
        self.command, self.parent = command, parent
        self.command_path: str = f"{parent.command_path} {info_name}" if parent else info_name


def command_of(told: Mapping[str, Any]) -> Command:
    """The command that `told` is the description of."""
    return Group(told) if told["group"] else Command(told)


def kept(cache: Path) -> Group | None:
    """The outline that was kept in this directory; None if there is none, or not of this very program."""
    try:
        with open(cache / _FILE, "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & _OTHERS:
                return None
            told = json.loads(file.read())
        return Group(told["top"]) if told["stamp"] == _stamp() else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def keep(top: Any, context: Any, cache: Path) -> Group:
    """The outline of these commands of the parser's; kept, if the directory can be written."""
    told = _told(top, context)
    data = json.dumps({"stamp": _stamp(), "top": told}).encode()
    beside = cache / f"{_FILE}.{os.getpid()}"
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        os.replace(beside, cache / _FILE)
    except OSError:  # it is made anew the next time
        with suppress(OSError):
            beside.unlink()
    return Group(told)


def found(top: Command, words: Sequence[str]) -> tuple[Command, Place] | None:
    """The command that these words lead to, with its place; None if they lead nowhere."""
    command, place = top, Place(top, info_name="streamchat")
    for word in words:
        if word not in command.commands:
            return None
        command = command.commands[word]
        place = Place(command, info_name=word, parent=place)
    return command, place


def slip(top: Command, words: Sequence[str]) -> UsageError | None:
    """The first option among these words that there is not, in the parser's words; None if it must look itself."""
    command, path, rest = top, "streamchat", list(words)
    names = _names(command)
    while rest:
        word = rest.pop(0)
        name, value_given, _ = word.partition("=")
        if word == "--":
            return None
        if len(word) < 2 or word[0] != "-":
            if isinstance(command, Group):
                if word not in command.commands:
                    return None
                command, path = command.commands[word], f"{path} {word}"
                names = _names(command)
        elif name in names and len(name) > 2:
            if _takes_value(names[name]) == bool(value_given):
                continue
            if value_given or not rest:
                return None
            rest.pop(0)
        elif word.startswith("--"):
            from difflib import get_close_matches

            near = sorted(get_close_matches(name, [name for name in names if len(name) > 2]))
            return _no_such(name, path, words, f" (Possible options: {', '.join(near)})" if near else "")
        else:
            for place, letter in enumerate(word[1:], 1):
                if f"-{letter}" not in names:
                    return _no_such(f"-{letter}", path, words)
                if _takes_value(names[f"-{letter}"]):
                    if place + 1 == len(word):  # nothing behind it in the word: its value is the next one
                        if not rest:
                            return None
                        rest.pop(0)
                    break
    return None


def _names(command: Command) -> dict[str, Parameter]:
    options = [each for each in command.parameters if each.param_type_name == "option"]
    return {name: each for each in options for name in (*each.opts, *each.secondary_opts)}


def _takes_value(option: Parameter) -> bool:
    return not option.is_flag


def refused(message: str, path: str, words: Sequence[str]) -> UsageError:
    """The parser's complaint about these words: where their help is, and how to ask them if they were a question."""
    hint = f"See: {path} --help"
    text = [word for word in words if not word.startswith("-")]
    if len(text) >= _QUESTION:
        if words[0] == path.split()[-1] == "ask":
            hint += "; behind -- every word is text"
        elif text == [*words] and words[0] not in ("ask", "chat"):
            hint += f"; to ask just that: streamchat ask {' '.join(words)}"
    return UsageError(message, hint)


def _no_such(name: str, path: str, words: Sequence[str], more: str = "") -> UsageError | None:
    return refused(f"no such option: {name}{more}", path, words) if name.isprintable() else None


def _told(command: Any, context: Any) -> dict[str, Any]:
    names = command.list_commands(context) if hasattr(command, "list_commands") else []
    below = {name: command.get_command(context, name) for name in names}
    return {
        "name": command.name,
        "help": command.help or "",
        "hidden": bool(command.hidden),
        "group": hasattr(command, "list_commands"),
        "lines": getattr(command, "lines", None),
        "parameters": [_parameter(each, context) for each in command.get_params(context)],
        "commands": {
            name: _told(each, type(context)(each, info_name=name, parent=context)) for name, each in below.items()
        },
    }


def _parameter(parameter: Any, context: Any) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "param_type_name": parameter.param_type_name,
        "opts": list(parameter.opts),
        "secondary_opts": list(parameter.secondary_opts),
        "is_flag": bool(getattr(parameter, "is_flag", False)),
        "nargs": parameter.nargs,
        "metavar": parameter.metavar,
        "help": getattr(parameter, "help", None),
        "hidden": bool(getattr(parameter, "hidden", False)),
        "rich_help_panel": getattr(parameter, "rich_help_panel", None),
        "record": parameter.get_help_record(context) if parameter.param_type_name == "option" else None,
    }


def _stamp() -> list[Any]:
    """What tells this program from any other: its version, and when its files and its neighbours were changed."""
    package = Path(__file__).parent.parent
    times = [os.stat(package.parent).st_mtime_ns, *_times(str(package))]
    return [__version__, len(times), max(times), sum(times) % 2**53]


def _times(directory: str) -> Iterator[int]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.stat().st_mtime_ns
            elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                yield from _times(entry.path)
