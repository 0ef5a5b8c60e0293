"""`streamchat ask`: one question, one answer, exit."""

import os
import sys

from msgspec.structs import replace

from streamchat.attachments import joined, refuse
from streamchat.chat import Attachment, Chat, Message
from streamchat.choice import nearest_models
from streamchat.cli import stdin
from streamchat.cli.answers import part_of, schema_of
from streamchat.cli.connection import connected
from streamchat.cli.exits import complain, notice, settled, silence
from streamchat.cli.flags import Flags
from streamchat.cli.foreground import foreground
from streamchat.cli.kept import Targets
from streamchat.cli.starting import (
    begun,
    circumstances,
    files_of,
    look_of,
    powerless,
    question_of,
    stdin_of,
    transcripts_of,
)
from streamchat.config.settings import Settings
from streamchat.config.target import printable
from streamchat.errors import IncompleteError, UnknownModelError, UsageError
from streamchat.history.conversation import Conversation
from streamchat.providers.base import Provider
from streamchat.session import Session
from streamchat.views.choose import choose, shows_footer
from streamchat.views.notify import announced

HELP = """Ask one question, show the answer, exit.

\b
  streamchat ask "How do tides work?"
  git diff | streamchat ask "Write a commit message for this." --save message.md
"""


def ask(question: str, flags: Flags) -> int:
    """One question, one answer."""
    settings, conversation = begun(flags)
    tell = silence if flags.quiet else notice
    for line in settings.notices:
        tell(line)
    targets = Targets.of(flags)
    targets.check()
    schema = schema_of(flags)
    if len(flags.model or ()) > 1:
        from streamchat.cli import comparing

        comparing.check(flags)
        return comparing.answers(Message("user", *_prompt(question, flags)), conversation, flags, settings, schema)
    choice, provider = connected(settings, tell)
    try:
        if not flags.dry_run:
            provider.warm(choice.model)
            settled()
        prompt, attachments = _prompt(question, flags, provider)
        session = Session(
            targets.recorded(provider),
            choice.model,
            conversation,
            system=settings.defaults.system or None,
            options=replace(settings.options(flags.request_fields()), schema=schema),
            transcripts=transcripts_of(settings),
        )
        for line in powerless(provider, choice.model, schema=schema, think=flags.think):
            tell(line)
        if flags.verbose:
            for line in circumstances(session, settings):
                tell(line)
        if flags.dry_run:
            return _show_request(session, Message("user", prompt, attachments))
        return _answer(session, prompt, attachments, settings, flags, targets)
    finally:
        provider.close()


def _prompt(question: str, flags: Flags, provider: Provider | None = None) -> tuple[str, tuple[Attachment, ...]]:
    """What is asked, with the files that are text in it, and those that go beside it. UsageError for files that cannot
    be read or that the provider cannot take, before anything is written in an editor."""
    tell = silence if flags.quiet else notice
    texts, attachments = files_of(flags)
    if provider is not None:
        refuse(attachments, provider)
    question = question_of(question, flags)
    piped = stdin.read(beside_question=bool(question), wanted=stdin_of(flags), notice=tell)
    first = question.partition(" ")[0]
    if flags.file and os.path.isfile(first):  # the shell makes several words of a pattern, and -f takes the first
        tell(f"{printable(first)} is a word of the question and is not sent: -f takes one file, and may be repeated")
    prompt = joined(texts, stdin.joined(piped, question))
    if not prompt.strip():
        raise UsageError("there is no question", 'Write it behind the command: streamchat ask "How do tides work?"')
    return prompt, attachments


def _answer(
    session: Session,
    prompt: str,
    attachments: tuple[Attachment, ...],
    settings: Settings,
    flags: Flags,
    targets: Targets,
) -> int:
    """Ask, and see to everything that was to be kept, however the answer ended."""
    look = look_of(settings, flags)
    view = choose(
        look,
        sys.stdout,
        title=f"{session.provider.name} · {session.model}",
        note=session.provider.notice,
        tell=silence if flags.quiet else notice,
    )
    try:
        done = f"{session.model} has answered"
        with announced(settings.ui.notify, settings.ui.notify_after, done), foreground(sys.stdout, view):
            reply = session.ask(prompt, view, attachments=attachments)
    except BaseException as exc:
        _keep(session.conversation, targets)
        if isinstance(exc, UnknownModelError) and (near := nearest_models(session.provider, session.model)):
            exc.hint = f"Nearest: {', '.join(near)}."
        raise
    _keep(session.conversation, targets)
    if (flags.usage or flags.verbose) and not shows_footer(look, sys.stdout):
        from streamchat.views.footer import figures

        notice(" · ".join(figures(reply)))
    short = reply.shortage
    if short and not (flags.quiet or settings.defaults.strict):
        notice(short)
    targets.write_answer(part_of(reply, flags, session.options.schema))
    if short and settings.defaults.strict:
        raise IncompleteError(short, reply=reply)
    return targets.missed[0].exit_code if targets.missed else 0


def _keep(conversation: Conversation, targets: Targets) -> None:
    """The transcript of what came, and what there is to say of the conversation's own file."""
    targets.write_transcript(conversation)
    conversation.close()
    for line in (*conversation.notices, *filter(None, [conversation.trouble])):
        complain(line)


def _show_request(session: Session, question: Message) -> int:
    import msgspec

    messages = (*session.conversation.messages(), question)
    chat = Chat(session.model, messages, session.system, session.options)
    provider = session.provider
    shown = {
        "provider": provider.name,
        "base_url": provider.endpoint.base_url,
        "api_key": str(provider.endpoint.api_key) if provider.endpoint.api_key else None,
        "body": provider.request(chat),
    }
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode() + "\n")
    return 0
