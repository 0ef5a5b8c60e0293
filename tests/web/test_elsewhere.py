"""Two servers and one Redis: an answer is read, resumed and stopped at the other one as at its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from streamchat.web.limits import Limits
from tests.engines import DEADLINE
from tests.engines import Redis as Engine
from tests.web.site import Got, Site
from tests.web.streams import WORDS, eventually, halted, read
from tests.wire.chat import chat_answer
from tests.wire.scenario import Scenario, Stall, stream
from tests.wire.server import Server

pytest.importorskip("redis", reason="the extra `redis` is not installed")

Two = tuple[Site, Site]


def two_sites(server: Server, redis: Engine, home: Path, **limits: Any) -> Iterator[Two]:
    config = (
        f'[providers.wire]\nkind = "openai"\nbase_url = "{server.v1}"\nretries = 0\n[serve]\nruns = "{redis.url}"\n'
    )
    with (
        Site(config=config, home=home, limits=Limits(**limits)) as one,
        Site(config=config, home=home, limits=Limits(**limits)) as other,
    ):
        yield one, other


@pytest.fixture
def sites(server: Server, redis: Engine, tmp_path: Path) -> Iterator[Two]:
    yield from two_sites(server, redis, tmp_path)


_open: list[tuple[HTTPConnection, HTTPResponse]] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """What a test leaves open is closed behind it."""
    yield
    for connection, response in _open:
        response.close()
        connection.close()
    _open.clear()


def begun(site: Site, method: str, path: str, body: Any = None) -> HTTPResponse:
    """A request whose answer is read as it comes."""
    _open.append(site.open(method, path, body))
    return _open[-1][1]


def ask(site: Site, text: str = "Why?", **body: Any) -> tuple[str, HTTPResponse]:
    """The id of the run, and its stream."""
    response = begun(site, "POST", "/api/chat", {"model": "wire/m", "input": text, **body})
    run = response.getheader("x-run-id")
    assert run is not None
    return run, response


def found(site: Site, run: str, **how: Any) -> Got:
    """The run's events at this site, as soon as it knows of it."""
    return eventually(lambda: site.ask("GET", f"/api/runs/{run}/events", **how), lambda got: got.status == 200)


def opened(site: Site, path: str) -> HTTPResponse:
    return eventually(lambda: begun(site, "GET", path), lambda response: response.status == 200)


def test_every_place_of_an_answer_is_read_at_the_other_server_as_at_its_own(
    sites: Two, server: Server, redis: Engine
) -> None:
    from redis import Redis

    one, other = sites
    server.play(stream(chat_answer(WORDS, reasoning=["Hm", "!"], usage=(7, 3))))
    run, response = ask(one)
    whole = read(response)
    assert found(other, run).body == whole
    with Redis.from_url(redis.url) as client:
        assert client.xlen(f"streamchat:run:{run}") < whole.count(b"id: ") / 2  # what has gathered is one append
        assert 0 < client.ttl(f"streamchat:run:{run}") <= one.app.limits.retention
    frames = [frame + b"\n\n" for frame in whole.split(b"\n\n")[:-1]]
    for place in range(len(frames)):
        got = other.ask("GET", f"/api/runs/{run}/events", headers={"last-event-id": str(place)})
        assert got.body == b"".join(frames[place + 1 :])


def test_who_comes_back_elsewhere_in_the_middle_misses_nothing(sites: Two, server: Server) -> None:
    one, other = sites
    gate = Event()
    server.play(halted(WORDS, gate))
    run, here = ask(one)
    seen = read(here, b"word2")
    last = seen.rpartition(b"id: ")[2].partition(b"\n")[0].decode()
    there = opened(other, f"/api/runs/{run}/events?after={last}")
    listed = other.ask("GET", "/api/runs?active=1").json
    start = json.loads(seen.partition(b"data: ")[2].partition(b"\n")[0])
    conversation = other.ask("GET", f"/api/conversations/{start['conversation']}").json
    gate.set()

    assert seen + read(there) == found(one, run).body == seen + read(here)
    assert [(each["run"], each["conversation"]) for each in listed] == [(run, start["conversation"])]
    assert conversation["run"] == run
    eventually(lambda: other.ask("GET", "/api/runs?active=1").json, lambda runs: runs == [])


def test_a_request_that_is_sent_again_elsewhere_is_answered_once(sites: Two, server: Server) -> None:
    one, other = sites
    server.play(stream(chat_answer(WORDS)))
    run, response = ask(one, request_id="the same")
    whole = read(response)
    found(other, run)
    again, response = ask(other, request_id="the same")

    assert (again, read(response)) == (run, whole)
    assert len(server.exchanges) == 1


def test_a_page_elsewhere_sees_the_same_blocks(sites: Two, server: Server) -> None:
    one, other = sites
    server.play(stream(chat_answer(WORDS, reasoning=["Hm"])))
    run, response = ask(one, view="page")
    read(response)

    def blocks(got: Got) -> tuple[list[Any], str, str]:
        done = [node for name, data in got.events if name == "blocks" for node in data["done"]]
        thought = "".join(data["t"] for name, data in got.events if name == "reasoning")
        return done, thought, got.events[-1][0]

    here = one.ask("GET", f"/api/runs/{run}/events?view=page")
    found(other, run)
    there = other.ask("GET", f"/api/runs/{run}/events?view=page")
    again = other.ask("GET", f"/api/runs/{run}/events?view=page", headers={"last-event-id": "4.2"})

    assert blocks(there) == blocks(here)
    assert blocks(again) == (blocks(here)[0][4:], "", "done")


def test_stop_reaches_the_provider_through_the_other_server(sites: Two, server: Server) -> None:
    one, other = sites
    server.play(Scenario([*halted(WORDS, Event()).steps[:5], Stall()]))
    run, here = ask(one)
    seen = read(here, b"word2")
    there = opened(other, f"/api/runs/{run}/events")
    assert other.ask("DELETE", f"/api/runs/{run}").status == 202
    assert server.exchange().closed.wait(DEADLINE)
    rest = read(there)

    assert b'"code":"stopped"' in rest
    assert seen + read(here) == rest
    assert other.ask("DELETE", f"/api/runs/{run}").status == 202
    assert other.ask("DELETE", "/api/runs/nothing").status == 404


def test_who_reads_elsewhere_keeps_the_answer_going(server: Server, redis: Engine, tmp_path: Path) -> None:
    with contextmanager(two_sites)(server, redis, tmp_path, grace=0.2) as (one, other):
        gate = Event()
        server.play(halted(WORDS, gate), halted(WORDS, gate))
        run_id, here = ask(one)
        read(here, b"word2")
        there = opened(other, f"/api/runs/{run_id}/events")
        read(there, b"word2")
        run = one.app.hub.find(run_id)
        assert run is not None
        eventually(lambda: run.readers[1:], bool)
        hung_up, response = _open[0]
        response.close()
        hung_up.close()
        eventually(lambda: len(run.readers), lambda readers: readers == 1)
        assert not server.exchange().closed.wait(0.4)
        gate.set()
        assert b"event: done" in read(there)


def test_who_will_be_away_says_so_at_any_server(server: Server, redis: Engine, tmp_path: Path) -> None:
    with contextmanager(two_sites)(server, redis, tmp_path, grace=0.1) as (one, other):
        gate = Event()
        server.play(halted(WORDS, gate))
        run_id, here = ask(one)
        read(here, b"word2")
        run = one.app.hub.find(run_id)
        assert run is not None
        held = eventually(
            lambda: other.ask("PATCH", f"/api/runs/{run_id}", {"grace": 60}), lambda got: got.status != 404
        )
        assert held.status == 204
        eventually(lambda: run.grace, lambda grace: grace == 60)
        assert other.ask("PATCH", "/api/runs/nothing", {"grace": 60}).status == 404
        gate.set()


def test_an_answer_is_read_by_who_asked_alone(sites: Two, server: Server) -> None:
    one, other = sites
    server.play(stream(chat_answer(["secret"])))
    run, response = ask(one)
    read(response)
    found(other, run)
    got = other.ask("POST", "/api/session", {"token": other.guard.code()}, token=None)
    stranger = {"token": None, "headers": {"cookie": got.headers["set-cookie"].partition(";")[0]}}

    assert other.ask("GET", "/api/runs", **stranger).status == 200
    assert other.ask("GET", f"/api/runs/{run}/events", **stranger).status == 404
    assert other.ask("DELETE", f"/api/runs/{run}", **stranger).status == 404


def test_a_code_lets_one_browser_in_at_any_server_once(sites: Two) -> None:
    one, other = sites
    code = one.guard.code()
    entered = other.ask("POST", "/api/session", {"token": code}, token=None)
    cookie = {"cookie": entered.headers["set-cookie"].partition(";")[0]}

    assert entered.status == 204
    for site in sites:
        assert site.ask("GET", "/api/runs", token=None, headers=cookie).status == 200
        assert site.ask("POST", "/api/session", {"token": code}, token=None).status == 401
        assert site.ask("POST", "/api/session", {"token": f"9{one.guard.code()}"}, token=None).status == 401
        assert site.ask("GET", "/api/runs", token=code).status == 401


def test_without_redis_answers_go_on_and_with_it_again_they_are_found(
    sites: Two, server: Server, redis: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    one, other = sites
    gate = Event()
    server.play(halted(WORDS, gate), stream(chat_answer(["alone"])))
    run, here = ask(one)
    seen = read(here, b"word2")
    redis.stop()
    try:
        alone, response = ask(one, "Meanwhile?")
        assert b"alone" in read(response)
        assert other.ask("GET", f"/api/runs/{alone}/events").status == 404
        assert one.ask("POST", "/api/session", {"token": one.guard.code()}, token=None).status == 401
    finally:
        redis.start()  # with nothing of what it had
    gate.set()
    seen += read(here)
    assert found(other, run).body == seen
    notices = [line for line in capfd.readouterr().err.splitlines() if line.startswith("streamchat: the Redis at ")]
    assert 1 <= len(notices) <= 2  # one of each server
