"""`ask` with several `--model`: one question, the answers of all of them at once."""

import sys
from typing import Any

from msgspec.structs import replace

from streamchat.attachments import refuse
from streamchat.chat import Message
from streamchat.cli.answers import part_of
from streamchat.cli.connection import connected
from streamchat.cli.exits import complain, notice, settled, silence
from streamchat.cli.flags import Flags
from streamchat.cli.foreground import foreground
from streamchat.cli.starting import look_of, powerless, transcripts_of
from streamchat.compare import Asked, Outcome, compare
from streamchat.config.settings import Settings
from streamchat.errors import ChatError, IncompleteError, UsageError
from streamchat.history.conversation import Conversation
from streamchat.session import copied
from streamchat.views.choose import shows_footer
from streamchat.views.compared import choose_comparison
from streamchat.views.notify import announced

_REFUSED = (
    ("output", "-o", "one answer"),
    ("save", "--save", "one answer"),
    ("extract", "-x", "one answer"),
    ("dry_run", "--dry-run", "one request"),
    ("base_url", "--base-url", "one provider"),
    ("record", "--record", "one answer"),
)
"""Flags that mean one thing, and what that is."""


def check(flags: Flags) -> None:
    """UsageError for what cannot be asked of several models."""
    for name, flag, what in _REFUSED:
        if getattr(flags, name):
            raise UsageError(f"{flag} is for {what}, and several models are asked", "Ask them one after the other.")


def answers(
    question: Message,
    conversation: Conversation,
    flags: Flags,
    settings: Settings,
    schema: dict[str, Any] | None,
) -> int:
    """Ask all models; the worst of their exit codes."""
    tell = silence if flags.quiet else notice
    asked, options = list[Asked](), replace(settings.options(flags.request_fields()), schema=schema)
    try:
        for model in flags.model or ():
            choice, provider = connected(settings, tell, model)
            asked.append(Asked(provider, choice.model, options))
            refuse(question.attachments, provider)
            for line in powerless(provider, choice.model, schema=schema, think=flags.think):
                tell(line)
        for each in asked:
            each.provider.warm(each.model)
        settled()
        return _compared(question, conversation, asked, flags, settings)
    finally:
        for each in asked:
            each.provider.close()


def _compared(
    question: Message, conversation: Conversation, asked: list[Asked], flags: Flags, settings: Settings
) -> int:
    look, titles = look_of(settings, flags), _titles(asked)
    view = choose_comparison(look, sys.stdout, titles, [each.provider.notice for each in asked])
    try:
        done = f"{len(asked)} models have answered"
        with announced(settings.ui.notify, settings.ui.notify_after, done), foreground(sys.stdout, view):
            outcomes = compare(conversation, question, asked, view, system=settings.defaults.system or None)
    finally:
        copied(conversation, transcripts_of(settings))
        conversation.close()
        for line in (*conversation.notices, *filter(None, [conversation.trouble])):
            complain(line)
    told, seen = shows_footer(look, sys.stdout), view.shows_errors and sys.stderr.isatty()
    return max(
        _ended(title, outcome, flags, settings, schema=asked[0].options.schema, told=told, seen=seen)
        for title, outcome in zip(titles, outcomes, strict=True)
    )


def _ended(
    title: str,
    outcome: Outcome,
    flags: Flags,
    settings: Settings,
    *,
    schema: dict[str, Any] | None,
    told: bool,
    seen: bool,
) -> int:
    """Say how one answer ended, as far as it is not said (`told` its figures, `seen` why it failed); its exit code."""
    reply, error = outcome.reply, outcome.error
    if flags.usage and not told:
        from streamchat.views.footer import figures

        notice(f"{title}: {' · '.join(figures(reply))}")
    if error is not None:
        if not seen:
            complain(f"{title}: {error.message}", error.hint)
        return error.exit_code
    try:
        part_of(reply, flags, schema)
    except ChatError as exc:
        complain(f"{title}: {exc.message}", exc.hint)
        return exc.exit_code
    short = reply.shortage
    if short and not flags.quiet:
        notice(f"{title}: {short}")
    return IncompleteError.exit_code if short and settings.defaults.strict else 0


def _titles(asked: list[Asked]) -> list[str]:
    """`provider/model` of each; one that is asked more than once has a number too."""
    names = [f"{each.provider.name}/{each.model}" for each in asked]
    return [
        f"{name} ({names[:place].count(name) + 1})" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]
