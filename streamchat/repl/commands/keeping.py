"""Commands about the conversation and its files."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from streamchat.choice import choose
from streamchat.config import change
from streamchat.errors import ChatError, UsageError
from streamchat.fences import blocks_of
from streamchat.history import files, formats
from streamchat.history.conversation import Conversation
from streamchat.history.redaction import patterns
from streamchat.history.store import Store
from streamchat.paths import expanded
from streamchat.repl import compacting
from streamchat.repl.again import show_last
from streamchat.repl.clipboard import copied
from streamchat.repl.commands.registry import command
from streamchat.repl.commands.setting import at_its_address
from streamchat.repl.entry import number_in, unquoted
from streamchat.repl.resuming import chosen
from streamchat.session import as_asked

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl


@command("new", "[NAME]")
def new(repl: "Repl", rest: str) -> None:
    """Begin a new conversation; this one is kept."""
    name = _unused(repl, rest)
    redact = patterns(repl.settings.history.redact)
    repl.take_up(Conversation.new(repl.directory, name=name, redact=redact))
    repl.say("a new conversation")


@command("resume", "[REF]", completes="conversations")
def resume(repl: "Repl", rest: str) -> None:
    """Go on with a kept conversation, by id, name or @-1, or choose one; with its own model where that can be asked."""
    with store(repl) as kept:
        path = kept.path(rest) if rest else _chosen(repl, kept)
        if path is None:
            return
        if path == repl.conversation.path:
            raise UsageError("that is this conversation")
        conversation = Conversation.load(path, redact=kept.redact)
    repl.take_up(conversation)
    adopt(repl, conversation)
    show_last(repl)


@command("name", "NAME")
def name(repl: "Repl", rest: str) -> None:
    """Give the conversation a name."""
    if not rest:
        raise UsageError("what shall it be called?", "For example: /name tides")
    called = _unused(repl, rest, repl.conversation.path)
    repl.conversation.rename(called)
    repl.say(f"this conversation is called {called}")


@command("fork", "[NAME]")
def fork(repl: "Repl", rest: str) -> None:
    """Go on in a copy of the conversation, with the same branch in a file of its own."""
    name = _unused(repl, rest)
    former = repl.conversation.id
    copy = repl.conversation.fork()
    copy.name = name
    repl.take_up(copy)
    repl.say(f"this goes on as {copy.id}, a fork of {former}")


@command("compact")
def compact(repl: "Repl", _: str) -> None:
    """Summarise the older turns by the same model and go on with the summary; all turns are kept on disk."""
    compacting.summarise(repl)


@command("drop")
def drop(repl: "Repl", _: str) -> None:
    """Go on without the oldest half of the turns; they are kept on disk."""
    compacting.drop(repl)


@command("save", "FILE", completes="files")
def save(repl: "Repl", rest: str) -> None:
    """Write the last answer to a file that is not there yet."""
    text, path = _answer(repl), _path("save", rest)
    files.write(path, (text if text.endswith("\n") else text + "\n").encode(errors="replace"))
    repl.say(f"written: {path}")


@command("export", "FILE", completes="files")
def export(repl: "Repl", rest: str) -> None:
    """Write the conversation to a file, in the format of its suffix (.md .json .jsonl .txt .html)."""
    _answer(repl)
    path = _path("export", rest)
    formats.save(path, repl.conversation)
    repl.say(f"written: {path}")


@command("copy", "[N|code|all]")
def copy(repl: "Repl", rest: str) -> None:
    """Copy the last answer; its code block N, or all of its code; or the whole conversation."""
    answer = _answer(repl)
    if rest == "all":
        text = formats.transcript(formats.named("md"), repl.conversation).decode()
    elif rest == "code" or rest.isdecimal():
        text = _code(answer, rest)
    elif rest:
        raise UsageError(f"/copy does not know {rest!r}", "It takes the number of a code block, code, or all.")
    else:
        text = answer
    repl.say(f"copied {len(text):,} characters{copied(text, repl.out)}")


def adopt(repl: "Repl", conversation: Conversation) -> None:
    """Ask as this conversation was asked last, where that can be.

    A model that was chosen before, by a flag or by /model, was for another conversation.
    """
    asked = as_asked(conversation)
    try:
        settings = change(repl.settings, flags=dict.fromkeys(asked.keys() & {"provider", "model"}), resumed=asked)
        settings = at_its_address(repl, settings)
        choice = choose(settings)
        if (choice.provider, choice.model) == (repl.session.provider.name, repl.session.model):
            repl.take_over(settings)
        else:
            repl.turn_to(choice, settings)
            repl.say(f"asking {repl.title}")
    except ChatError as exc:
        repl.tell(exc)
        repl.say(f"still asking {repl.title}")


def store(repl: "Repl") -> Store:
    """The person's conversations."""
    if repl.directory is None:
        raise UsageError("no conversations are kept here", "That is what --no-save or history.save = false says.")
    redact = patterns(repl.settings.history.redact)
    return Store(repl.directory, repl.settings.files.cache, redact=redact)


def _chosen(repl: "Repl", kept: Store) -> Path | None:
    entry = chosen(kept, repl.prompt.pick)
    return entry.path if entry else None


def _unused(repl: "Repl", name: str, path: Path | None = None) -> str:
    """The name as it is kept, for a new conversation or the one of this path; UsageError for one that cannot be."""
    if not name or repl.directory is None:
        return name
    with store(repl) as kept:
        return kept.unused(name, path)


def _answer(repl: "Repl") -> str:
    last = repl.conversation.last
    if last is None or not last.text:
        raise UsageError("there is no answer yet")
    return last.text


def _code(answer: str, which: str) -> str:
    blocks = [block.text for block in blocks_of(answer)]
    if not blocks:
        raise UsageError("there is no code in the last answer")
    if which == "code":
        return "\n".join(blocks)
    number = number_in(which)
    if not 0 < number <= len(blocks):
        raise UsageError(f"the last answer has {len(blocks)} blocks of code")
    return blocks[number - 1]


def _path(command: str, rest: str) -> Path:
    if not rest:
        raise UsageError("which file?", f"For example: /{command} tides.md")
    path = expanded(unquoted(rest))
    if os.path.isfile(path):
        raise UsageError(f"{path} exists already", "Choose another name.")
    return path
