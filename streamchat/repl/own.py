"""Commands that a person made: `commands/NAME.md` in the configuration directory, `{{input}}` in it is their text."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from streamchat.errors import UsageError
from streamchat.repl.commands.registry import Command
from streamchat.views.safe import one_line

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl

INPUT = "{{input}}"


def own_commands(directory: Path) -> dict[str, Command]:
    """By name; their first line is their help. Read anew each time, so that an edited file counts at once."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".md" and path.stem.isprintable())
    except OSError:
        return {}
    found = {}
    for path in paths:
        if " " in path.stem:
            continue
        argument = "[TEXT]" if INPUT in _text(path) else ""
        help_ = one_line(_text(path).lstrip("# ").partition("\n")[0], 80)
        found[path.stem] = Command(path.stem, argument, help_, "own", "files", partial(_ask, path))
    return found


def _ask(path: Path, repl: "Repl", rest: str) -> None:
    text = _text(path)
    if not text.strip():
        raise UsageError(f"{path} is empty or cannot be read")
    if INPUT not in text and rest:
        raise UsageError(f"/{path.stem} takes no text", f"Write {INPUT} into {path} where it is to stand.")
    repl.attach(rest, draft=f"/{path.stem} {rest}")
    repl.ask(text.replace(INPUT, repl.pastes.unfold(rest)).strip())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
