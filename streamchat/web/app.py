"""What one server consists of: the configuration, the door, the runs, the providers, the conversations."""

import secrets
from pathlib import Path

from streamchat.config.settings import Settings
from streamchat.history.redaction import patterns
from streamchat.web.guard import Guard
from streamchat.web.hub import Hub
from streamchat.web.limits import Limits, Rate
from streamchat.web.shelf import Files, Shelf
from streamchat.web.upstream import Upstream


class App:
    """One server's parts. It belongs to the event loop that first serves with it."""

    def __init__(
        self,
        settings: Settings,
        *,
        guard: Guard | None = None,
        limits: Limits | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        """Without a guard: loopback names on any port, and a token that nobody knows, so that only `guard.code()`
        opens it."""
        self.settings = settings
        self.limits = limits or Limits.of(settings.serve)
        self.guard = guard or Guard(
            secrets.token_urlsafe(24), hosts=frozenset(("localhost", "127.0.0.1", "[::1]")), any_port=True
        )
        self.hub = Hub(self.limits)
        self.rate = Rate(self.limits.per_minute)
        self.upstream = Upstream(settings)
        self.shelf = shelf or files_of(settings)

    @property
    def transcripts(self) -> tuple[Path, str] | None:
        """The directory and the format of readable copies; None where none are kept."""
        history = self.settings.history
        if not (history.save and history.transcript_dir):
            return None
        return Path(history.transcript_dir).expanduser(), history.transcript_format

    async def aclose(self) -> None:
        """End all runs, give all connections back."""
        await self.hub.stop()
        await self.upstream.aclose()
        self.shelf.close()


def files_of(settings: Settings) -> Files:
    """The conversations where the terminal keeps them."""
    history = settings.history
    directory = Path(history.dir).expanduser() if history.dir else settings.files.data / "conversations"
    return Files(directory, settings.files.cache, save=history.save, redact=patterns(history.redact))
