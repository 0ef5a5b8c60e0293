"""The table of everything that a provider's stream can do, as data: what the server plays and what must hold."""

from tests.wire import faults, oddities
from tests.wire.answers import FORMATS
from tests.wire.case import Case

KINDS = (
    faults.connection,
    faults.statuses,
    faults.retries,
    faults.transport,
    faults.ends,
    faults.keep_alives,
    faults.documents,
    faults.error_events,
    faults.rubbish,
    oddities.spellings,
    oddities.payloads,
    oddities.stops,
    oddities.dialects,
)
CASES: list[Case] = [case for form in FORMATS for kind in KINDS for case in kind(form)]
