"""What Tab completes: commands, their arguments, and files after an @."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from streamchat.errors import ChatError
from streamchat.paths import expanded
from streamchat.repl.commands.keeping import store
from streamchat.repl.commands.registry import commands, find
from streamchat.repl.commands.setting import SETTABLE

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl

_MENTION = re.compile(r'(?<![^\s([{])@(?:"([^"\n]*)|([^\s"]*))\Z')


class Completions(Completer):
    """For the prompt; asked in a thread, so that a source may take its time."""

    def __init__(self, repl: "Repl") -> None:
        self._repl = repl

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        if (named := mention_begun(before)) is not None:
            yield from (Completion(_mention(path), -len(named[0])) for path in files(named[1] or named[2] or ""))
        elif before.startswith("/") and " " not in before:
            for name, each in self._repl.commands().items():
                if name.startswith(before[1:]):
                    yield Completion(f"/{name}", -len(before), display_meta=each.help)
        elif before.startswith("/"):
            yield from self._arguments(*before[1:].split(" ", 1))

    def _arguments(self, word: str, typed: str) -> Iterator[Completion]:
        try:
            source = SOURCES.get(find(word, self._repl.commands()).completes)
        except ChatError:
            return
        for value in source(self._repl, typed) if source else ():
            if value.lower().startswith(typed.lower()):
                yield Completion(value, -len(typed))


def mention_begun(before: str) -> re.Match[str] | None:
    """The @path or @"path" that a text ends in, the path as its group 1 or 2."""
    line = before[before.rfind("\n") + 1 :]
    begin = line.find("@")  # a text without any costs nothing
    return None if begin < 0 else _MENTION.search(line, begin)


def _mention(path: str) -> str:
    """The path as a message names it: in quotes where there is a space in it, open as long as it is a directory's."""
    if not any(map(str.isspace, path)):
        return f"@{path}"
    return f'@"{path}' if path.endswith("/") else f'@"{path}"'


def files(typed: str) -> list[str]:
    """The paths that begin as typed, directories with a slash behind them; hidden ones only when asked for."""
    folder, _, start = typed.rpartition("/")
    place = expanded(folder or ("/" if typed.startswith("/") else "."))
    try:
        found = sorted(path for path in place.iterdir() if path.name.startswith(start))
    except (OSError, ValueError):
        return []
    prefix = typed[: len(typed) - len(start)]
    return [
        f"{prefix}{path.name}{'/' if path.is_dir() else ''}"
        for path in found
        if start.startswith(".") or not path.name.startswith(".")
    ]


def conversations(repl: "Repl") -> list[str]:
    """The names of the kept conversations, and the ids of those without one, the last used first."""
    try:
        with store(repl) as kept:
            return [entry.name or entry.id for entry in kept.entries(limit=50)]
    except ChatError:
        return []


SOURCES: Final[dict[str, Callable[["Repl", str], Iterable[str]]]] = {
    "commands": lambda _, __: commands(),
    "files": lambda _, typed: files(typed),
    "models": lambda repl, _: repl.models(),
    "conversations": lambda repl, _: conversations(repl),
    "settings": lambda _, __: SETTABLE,
    "profiles": lambda repl, _: repl.settings.profiles,
}
"""Where a command's argument comes from, by the name that `completes` gives."""
