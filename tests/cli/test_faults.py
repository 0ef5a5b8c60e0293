"""Faults of the wire through the whole program: what came is on stdout, the cause in one line, the exit code right.

One case of each kind of error, in one format after the other; all of the cases: `python -m tests.faults`.
"""

from itertools import cycle
from pathlib import Path

import pytest

from tests.faults import asked, wrongs
from tests.wire.answers import FORMATS
from tests.wire.case import Case
from tests.wire.cases import CASES
from tests.wire.server import Server

KINDS = dict.fromkeys((case.error, bool(case.text)) for case in CASES if case.error)
"""The errors there are, before any of the text has come and after."""


def cases() -> list[Case]:
    return [
        next(case for case in CASES if case.form is form and (case.error, bool(case.text)) == kind)
        for kind, form in zip(KINDS, cycle(FORMATS), strict=False)
    ]


@pytest.mark.parametrize("case", cases(), ids=str)
def test_what_came_is_kept_and_the_cause_told(server: Server, case: Case, tmp_path: Path) -> None:
    assert wrongs(case, *asked(case, server, tmp_path / "home")) == []
