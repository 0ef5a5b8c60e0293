"""All conversations in a database: listed, searched, read, begun, renamed, deleted."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import func, select, tuple_

from streamchat.errors import UsageError
from streamchat.history.conversation import Conversation
from streamchat.history.formats import heading
from streamchat.history.index import Entry
from streamchat.history.keeping import Busy
from streamchat.history.postgres.batch import Packer
from streamchat.history.postgres.claims import Claims
from streamchat.history.postgres.database import Database, Lost
from streamchat.history.postgres.journal import Journal
from streamchat.history.postgres.schema import conversations, journal
from streamchat.history.postgres.search import clean, fitting
from streamchat.history.records import Named
from streamchat.history.redaction import redacted

_AFTER = re.compile(r"([0-9TZ:.-]{1,40})~([0-9a-z]{1,64})")


class Missing(UsageError):  # noqa: N818 - as Busy is: a state
    """There is no such conversation."""


class Store:
    """The conversations in the database at `url`; as a `Home`, the place of those that are begun.

    `refuse` makes the error for who would write what another process writes; without it that goes on as a fork.
    """

    def __init__(
        self,
        url: str,
        *,
        save: bool = True,
        redact: Sequence[re.Pattern[str]] = (),
        refuse: Callable[[], Exception] | None = None,
    ) -> None:
        self._database = Database(url)
        self._claims = Claims(self._database)
        self._save, self._redact, self._refuse = save, tuple(redact), refuse

    def close(self) -> None:
        """Write what is left, give all connections back."""
        self._claims.close()
        self._database.close()

    def check(self) -> None:
        """See that the database is there and fit; StoreError that says what is wrong."""
        with self._database.transaction():
            pass

    # as the home of conversations

    def journal(self, id: str, created: str) -> Journal:  # noqa: A002
        """The journal of a new conversation."""
        return Journal(self._claims, id, created=created)

    def refuse(self, id: str) -> None:  # noqa: A002
        """Another process writes this conversation."""
        if self._refuse is not None:
            raise self._refuse()

    # all of them

    def entries(self, words: str = "", *, after: str = "", limit: int) -> tuple[list[Entry], str | None]:
        """The conversations (those with a message that fits), the last used first, from behind the cursor `after`;
        and the cursor of what follows."""
        table = conversations.c
        wanted = select(
            table.id, table.name, table.begins, table.created, table.updated, table.model, table.turns, table.size
        ).where(table.turns > 0)
        if (condition := fitting(words)) is not None:
            wanted = wanted.where(condition)
        if place := _AFTER.fullmatch(after):
            wanted = wanted.where(tuple_(table.updated, table.id) < tuple_(place[1], place[2]))
        wanted = wanted.order_by(table.updated.desc(), table.id.desc()).limit(limit + 1)
        with self._database.transaction() as connection:
            rows = connection.execute(wanted).all()
        entries = [
            Entry(
                row.id,
                Path(f"{row.id}.jsonl"),
                row.name,
                heading(row.name) or row.begins,
                row.created,
                row.updated,
                row.model,
                row.turns,
                row.size,
            )
            for row in rows[:limit]
        ]
        last = entries[-1] if len(rows) > limit else None
        return entries, f"{last.updated}~{last.id}" if last is not None else None

    def load(self, id: str) -> Conversation:  # noqa: A002
        """One of them, to be read or gone on with; Missing if it is not there."""
        lines = select(journal.c.seq, journal.c.lines).where(journal.c.conversation == clean(id))
        with self._database.transaction() as connection:
            rows = connection.execute(lines.order_by(journal.c.seq)).all()
        if not rows:
            raise Missing(f"there is no conversation {id!r}")
        data = "".join(row.lines for row in rows).encode()
        kept = Journal(self._claims, id, size=rows[-1].seq) if self._save else None
        home = self if self._save else None
        return Conversation.of(data, id, id=id, home=home, journal=kept, redact=self._redact)

    def new(self, name: str = "") -> Conversation:
        """One more; it is kept from its first question on."""
        return Conversation.new(self if self._save else None, name=name, redact=self._redact)

    def rename(self, id: str, name: str) -> None:  # noqa: A002
        """Give it this name; UsageError for one that another has already, Missing if it is not there."""
        name = redacted(name, self._redact)
        table = conversations.c
        same = select(table.id).where(func.lower(table.name) == clean(name).lower(), table.id != clean(id))
        with self._database.transaction() as connection:
            taken = connection.scalar(same.limit(1)) if name else None
        if taken is not None:
            raise UsageError(f"{taken} is already called {name!r}", "A name means one conversation")
        try:
            self._database.write(clean(id), Packer().batch([Named(name)]), None)
        except Lost:
            raise Missing(f"there is no conversation {id!r}") from None

    def delete(self, id: str) -> None:  # noqa: A002
        """Take it away; Busy while it is written, Missing if it is not there."""
        if self._claims.holds(id):
            raise Busy
        try:
            self._database.delete(clean(id))
        except Lost:
            raise Missing(f"there is no conversation {id!r}") from None
