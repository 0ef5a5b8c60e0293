"""`streamchat chat`: the conversation that a person stays in, on a terminal."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from streamchat.attachments import refuse
from streamchat.cli import stdin
from streamchat.cli.connection import connected
from streamchat.cli.exits import complain, notice, settled, silence
from streamchat.cli.flags import Flags
from streamchat.cli.kept import Targets
from streamchat.cli.starting import (
    begun,
    circumstances,
    directory_of,
    files_of,
    look_of,
    powerless,
    question_of,
    stdin_of,
    transcripts_of,
)
from streamchat.errors import UsageError
from streamchat.history.conversation import Conversation
from streamchat.repl import early
from streamchat.session import Session

HELP = """Chat: ask, read, ask on; the conversation is kept.

\b
  streamchat chat
  git diff | streamchat chat "Review this with me."
"""


def chat(question: str, flags: Flags) -> int:
    """A conversation; the words are its first message, behind what is piped."""
    _refuse(flags)
    settings, conversation = begun(flags)
    tell = silence if flags.quiet else _aside
    for line in settings.notices:
        tell(line)
    targets = Targets.of(flags)
    targets.check()
    texts, attachments = files_of(flags)
    choice, provider = connected(settings, tell)
    refuse(attachments, provider)
    question = question_of(question, flags)  # what is written in the editor is not to be refused afterwards
    piped = stdin.read(beside_question=bool(question), wanted=stdin_of(flags), notice=tell)
    for line in powerless(provider, choice.model, think=flags.think):
        tell(line)
    session = Session(
        provider,
        choice.model,
        conversation,
        system=settings.defaults.system or None,
        options=settings.options(flags.request_fields()),
        transcripts=transcripts_of(settings),
    )
    if flags.verbose:
        for line in circumstances(session, settings):
            tell(line)
    with early.still():
        look = look_of(settings, flags)
    from streamchat.repl.start import started  # the line editor: behind everything that can fail without it

    with (
        _keyboard() as keyboard,
        started(
            session,
            settings,
            look,
            keyboard=keyboard,
            extra=flags.request_fields(),
            directory=directory_of(settings),
            first=stdin.joined(piped, question),
        ) as repl,
    ):
        repl.files.put(texts, attachments)
        settled()
        try:
            repl.run()
        finally:
            repl.close()
            _keep(repl.conversation, targets)
    return 0


def _aside(line: str) -> None:
    """A notice, above the prompt that may stand there already."""
    with early.aside():
        notice(line)


def _refuse(flags: Flags) -> None:
    """What is for a single answer, and would be ignored here."""
    for given, name in (
        (flags.dry_run, "--dry-run"),
        (flags.output, "--output"),
        (flags.record, "--record"),
        (flags.extract, "--extract"),
        (flags.schema, "--schema"),
        (flags.strict, "--strict"),
        (len(flags.model or ()) > 1, "--model more than once"),
        (flags.json or flags.format in ("json", "jsonl"), "--format json"),
    ):
        if given:
            raise UsageError(f"{name} is for a single answer", "Use it with: streamchat ask")


def _keep(conversation: Conversation, targets: Targets) -> None:
    """Let go of the conversation; the transcript that was asked for is written first."""
    if conversation.last is not None:
        targets.write_transcript(conversation)
    conversation.close()
    if conversation.trouble:
        complain(conversation.trouble)


@contextlib.contextmanager
def _keyboard() -> Iterator[TextIO]:
    """Where keys come from: stdin, or where that is something else the terminal that we were started on."""
    if sys.stdin is not None and sys.stdin.isatty():
        yield sys.stdin
        return
    try:
        descriptor = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        raise UsageError(
            "chat needs a terminal to be typed on", "For one question and one answer: streamchat ask"
        ) from None
    with open(descriptor, encoding="utf-8") as tty:
        yield tty
