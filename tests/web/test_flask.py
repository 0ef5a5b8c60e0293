"""The Flask blueprint under the servers that people run it with, before a provider that is a real server."""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from streamchat.web.flask import blueprint
from streamchat.web.routes import ROUTES, is_lasting
from tests.web import sites
from tests.web.sites import Came, Gunicorn, Site
from tests.web.wsgi import CORS, ours
from tests.wire.answers import chat_answer, openai_error_body
from tests.wire.scenario import Scenario, Stall, Wait, document, stream
from tests.wire.server import Server

WORKERS = {
    "gthread": ("-k", "gthread", "--threads", "5"),
    "gevent": ("-k", "gevent"),
    "sync": ("-k", "sync"),
}
STREAMS = 3
"""How many there may be at once under the gthread of these tests."""
LEFT = 1.5
"""Seconds within which a reader's leaving must have reached the provider."""
SAID = {"message": "hello"}
COMPLETION = {"model": "vllm/m", "messages": [{"role": "user", "content": "hello"}]}
MESSAGE = {**COMPLETION, "max_tokens": 50}
ASKED = {"messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def provider() -> Iterator[Server]:
    with Server() as started:
        yield started


@pytest.fixture(scope="module")
def home(provider: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("home")
    config = place / "config" / "streamchat" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[defaults]\nmodel = "vllm/m"\nretries = 0\n[providers.vllm]\nbase_url = "{provider.v1}"\n'
        "[serve]\nper_minute = 0\ndrain = 0.3\nconcurrent_per_user = 64\n"
    )
    return place


@pytest.fixture(scope="module")
def workers(home: Path) -> Iterator[dict[str, Gunicorn]]:
    with ExitStack() as stack:
        started = {name: stack.enter_context(sites.gunicorn(home, *options)) for name, options in WORKERS.items()}
        yield started
        for site in started.values():
            site.process.terminate()


@pytest.fixture(params=["gthread", "gevent"])
def site(request: pytest.FixtureRequest, workers: dict[str, Gunicorn], provider: Server) -> Iterator[Site]:
    yield workers[request.param]
    left = provider.left
    provider._plan.clear()  # what a failed test has left is not the next one's
    assert left == 0


def begun(*more: Any) -> Scenario:
    """An answer that has begun, with what follows."""
    return stream(chat_answer(["One", " two"])[:3], *more)


def names(body: bytes) -> list[str]:
    return re.findall(r"^event: (\w+)$", body.decode(), re.MULTILINE)


def test_what_comes_goes_out_at_once_and_in_order(site: Site, provider: Server) -> None:
    gates = [threading.Event() for _ in range(4)]
    packets = chat_answer(["One", " two", " three", " four"])
    steps = [step for gate, packet in zip(gates, packets[2:], strict=False) for step in (Wait(gate), packet)]
    provider.play(stream(packets[:2], *steps, packets[6:]))

    reading = site.read("POST", "/api/chat", ASKED)
    for word, gate in zip(("One", " two", " three", " four"), gates, strict=True):
        assert f'"t":"{word}"'.encode() in reading.until(f'"t":"{word}"'.encode())
        gate.set()
    body = reading.rest()

    assert reading.status == 200
    assert reading.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reading.headers["x-run-id"].encode() in body
    assert [name for name in names(body) if name != "usage"] == ["start", *["token"] * 4, "done"]


def leaves_while_it_is_silent(site: Site, provider: Server) -> None:
    """Who leaves then closes the provider's connection soon."""
    number = len(provider.exchanges)
    provider.play(begun(Stall()))
    reading = site.read("POST", "/stream", SAID)
    reading.until(b"two")
    reading.leave()

    assert provider.exchange(number).closed.wait(LEFT)


def test_who_leaves_while_the_model_is_silent_stops_it(site: Site, provider: Server) -> None:
    leaves_while_it_is_silent(site, provider)


def test_who_leaves_before_the_first_word_stops_it(site: Site, provider: Server) -> None:
    number = len(provider.exchanges)
    provider.play(stream(Stall()))
    waiting = site.send("POST", "/stream", SAID)
    exchange = provider.exchange(number)
    waiting.close()

    assert exchange.closed.wait(LEFT)


def test_a_silent_model_is_waited_for_with_pings(site: Site, provider: Server) -> None:
    gate = threading.Event()
    provider.play(begun(Wait(gate), chat_answer(["One", " two"])[3:]))
    reading = site.read("POST", "/stream", SAID)
    reading.until(b": ping\n\n")
    gate.set()

    assert reading.rest().replace(b": ping\n\n", b"").endswith(b'data: {"done":true}\n\n')


def test_stop_ends_the_answer_with_a_word(site: Site, provider: Server) -> None:
    number = len(provider.exchanges)
    provider.play(begun(Stall()))
    reading = site.read("POST", "/api/chat", ASKED)
    reading.until(b" two")

    assert site.ask("DELETE", f"/api/runs/{reading.headers['x-run-id']}").status == 202
    body = reading.rest()
    assert names(body)[-1] == "error"
    assert b'"code":"stopped"' in body
    assert provider.exchange(number).closed.wait(LEFT)


def test_who_comes_back_reads_on(site: Site, provider: Server) -> None:
    gate, packets = threading.Event(), chat_answer(["One", " two"])
    provider.play(stream(packets[:2], Wait(gate), packets[2:]))
    reading = site.read("POST", "/api/chat", ASKED)
    reading.until(b'"t":"One"')
    reading.leave()
    events = f"/api/runs/{reading.headers['x-run-id']}/events"
    again = site.read("GET", events, Last_Event_ID="1")
    gate.set()

    after = again.rest().replace(b": ping\n\n", b"")
    assert after.startswith(b"id: 2\n")
    assert names(after)[-1] == "done"
    whole = site.ask("GET", events).body
    assert whole.endswith(after)
    assert b"id: 1\nevent: token\ndata: " in whole
    assert site.ask("GET", f"{events}?after=1").body == after


def test_a_view_beside_it_may_have_a_loop_of_its_own(site: Site, provider: Server) -> None:
    gate = threading.Event()
    provider.play(begun(Wait(gate), chat_answer(["One", " two"])[3:]))
    reading = site.read("POST", "/stream", SAID)
    reading.until(b"two")

    assert "EventLoop" in site.ask("GET", "/own").body.decode()
    gate.set()
    assert reading.rest().endswith(b'data: {"done":true}\n\n')


def test_the_last_threads_are_kept_for_the_page(workers: dict[str, Gunicorn], provider: Server) -> None:
    site, number = workers["gthread"], len(provider.exchanges)
    provider.play(*[begun(Stall())] * STREAMS)
    open_ = [site.read("POST", "/stream", SAID) for _ in range(STREAMS)]
    for reading in open_:
        reading.until(b"two")

    refused = site.ask("POST", "/stream", SAID)
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert refused.json["error"]["code"] == "full"
    assert site.ask("GET", "/").status == 200
    assert site.ask("GET", "/api/runs").status == 200

    for reading in open_:
        reading.leave()
    assert all(provider.exchange(number + i).closed.wait(LEFT) for i in range(STREAMS))
    assert len(provider.exchanges) == number + STREAMS
    provider.play(stream(chat_answer(["free"])))
    while (again := site.ask("POST", "/stream", SAID)).status == 503:
        pass
    assert b"free" in again.body


def test_a_worker_that_does_one_thing_at_a_time_says_so(workers: dict[str, Gunicorn]) -> None:
    came = workers["sync"].ask("POST", "/stream", SAID)

    assert came.status == 500
    assert came.json["error"]["code"] == "one_at_a_time"
    assert "gunicorn -k gthread" in came.json["error"]["hint"]
    assert "Traceback" not in workers["sync"].log.read_text()


CASES: dict[str, tuple[Scenario | None, tuple[Any, ...], dict[str, str]]] = {
    "page": (None, ("GET", "/"), {}),
    "health": (None, ("GET", "/api/health"), {"Authorization": ""}),
    "config": (None, ("GET", "/api/config"), {}),
    "no token": (None, ("GET", "/api/config"), {"Authorization": ""}),
    "wrong token": (None, ("POST", "/stream", SAID), {"Authorization": "Bearer x"}),
    "session": (None, ("POST", "/api/session", {"token": "never"}), {}),
    "no session": (None, ("DELETE", "/api/session"), {}),
    "foreign host": (None, ("GET", "/"), {"Host": "evil.example"}),
    "foreign page": (None, ("POST", "/stream", SAID), {"Origin": "https://evil.example"}),
    "form": (None, ("POST", "/stream", b"a=b"), {"Content-Type": "application/x-www-form-urlencoded"}),
    "no JSON": (None, ("POST", "/stream", b"{"), {}),
    "not that": (None, ("POST", "/stream", {"message": 3}), {}),
    "too long": (None, ("POST", "/stream", b" " * (1 << 20) + b"{}"), {}),
    "missing": (None, ("GET", "/nothing/here"), {}),
    "not so": (None, ("PUT", "/api/chat", {}), {}),
    "head": (None, ("HEAD", "/"), {}),
    "head of a stream": (None, ("HEAD", "/api/runs/x/events"), {}),
    "head of a vendor's": (None, ("HEAD", "/v1/messages"), {}),
    "not so for a vendor": (None, ("GET", "/v1/messages"), {}),
    "no run": (None, ("GET", "/api/runs/x/events"), {}),
    "twice": (None, ("GET", "/api/conversations?limit=x&limit=2"), {}),
    "preflight": (None, ("OPTIONS", "/v1/chat/completions"), {"Origin": CORS, "Authorization": ""}),
    "no preflight": (None, ("OPTIONS", "/api/chat"), {"Origin": CORS, "Authorization": ""}),
    "refused": (document(openai_error_body("slow down", "rate"), status=429), ("POST", "/api/chat", ASKED), {}),
    "simple": (stream(b"".join(chat_answer(["One", " é漢😀"]))), ("POST", "/stream", SAID), {}),
    "native": (stream(b"".join(chat_answer(["One", " two"], reasoning=["hm"]))), ("POST", "/api/chat", ASKED), {}),
    "page view": (
        stream(b"".join(chat_answer(["# One\n\n", "two"]))),
        ("POST", "/api/chat", {**ASKED, "view": "page"}),
        {},
    ),
    "kept": (stream(b"".join(chat_answer(["One"]))), ("POST", "/api/chat", {"input": "hello"}), {}),
    "models": (None, ("GET", "/v1/models"), {}),
    "models of the other vendor": (None, ("GET", "/v1/models"), {"anthropic_version": "2023-06-01"}),
    "no model": (None, ("GET", "/v1/models/no/such%2Fmodel"), {}),
    "a model": (None, ("GET", "/v1/models/vllm/wire-small"), {}),
    "a page that may": (None, ("GET", "/v1/models/no"), {"Origin": CORS}),
    "completion": (
        stream(b"".join(chat_answer(["One", " é"]))),
        ("POST", "/v1/chat/completions", COMPLETION),
        {"Origin": CORS},
    ),
    "completion, streamed": (
        stream(b"".join(chat_answer(["One", " é"], reasoning=["hm"]))),
        ("POST", "/v1/chat/completions", COMPLETION | {"stream": True, "stream_options": {"include_usage": True}}),
        {"Origin": CORS},
    ),
    "completion, refused": (
        document(openai_error_body("slow down", "rate"), status=429),
        ("POST", "/v1/chat/completions", COMPLETION | {"stream": True}),
        {},
    ),
    "completion, not that": (None, ("POST", "/v1/chat/completions", {"model": 3}), {}),
    "completion, no token": (None, ("POST", "/v1/chat/completions", COMPLETION), {"Authorization": ""}),
    "message": (stream(b"".join(chat_answer(["One", " é"]))), ("POST", "/v1/messages", MESSAGE), {}),
    "message, streamed": (
        stream(b"".join(chat_answer(["One", " é"], reasoning=["hm"]))),
        ("POST", "/v1/messages", MESSAGE | {"stream": True}),
        {"anthropic_version": "2023-06-01"},
    ),
    "message, cut": (
        stream(b"".join(chat_answer(["One"], finish=None, usage=None, done=False))),
        ("POST", "/v1/messages", MESSAGE | {"stream": True}),
        {},
    ),
    "message, refused": (document(openai_error_body("no", "auth"), status=401), ("POST", "/v1/messages", MESSAGE), {}),
    "message, not that": (None, ("POST", "/v1/messages", b"["), {}),
    "tokens": (None, ("POST", "/v1/messages/count_tokens", {"model": "vllm/m", **ASKED}), {}),
    "cut": (
        stream(b"".join(chat_answer(["One"], finish=None, usage=None, done=False))),
        ("POST", "/api/chat", ASKED),
        {},
    ),
}


@pytest.fixture(scope="module")
def original(home: Path) -> Iterator[Site]:
    with sites.fastapi(home) as started:
        yield started


def told(came: Came) -> tuple[int, dict[str, str], bytes]:
    """The answer without what differs from one time to the next, and without what is the server's own."""
    body = re.sub(rb'"(run|conversation|message|question)":"[^"]+"', rb'"\1":"ID"', came.body)
    body = re.sub(rb'"(created|ms|first_token_ms|tokens_per_s)":[\d.]+', rb'"\1":0', body).replace(b": ping\n\n", b"")
    body = re.sub(rb'"(chatcmpl-|msg_)[\w-]+"', rb'"\1ID"', body)
    own = ("server", "date", "connection", "transfer-encoding", "x-run-id")
    return came.status, {name: value for name, value in came.headers.items() if name not in own}, body


@pytest.mark.parametrize("case", CASES)
def test_every_answer_is_fastapis_byte_for_byte(case: str, site: Site, original: Site, provider: Server) -> None:
    scenario, asked, headers = CASES[case]
    answers = []
    for each in (original, site):
        if scenario is not None:
            provider.play(scenario)
        came = each.ask(*asked, **headers)
        answers.append(told(came))
        if "x-run-id" in came.headers:
            for view in ("raw", "page"):
                answers[-1] += told(each.ask("GET", f"/api/runs/{came.headers['x-run-id']}/events?view={view}"))

    assert answers[1] == answers[0]


def test_a_server_that_ends_leaves_nobody_without_a_word(home: Path, provider: Server) -> None:
    number = len(provider.exchanges)
    provider.play(begun(Stall()), begun(Stall()))
    with ExitStack() as stack:
        ending = [stack.enter_context(sites.gunicorn(home, *WORKERS[worker])) for worker in ("gthread", "gevent")]
        open_ = [site.read("POST", "/api/chat", ASKED) for site in ending]
        for site, reading in zip(ending, open_, strict=True):
            reading.until(b" two")
            site.process.terminate()
        for site, reading in zip(ending, open_, strict=True):
            body = reading.rest()
            assert names(body)[-1] == "error"
            assert b'"code":"server_stopping"' in body
            assert site.process.wait(sites.DEADLINE) == 0
            assert "Traceback" not in site.log.read_text()
    assert all(provider.exchange(number + i).closed.wait(LEFT) for i in range(2))


def test_it_lives_in_somebodys_own_app(home: Path, provider: Server) -> None:
    app = Flask("own")
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.add_url_rule("/", view_func=lambda: "own page")
    app.register_blueprint(blueprint(ours(**sites.environ(home))), url_prefix="/chat")
    with sites.werkzeug(app, "/chat") as site:
        assert Site(site.port).ask("GET", "/").body == b"own page"
        page = site.ask("GET", "/", Authorization="")
        found = re.findall(rb'(?:src|href)="(assets/[^"]+)"', page.body)
        assert found
        assert all(site.ask("GET", f"/{each.decode()}", Authorization="").status == 200 for each in found)

        code = app.blueprints["streamchat"].streamchat.guard.code()  # type: ignore[attr-defined]
        entered = site.ask("POST", "/api/session", {"token": code}, Authorization="")
        assert entered.status == 204
        assert "Path=/chat;" in entered.headers["set-cookie"]
        cookie = entered.headers["set-cookie"].partition(";")[0]
        provider.play(stream(chat_answer(["One"])))
        assert b"One" in site.ask("POST", "/stream", SAID, Authorization="", Cookie=cookie).body

        leaves_while_it_is_silent(site, provider)


def test_the_routes_that_last_are_those_that_stream() -> None:
    lasting = {route.path for route in ROUTES if is_lasting(route)}

    assert {"/api/chat", "/api/runs/{id}/events", "/stream"} <= lasting
    assert not lasting & {"/", "/api/health", "/api/runs", "/api/conversations"}
