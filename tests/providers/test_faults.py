"""The table of faults, through the real SDKs and both pumps."""

import threading
import time

import pytest

from streamchat import retries
from streamchat.errors import NetworkError, StalledError
from tests.providers.asking import PUMPS, Pump, ask, url_of
from tests.wire.answers import FORMATS, Format
from tests.wire.case import KEPT, Case, begun
from tests.wire.cases import CASES, COVERING
from tests.wire.scenario import Raw, Stall, Wait, redirect, stream
from tests.wire.server import Server

BOUND = 30.0
"""Seconds that no fault may take; the time-outs of the cases are far below, a loaded machine's imports are not."""


def over(pump: Pump) -> list[Case]:
    """All that is asked over this pump: by the one that blocks everything, by the others what they may do otherwise."""
    return CASES if pump == "sync" else COVERING


@pytest.mark.parametrize(
    ("case", "pump"), [pytest.param(case, pump, id=f"{case}-{pump}") for pump in PUMPS for case in over(pump)]
)
def test_fault(server: Server, case: Case, pump: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came is kept, the error is ours, its line says what is wrong and where, and no time is lost."""
    monkeypatch.setattr(retries, "_FIRST", 0.01)  # how long is waited is for `tests.test_retries` to say
    server.play(*case.scenarios)
    host, url = place_of(case, server)
    begun = time.monotonic()

    seen = ask(case.form, server, pump, url=url, idle_timeout=case.timeout, retries=max(case.tries, 1) - 1)

    assert time.monotonic() - begun < BOUND
    assert seen.text == seen.reply.text
    assert seen.text == case.text or (pump == "aiohttp" and case.in_one_piece and not seen.text)
    stalled = pump == "aiohttp" and case.name == "bad chunk size" and isinstance(seen.error, StalledError)
    assert type(seen.error) is (case.error or type(None)) or stalled, "aiohttp may wait where the framing is broken"
    assert seen.reply.stop_reason == expected_stop(case)
    assert len(server.exchanges) == case.tries
    if seen.error is None:
        assert [(stop.reason, stop.detail) for stop in seen.stops] == [(case.stop, case.detail)]
        assert seen.events[-1] == seen.stops[-1]
        return
    assert seen.stops == []
    assert seen.error.reply is seen.reply
    assert len(seen.error.message) < 600
    for word in case.words:
        assert word.format(host=host) in seen.error.message
    for word in ("\n", "\r", "\x1b", *case.unwords):
        assert word not in seen.error.message
    if case.retry_after is not None:
        assert getattr(seen.error, "retry_after", None) == case.retry_after


@pytest.mark.parametrize("pump", PUMPS)
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_what_comes_in_one_piece_with_the_damage_is_kept(server: Server, form: Format, pump: Pump) -> None:
    """The libraries raise at the damage; the text before it is given first."""
    *_, last = packets = begun(form)
    gate = threading.Event()
    damage = b"%x\r\n%s\r\nwat?\r\n\r\n" % (len(last), last)
    server.play(stream(packets[:-1], Wait(gate), Raw(damage), Stall()))

    seen = ask(form, server, pump, then=gate.set)

    assert (seen.text, type(seen.error)) == (KEPT, NetworkError)


def expected_stop(case: Case) -> str:
    return case.error.stop_reason if case.error else case.stop


def place_of(case: Case, server: Server) -> tuple[str, str]:
    """The host that the error has to name, and the base URL that leads there."""
    url = url_of(case.form, server)
    match case.place:
        case "refused":
            server.close()
        case "unknown name":
            return "no-such-host.invalid", "http://no-such-host.invalid/v1"
        case "no TLS":
            return server.host, url.replace("http:", "https:")
        case "no scheme":
            return server.host, url.removeprefix("http://")
    return server.host, url


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_redirect_is_not_followed(server: Server, other_server: Server, form: Format, status: int) -> None:
    """The question and the key stay where they were sent; the error names both places."""
    server.play(redirect(f"{other_server.url}{form.path}", status))

    seen = ask(form, server)

    assert seen.error is not None
    assert server.host in seen.error.message
    assert other_server.host in seen.error.message
    assert seen.error.exit_code == 1
    assert other_server.exchanges == []
