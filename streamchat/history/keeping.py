"""What a conversation asks of the place that keeps it: a journal to write to, in files or in a database."""

from pathlib import Path
from typing import Protocol

from streamchat.history.records import Record


class Busy(Exception):  # noqa: N818 - a state of the journal, not a fault
    """Another process writes this conversation."""


class Writing(Protocol):
    """The journal of one conversation. Trouble is a sentence here, and never raised into an answer."""

    @property
    def path(self) -> Path | None:
        """Its file, where there is one."""

    @property
    def trouble(self) -> str | None:
        """Why what was written is not safe; None while all is well."""

    @property
    def size(self) -> int:
        """How far it went when it was last opened, closed or read: more of it later is somebody else's."""

    def open(self) -> None:
        """Be the only one who writes; raises Busy, and only that."""

    def write(self, record: Record) -> None:
        """Add a line."""

    def append(self, record: Record) -> str | None:
        """Add a line that stands for itself, whoever else writes; gives the trouble with it, if any."""

    def flush(self) -> None:
        """What waits for company goes out now."""

    def settle(self) -> None:
        """See everything safely kept, with a second try after trouble."""

    def close(self) -> None:
        """Let go of it; another process may write it now."""


class Home(Protocol):
    """Where conversations are kept."""

    def journal(self, id: str, created: str) -> Writing:  # noqa: A002
        """The journal of a conversation that is to be kept here from now on."""

    def refuse(self, id: str) -> None:  # noqa: A002
        """Another process writes this conversation: raises, or leaves it to go on as a fork."""
