"""The line below the prompt: whom is asked, what it has cost, how full the model's context is."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from streamchat.repl.context import NEARLY, used
from streamchat.repl.warming import warm
from streamchat.views.footer import STAYS, Phrase

if TYPE_CHECKING:
    from streamchat.repl.loop import Repl


def look_up(repl: "Repl", found: Callable[[], None]) -> None:
    """Find out behind the prompt how much the model holds, once there is something that could fill it."""
    settings, provider, model = repl.settings, repl.session.provider.name, repl.session.model

    def work() -> None:
        repl.context.look_up(settings, provider, model)
        found()

    if used(repl.conversation):
        warm(work)


def stated(repl: "Repl") -> list[Phrase]:
    """What the line says, by its phrases; those that stand for nothing are left out."""
    session = repl.session
    chosen = repl.settings.sources.profile
    profile = repl.settings.defaults.profile if chosen is None else chosen
    share = repl.context.share(repl.settings, session.provider.name, session.model, repl.conversation)
    full = share is not None and share >= NEARLY
    filled = "" if share is None else f"context {share:.0%}" + (": /compact" if full else "")
    files = len(repl.files.names)
    found = [
        Phrase(repl.title, 1),
        Phrase("edits a question" if repl.editing else "", STAYS),
        Phrase(profile, 4),
        Phrase(filled, STAYS if full else 3),
        *(Phrase(spent, 5) for spent in repl.spending.phrases()),
        Phrase(f"{files} file{'s' * (files > 1)}" if files else "", 2),
    ]
    return [phrase for phrase in found if phrase.text]
