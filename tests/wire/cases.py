"""The table of everything that a provider's stream can do, as data: what the server plays and what must hold."""

from tests.wire import faults, oddities
from tests.wire.answers import FORMATS, MESSAGES
from tests.wire.case import Case

AROUND = (
    faults.connection,
    faults.statuses,
    faults.retries,
    faults.transport,
    faults.ends,
    faults.keep_alives,
    faults.documents,
)
"""What the SDK and the library below it make of a response: it may differ from one library to the next."""
INSIDE = (
    faults.error_events,
    faults.rubbish,
    oddities.spellings,
    oddities.payloads,
    oddities.stops,
    oddities.dialects,
)
"""What the bytes of a stream say: read by us alone, whoever brings them."""
_MADE = {kind: [[*kind(form)] for form in FORMATS] for kind in (*AROUND, *INSIDE)}
CASES: list[Case] = [case for of_form in zip(*_MADE.values(), strict=True) for cases in of_form for case in cases]


def _covering() -> list[Case]:
    """Each fault around the stream once for each SDK, each one inside of it once."""
    return [
        case
        for kind, made in _MADE.items()
        for case in _taken([each for of in made for each in of], sdks=kind in AROUND)
    ]


def _taken(kind: list[Case], *, sdks: bool) -> list[Case]:
    """Of the cases of each name one, or one for each SDK; of the formats that would do, the next in turn."""
    alike: dict[tuple[str, bool], list[Case]] = {}
    for case in kind:
        alike.setdefault((case.name, sdks and case.form is MESSAGES), []).append(case)
    return [cases[number % len(cases)] for number, cases in enumerate(alike.values())]


COVERING: list[Case] = _covering()
"""Enough of them for one more way to bring the bytes, where another way has had them all."""
