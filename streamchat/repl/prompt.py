"""What the chat asks of whatever reads the person's messages."""

from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from prompt_toolkit.document import Document

    from streamchat.repl.picking import Search


class Prompt(Protocol):
    """Where messages are written: the editor, or plain lines where nothing can be redrawn."""

    drawn: Event
    """Set once it has been on the screen."""

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """Each key with what it does, for /help."""

    def read(self, draft: "Document") -> str | None:
        """The next message, begun with `draft`; None when the person leaves."""

    def pick(self, title: str, rows: "list[str] | Search") -> int | None:
        """The number of the row that the person chooses, from 0, of a list or of what was found last; None for none."""

    def ahead(self) -> str:
        """The keys, as the terminal sends them, that were read with the last message and belong behind it; they are no
        longer here then."""

    def earlier(self) -> Sequence[str] | None:
        """The messages of this session and those before that Up recalls, the latest last; None where it does not."""

    def echo(self, text: str) -> None:
        """Show a message that was not typed here as if it had been."""
