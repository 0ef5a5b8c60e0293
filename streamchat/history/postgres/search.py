"""Words for PostgreSQL's full-text search, made here: what is a word does not depend on how a database was set up.

Case and accents do not count, and a character of a script without spaces is a word, as in the index of the files. What
is written here has letters and digits only, so it has no meaning in the language of tsvector and tsquery.
"""

import re
import unicodedata
from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, cast, exists, literal, not_
from sqlalchemy.dialects.postgresql import TSQUERY

from streamchat.history.postgres.schema import conversations, said
from streamchat.history.query import Term, parse, spaced, terms
from streamchat.views.safe import joined_surrogates

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 200
"""Letters of a word; PostgreSQL takes 2,046 bytes."""
_WORDS, _LETTERS = 15_000, 100_000
"""Of one row: PostgreSQL counts positions up to 16,383 and takes a vector of a megabyte."""


def clean(value: str) -> str:
    """Text as PostgreSQL can keep it: without NUL, whole characters only."""
    return joined_surrogates(value).replace("\0", " ")


def words(value: str) -> list[str]:
    """The words of a text."""
    folded = unicodedata.normalize("NFKD", spaced(joined_surrogates(value)).casefold())
    plain = (
        "".join(letter for letter in folded if not unicodedata.combining(letter)) if not folded.isascii() else folded
    )
    return [word[:_LONGEST] for word in _WORD.findall(plain)]


def vectors(value: str) -> Iterator[str]:
    """A text as one tsvector, or as several if it is a very long one."""
    rows: list[dict[str, list[int]]] = [{}]
    count = letters = 0
    for word in words(value):
        if count == _WORDS or letters > _LETTERS:
            rows.append({})
            count = letters = 0
        count += 1
        places = rows[-1].setdefault(word, [])
        letters += 0 if places else len(word)
        if len(places) < 255:
            places.append(count)
    for row in rows:
        yield " ".join(f"'{word}':{','.join(map(str, places))}" for word, places in row.items())


def fitting(text: str) -> ColumnElement[bool] | None:
    """What holds for a conversation that fits this search; None if everything does. Raises UsageError as `parse`."""
    dates = parse(text)
    found = list(terms(text))
    inside = [_holds(term) for term in found if term.key not in ("after", "before")]
    after, before = dates.after, dates.before
    if not inside:
        moments = [*([conversations.c.updated >= after] if after else [])]
        moments += [conversations.c.updated < before] if before else []
        return and_(*moments) if moments else None
    if all(term.unwanted for term in found):
        inside.append(said.c.role.in_(("user", "assistant")))
    inside += [said.c.time >= after] if after else []
    inside += [said.c.time < before] if before else []
    return exists().where(said.c.conversation == conversations.c.id, *inside)


def _holds(term: Term) -> ColumnElement[bool]:
    if term.key == "role":
        condition: ColumnElement[bool] = said.c.role == term.said
    else:
        column = said.c.model if term.key == "model" else said.c.words
        condition = column.bool_op("@@")(cast(literal(_phrase(term)), TSQUERY))
    return not_(condition) if term.unwanted else condition


def _phrase(term: Term) -> str:
    quoted = [f"'{word}'" for word in words(term.said)]
    if quoted and term.begins:
        quoted[-1] += ":*"
    return " <-> ".join(quoted)
