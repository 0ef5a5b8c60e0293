"""From settings and flags to what `ask` and `chat` begin with: the conversation, the files, the look."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamchat.chat import Attachment
from streamchat.cli.flags import Flags
from streamchat.cli.front import PICK
from streamchat.config import change, load
from streamchat.config.settings import Settings
from streamchat.errors import UsageError
from streamchat.history.conversation import Conversation
from streamchat.history.redaction import patterns
from streamchat.paths import expanded
from streamchat.providers.base import Provider
from streamchat.session import Session, as_asked
from streamchat.views.choose import Look, themed

if TYPE_CHECKING:
    from streamchat.history.store import Store


def look_of(settings: Settings, flags: Flags) -> Look:
    """How answers are to look."""
    ui = settings.ui
    look = Look(
        format="json" if flags.json else flags.format,
        raw=flags.raw,
        plain=flags.plain,
        safe=flags.safe,
        stream=settings.defaults.stream,
        color=ui.color,
        reasoning=ui.reasoning,
        footer=ui.footer,
        usage=flags.usage,
        extract=flags.extract,
        code=bool(flags.schema),
        code_theme=ui.code_theme,
        theme=ui.theme,
        width=ui.width,
        accessible=ui.accessible,
    )
    return themed(look, sys.stdout)


def powerless(
    provider: Provider, model: str, *, schema: dict[str, Any] | None = None, think: str | None = None
) -> Iterator[str]:
    """What was asked for and has no effect on this model, a sentence each; `think` is the flag."""
    if think is not None and not provider.thinks(model):
        yield f"{provider.name}/{model} has no control over its thinking: --think changes nothing"
    if schema is not None and not provider.structures:
        yield f"{provider.name} cannot be held to a schema: its answer is only checked"


def begun(flags: Flags) -> tuple[Settings, Conversation]:
    """The settings of this run, and the conversation: a new one, or the one to go on with, with its own settings."""
    settings = load(flags=flags.settings(), profile=flags.profile, config=flags.config, env_file=flags.env_file)
    redact = patterns(settings.history.redact)
    if not flags.continue_ and flags.resume is None:
        if flags.fork:
            raise UsageError("--fork copies a conversation", "Say which: -c for the last one, or -r REF.")
        return settings, Conversation.new(directory_of(settings), name=_name(flags, settings), redact=redact)
    with _store(settings) as store:
        ref = _picked(store) if flags.resume == PICK else flags.resume or "@-1"
        conversation = store.load(ref, save=settings.history.save)
    conversation = conversation.fork() if flags.fork else conversation
    if name := _name(flags, settings, conversation.path):
        conversation.rename(name)
    return change(settings, resumed=as_asked(conversation)), conversation


def _name(flags: Flags, settings: Settings, path: Path | None = None) -> str:
    """The name that a flag gives to the conversation, which is of this path or new; no other that is kept has it."""
    if not flags.name or not settings.history.save:
        return flags.name or ""
    with _store(settings) as store:
        return store.unused(flags.name, path)


def _store(settings: Settings) -> "Store":
    from streamchat.history.store import Store  # its index: not where nothing is looked for

    return Store(kept_in(settings), settings.files.cache, redact=patterns(settings.history.redact))


def _picked(store: "Store") -> str:
    from streamchat.repl.resuming import chosen_at_start

    entry = chosen_at_start(store)
    if entry is None:
        raise KeyboardInterrupt
    return entry.id


def files_of(flags: Flags) -> tuple[list[str], tuple[Attachment, ...]]:
    """The files to be sent: those that are text, fenced, and the attachments. UsageError for what cannot be sent."""
    if not flags.file:
        return [], ()
    from streamchat.attachments import read

    found = [read(name) for name in flags.file]
    return [each for each in found if isinstance(each, str)], tuple(each for each in found if not isinstance(each, str))


def question_of(question: str, flags: Flags) -> str:
    """The words of the command line, or what the person makes of them in an editor."""
    if not flags.editor:
        return question
    from streamchat.cli.writing import written

    return written(question)


def circumstances(session: Session, settings: Settings) -> Iterator[str]:
    """Whom a question goes to, where that is, whose key it has, and where it is kept: what --verbose says."""
    provider = session.provider
    yield f"asking {provider.name}/{session.model}" + (f" at {provider.host}" if provider.host else "")
    if provider.endpoint.api_key:
        yield f"the key is from {settings.key_origin(provider.name)}"
    path, directory = session.conversation.path, directory_of(settings)
    kept = path or directory
    yield f"the conversation {session.conversation.id} is kept in {kept}" if kept else "the conversation is not kept"


def stdin_of(flags: Flags) -> bool | None:
    """Whether stdin is waited for as a prompt: not where it is a file to be sent."""
    return False if "-" in (flags.file or ()) else flags.stdin


def directory_of(settings: Settings) -> Path | None:
    """Where conversations are kept; None where none is to be."""
    return kept_in(settings) if settings.history.save else None


def transcripts_of(settings: Settings) -> tuple[Path, str] | None:
    """The directory and the format of readable copies; None where none are kept."""
    history = settings.history
    if not (history.save and history.transcript_dir):
        return None
    return expanded(history.transcript_dir), history.transcript_format


def kept_in(settings: Settings) -> Path:
    """Where those are that were kept."""
    return expanded(settings.history.dir) if settings.history.dir else settings.files.data / "conversations"
