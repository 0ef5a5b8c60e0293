"""The tables, made on first use. The journal's lines are the truth; everything else is for lists and for searching.

They stand in a schema of their own, `streamchat`, which the database's owner may have made before for a user who may
not create one.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.schema import CreateSchema

from streamchat.errors import StoreError

VERSION = 1
SCHEMA = "streamchat"
_LOCK = 0x73747265616D
"""The advisory lock of who makes the tables: two servers may start at once."""

metadata = MetaData(schema=SCHEMA)

version = Table("version", metadata, Column("version", Integer, nullable=False))

writers = Sequence("writers", start=1, maxvalue=2**31 - 1, cycle=True, metadata=metadata)
"""A number for each process that writes; who holds the advisory lock of that number is alive."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("seq", BigInteger, nullable=False, default=0),  # the number of its last batch
    Column("writer", Integer),  # who may add to it
    Column("name", Text, nullable=False, default=""),
    Column("begins", Text, nullable=False, default=""),  # its first question, as a title
    Column("created", Text(collation="C"), nullable=False),
    Column("updated", Text(collation="C"), nullable=False),
    Column("model", Text, nullable=False, default=""),
    Column("turns", Integer, nullable=False, default=0),
    Column("size", BigInteger, nullable=False, default=0),
)
Index("by_update", conversations.c.updated.desc(), conversations.c.id.desc())
Index("by_name", func.lower(conversations.c.name), postgresql_where=conversations.c.name != "")


def _of() -> ForeignKey:
    """The conversation that a row belongs to, and with which it goes."""
    return ForeignKey(conversations.c.id, ondelete="CASCADE")


journal = Table(
    "journal",
    metadata,
    Column("conversation", Text(collation="C"), _of(), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("token", BigInteger, nullable=False),  # a batch that is sent twice is written once
    Column("lines", Text, nullable=False),
    UniqueConstraint("conversation", "token"),
)

said = Table(
    "said",
    metadata,
    Column("conversation", Text(collation="C"), _of(), nullable=False, index=True),
    Column("time", Text(collation="C"), nullable=False),
    Column("role", Text, nullable=False),
    Column("model", TSVECTOR, nullable=False),
    Column("words", TSVECTOR, nullable=False),
)
Index("by_words", said.c.words, postgresql_using="gin")


def prepare(connection: Connection) -> None:
    """See that the tables are there, inside of a transaction; StoreError for those of a newer version."""
    if connection.scalar(text("SHOW server_encoding")) != "UTF8":
        raise StoreError(
            "the database is not in UTF-8", "Make one that is: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    if connection.scalar(select(func.to_regclass(f"{SCHEMA}.version"))) is None:
        if connection.scalar(select(func.to_regnamespace(SCHEMA))) is None:
            connection.execute(CreateSchema(SCHEMA))
        metadata.create_all(connection)
        connection.execute(insert(version).values(version=VERSION))
    found = connection.scalar(select(version.c.version))
    if found != VERSION:
        raise StoreError(
            f"the database's tables are of version {found}, and this streamchat knows version {VERSION}",
            "Use the same streamchat everywhere.",
        )
