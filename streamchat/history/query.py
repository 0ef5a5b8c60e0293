"""What a person may type to search: words, "phrases", wor*, -without, model:, role:, before:, after:.

Words are found whatever their case and accents, all of them in one message. Pure: from text to conditions.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from streamchat.errors import UsageError
from streamchat.history.tree import instant

ROLES = {"user": "user", "you": "user", "assistant": "assistant", "model": "assistant", "name": "name"}
DATES = "Dates are 2026, 2026-11, 2026-11-22, today, yesterday, or 12h, 3d, 2w, 6m, 1y for so long ago"
_PART = re.compile(r'(?P<minus>-?)(?:(?P<key>\w+):(?=["\S]))?(?:"(?P<phrase>[^"]*)"?|(?P<word>\S+))')
_AGO = re.compile(r"(\d+)([hdwmy])$")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7, "m": 24 * 30, "y": 24 * 365}
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)
SEAM = "\u200b"


class Query(Struct, frozen=True):
    """`match` is in the language of SQLite's FTS5, empty to match everything; the dates bound a message's time."""

    match: str = ""
    after: str = ""
    before: str = ""


class Term(NamedTuple):
    """One condition: `said` is looked for in what `key` names, "" for the message itself."""

    key: str
    said: str
    unwanted: bool
    begins: bool
    """Whether the last word may go on."""


def parse(text: str, *, now: datetime | None = None) -> Query:
    """The conditions that this search means; raises UsageError for a date or a role that is none."""
    wanted: list[str] = []
    unwanted: list[str] = []
    dates = {"after": "", "before": ""}
    for key, said, minus, star in terms(text):
        match key:
            case "after" | "before":
                dates[key] = moment(said, now=now)
            case "model":
                (unwanted if minus else wanted).append(f"model : {_phrase(said, star)}")
            case "role":
                (unwanted if minus else wanted).append(f"role : {_phrase(said, star)}")
            case _:
                (unwanted if minus else wanted).append(f"text : {_phrase(said, star)}")
    match = " AND ".join(wanted)
    if unwanted:
        match = " NOT ".join([f"({match})" if match else "role : (user OR assistant)", *unwanted])
    return Query(match, dates["after"], dates["before"])


def spaced(text: str) -> str:
    """The text with a seam beside every character of a script that writes no spaces, so that its words are found."""
    return text if text.isascii() else _UNSPACED.sub(SEAM + r"\1" + SEAM, text)


def unspaced(text: str) -> str:
    """The text without the seams."""
    return text.replace(SEAM, "")


def moment(text: str, *, now: datetime | None = None) -> str:
    """The beginning of 2026, 2026-11, 2026-11-22, today or yesterday, or 3d ago (h, d, w, m, y), in UTC."""
    now = now or datetime.now().astimezone()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text == "today":
        return instant(midnight)
    if text == "yesterday":
        return instant(midnight - timedelta(days=1))
    try:
        if found := _AGO.match(text):
            return instant(now - timedelta(hours=int(found[1]) * _HOURS[found[2]]))
        year, month, day = (text + "-1-1").split("-")[:3]
        found_date = date(int(year), int(month), int(day))
        if len(year) != 4 or text.count("-") > 2:
            raise ValueError
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no date", DATES) from None
    return instant(midnight.replace(year=found_date.year, month=found_date.month, day=found_date.day))


def terms(text: str) -> Iterator[Term]:
    """The conditions one by one; raises UsageError for a role that is none."""
    for found in _PART.finditer(text):
        key = (found["key"] or "").lower()
        said = found["word"] if found["word"] is not None else found["phrase"]
        if key and key not in ("after", "before", "model", "role"):
            key, said = "", f"{found['key']}:{said}"  # `std::vector`, `http://...`: words like others
        star = found["word"] is not None and said.endswith("*")
        said = said.rstrip("*") if star else said
        if any(character.isalnum() for character in said):
            yield Term(key, _role(said) if key == "role" else said, bool(found["minus"]), star)


def _phrase(text: str, star: bool) -> str:
    quoted = spaced(text).replace('"', '""').replace("\0", " ")
    return f'"{quoted}"' + (" *" if star else "")


def _role(name: str) -> str:
    if name.lower() not in ROLES:
        raise UsageError(f"there is no role {name!r}", f"Roles are {', '.join(ROLES)}")
    return ROLES[name.lower()]
