"""What one server consists of: the configuration, the door, the runs, the providers, the conversations."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from streamchat.config.settings import Settings
from streamchat.errors import ConfigError
from streamchat.history.redaction import patterns
from streamchat.web.guard import Guard
from streamchat.web.hub import Hub
from streamchat.web.limits import Limits, Rate
from streamchat.web.shelf import Files, Shelf
from streamchat.web.unplaced import Unplaced
from streamchat.web.upstream import Upstream

if TYPE_CHECKING:
    from streamchat.web.elsewhere import Elsewhere


class App:
    """One server's parts. It belongs to the event loop that first serves with it."""

    def __init__(
        self,
        settings: Settings,
        *,
        guard: Guard | None = None,
        limits: Limits | None = None,
        shelf: Shelf | None = None,
        elsewhere: "Elsewhere | None" = None,
    ) -> None:
        """Without a guard: loopback names on any port, and a token that nobody knows, so that only `guard.code()`
        opens it."""
        self.settings = settings
        self.limits = limits or Limits.of(settings.serve)
        self.guard = guard or Guard(
            secrets.token_urlsafe(24), hosts=frozenset(("localhost", "127.0.0.1", "[::1]")), any_port=True
        )
        self.elsewhere = elsewhere or elsewhere_of(settings, self.limits)
        self.hub = Hub(self.limits, published=self.elsewhere.publish if self.elsewhere is not None else None)
        self.rate = Rate(self.limits.per_minute)
        self.upstream = Upstream(settings)
        self.unplaced = Unplaced(settings)
        self.shelf = shelf or shelf_of(settings)

    @property
    def transcripts(self) -> tuple[Path, str] | None:
        """The directory and the format of readable copies; None where none are kept."""
        history = self.settings.history
        if not (history.save and history.transcript_dir):
            return None
        return Path(history.transcript_dir).expanduser(), history.transcript_format

    async def drain(self, seconds: float) -> None:
        """Begin nothing more; what is under way gets this long, then it ends and all of it is kept."""
        await self.hub.drain(seconds)
        if self.elsewhere is not None:
            self.elsewhere.let_go()

    async def aclose(self) -> None:
        """End all runs, give all connections back."""
        await self.hub.stop()
        if self.elsewhere is not None:
            await self.elsewhere.aclose()
        await self.upstream.aclose()
        self.shelf.close()


def shelf_of(settings: Settings) -> Shelf:
    """The conversations where the terminal keeps them, or a team's."""
    history = settings.history
    if settings.serve.store:
        from streamchat.web.team import Team

        return Team(settings.serve.store, save=history.save, redact=patterns(history.redact))
    directory = Path(history.dir).expanduser() if history.dir else settings.files.data / "conversations"
    return Files(directory, settings.files.cache, save=history.save, redact=patterns(history.redact))


def elsewhere_of(settings: Settings, limits: Limits) -> "Elsewhere | None":
    """What lets other processes find the runs of this one, if they are to."""
    if not settings.serve.runs:
        return None
    try:
        from streamchat.web.elsewhere import Elsewhere
    except ImportError as exc:
        raise ConfigError("serve.runs needs redis", "Install it: pip install 'streamchat[redis]'") from exc
    return Elsewhere(settings.serve.runs, retention=limits.retention, longest=limits.run_seconds)
