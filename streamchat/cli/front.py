"""The way in: which commands there are, what the words mean, and what can be answered before the parser is loaded.

To add a command, add a line to COMMANDS and a module with a Typer app of that name; only the module of the command
that runs is imported.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from signal import SIGPIPE
from typing import TYPE_CHECKING, Final

from streamchat.cli.exits import Signalled, guarded
from streamchat.errors import UsageError
from streamchat.paths import files

if TYPE_CHECKING:
    from streamchat.cli.flags import Flags
    from streamchat.cli.outline import Group

COMMANDS: Final[dict[str, str]] = {
    "ask": "Ask one question, show the answer, exit.",
    "chat": "Chat: ask, read, ask on; the conversation is kept.",
    "history": "Find, show, move and delete kept conversations.",
    "models": "List the models that can be asked.",
    "keys": "Keep API keys, see where each comes from, test one.",
    "config": "Show, check and change the configuration.",
    "doctor": "Look at terminal, keys, network settings, files; say what is wrong.",
    "help": "Show the whole help of a command, or a topic such as pipes.",
    "completion": "Print the completion script for bash, zsh or fish.",
    "usage": "Sum what the kept answers used and cost.",
    "serve": "Serve the chat page and the APIs in a browser's and programs' reach.",
    "local": "Install, list and remove the embedded model's weights.",
}
"""Each command with its line in the help; its module is `streamchat.cli.NAME`, the app in it `NAME_app`."""

QUESTIONS: Final = ("ask", "chat")
"""Those that take a question: theirs is a function NAME instead, of a question and flags, and the words HELP."""

PICK: Final = "?"
"""The REF of --resume that stands for none: the person is asked which conversation."""

_HELP = ("-h", "--help")
_RESUME = ("-r", "--resume")


def run(argv: Sequence[str]) -> None:
    """Run the program with these arguments; does not return."""
    guarded(lambda: _run(list(argv)))


def picking(argv: Sequence[str]) -> list[str]:
    """The arguments with a REF behind every --resume that has none, which the parser does not know as a choice."""
    found: list[str] = []
    for word, following in zip(argv, [*argv[1:], "-"], strict=False):
        found.append(word)
        if word == "--":
            return [*found, *argv[len(found) :]]
        if word in _RESUME and following.startswith("-"):
            found.append(PICK)
    return found


def meaning(argv: Sequence[str], *, piped: bool, terminal: bool = False) -> list[str]:
    """The arguments with the command that they mean: words that are no command are a question, none at all a chat.

    One word that is nearly a command's name is UsageError: a slip of the keyboard must not become a paid request.
    """
    if not argv:
        return ["ask"] if piped else ["chat"] if terminal else ["--help"]
    first = argv[0]
    if first in COMMANDS or first in (*_HELP, "-V", "--version"):
        return list(argv)
    if len(argv) == 1 and not first.startswith("-"):
        from difflib import get_close_matches

        if near := get_close_matches(first, COMMANDS, cutoff=0.7):
            raise UsageError(
                f"there is no command {first!r}; did you mean {near[0]}?", f"To ask just that: streamchat ask {first}"
            )
    return ["ask", *argv]


def _run(argv: list[str]) -> int:
    terminal = _on_terminal()
    arguments = meaning(picking(argv), piped=not argv and not terminal and _is_piped(), terminal=terminal)
    try:
        if arguments[0] in QUESTIONS and arguments[-1] not in _HELP:
            code = _asked(arguments[0], arguments[1:], may_chat=terminal and argv[:1] != ["ask"])
            if code is not None:
                return code
        if _answered(arguments):
            sys.stdout.flush()
            return 0
    except BrokenPipeError:
        raise Signalled(SIGPIPE) from None
    with _lean():
        from streamchat.cli.app import parsed

        return parsed(arguments)


def _asked(command: str, words: list[str], *, may_chat: bool) -> int | None:
    """Run a command that takes a question; None where its words need the parser. Flags alone are a chat, if it may be
    one: nothing is there to be asked yet."""
    from streamchat.cli.words import plain

    read = plain(words)
    if read is None:
        return None
    question, flags = read
    if may_chat and not (question or flags.file or flags.editor):
        command = "chat"
    with _prompt(*read) if command == "chat" else nullcontext(), _lean():
        code: int = getattr(import_module(f"streamchat.cli.{command}"), command)(*read)
        return code


def _prompt(question: str, flags: "Flags") -> AbstractContextManager[object]:
    """The prompt of a chat, at once, if that is what comes first in it."""
    if question or flags.continue_ or flags.resume or flags.editor or flags.accessible or not _on_terminal():
        return nullcontext()
    from streamchat.repl.early import Early, possible

    return Early(sys.stdin.fileno(), sys.stdout) if possible(sys.stdout) else nullcontext()


@contextmanager
def _lean() -> Iterator[None]:
    """Load on first use, and compile once what is compiled at every start: here, where the process is ours, and nowhere
    that a library comes by."""
    from streamchat.compiled import OFF, remember

    if os.environ.get(OFF):
        yield
        return
    kept = remember(files().cache / "compiled")
    from streamchat.firstuse import PACKAGES, defer

    defer(*PACKAGES)
    try:
        yield
    finally:
        kept.write()


def _answered(arguments: list[str]) -> bool:
    """Whether it was help or a completion, and is written. UsageError for an option that there is not."""
    if arguments[-1] in _HELP:
        return _page(arguments[:-1], every=False)
    if arguments[0] == "help":
        return _page(arguments[1:], every=True)
    if arguments[:3] == ["completion", "--words", "--"]:
        from streamchat.cli.completing import candidates
        from streamchat.cli.outline import Place

        top = outline()
        place = Place(top, info_name="streamchat")
        sys.stdout.writelines(f"{line}\n" for line in candidates(top, place, arguments[3:]))
        return True
    # Behind -x a word may be its value or not, which is for its own command to say.
    if any(word.startswith("-") for word in arguments) and not {"-x", "--extract"}.intersection(arguments):
        from streamchat.cli.outline import kept, slip

        known = kept(files().cache)
        error = slip(known, arguments) if known else None
        if error:
            raise error
    return False


def outline() -> "Group":
    """The outline of the command line: the kept one, or a new one, which is kept then."""
    from streamchat.cli.outline import keep, kept

    cache = files().cache
    known = kept(cache)
    if known is None:
        from streamchat.cli.app import top

        known = keep(*top(), cache)
    return known


def _page(words: list[str], *, every: bool) -> bool:
    """Write the page of the command that these words name; False if they name none."""
    from streamchat.cli.outline import found
    from streamchat.cli.pages import page

    if any(word.startswith("-") for word in words) or (words and words[0] not in COMMANDS):
        return False
    if every and (Path(__file__).parent / "topics" / f"{words[-1] if words else ''}.md").exists():
        return False  # the text of a topic is rendered
    there = found(outline(), words)
    if there:
        sys.stdout.write(page(*there, every=every) + "\n")
    return bool(there)


def _is_piped() -> bool:
    from streamchat.cli.stdin import is_piped

    return is_piped()


def _on_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
