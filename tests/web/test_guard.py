"""Who is let in, by the real server: each refusal is one that somebody would try."""

from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import product
from pathlib import Path

import pytest

from streamchat.web.errors import WebError
from streamchat.web.guard import Guard, hosts_of
from streamchat.web.http import Request
from streamchat.web.limits import Limits, Rate
from tests.web.site import TOKEN, Site
from tests.wire.chat import chat_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

QUESTION = {"input": "Why?", "model": "echo"}
SECRET = "sk-very-secret-0123456789"


FOREIGN_HOSTS = (
    "evil.example", "", "localhost", "localhost.evil.example:{port}", "127.0.0.1:{port}.evil.example", "127.0.0.1:1",
    "127.0.0.1@evil.example:{port}", "[::1]", "0.0.0.0:{port}", "127.0.0.1:{port}:{port}",
)  # fmt: skip


def test_a_foreign_host_name_is_refused_before_anything_else(site: Site) -> None:
    for host, path in product(FOREIGN_HOSTS, ("/", "/api/health", "/api/conversations", "/nothing/here")):
        got = site.ask("GET", path, headers={"host": host.format(port=site.port)})
        assert (host, path, got.status, got.json["error"]["code"]) == (host, path, 421, "host")


FOREIGN_PAGES = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:1"},
    {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:{port}"},
)


def test_another_sites_page_cannot_ask(site: Site) -> None:
    asked = (("POST", "/api/chat"), ("GET", "/api/conversations"), ("POST", "/stream"), ("POST", "/api/session"),
             ("DELETE", "/api/runs/x"))  # fmt: skip
    for headers, (method, path) in product(FOREIGN_PAGES, asked):
        sent = {name: value.format(port=site.port) for name, value in headers.items()}
        got = site.ask(method, path, QUESTION if method == "POST" else None, headers=sent)
        assert (sent, path, got.status, got.json["error"]["code"]) == (sent, path, 403, "origin")


def test_the_page_itself_and_programs_can_ask(site: Site) -> None:
    own = {"sec-fetch-site": "same-origin", "origin": site.url}
    for headers in ({}, own, {"sec-fetch-site": "none"}, {"origin": site.url}):
        assert site.ask("GET", "/api/conversations", headers=headers).status == 200


def test_a_body_that_a_form_could_send_is_refused(site: Site) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        got = site.ask("POST", "/api/chat", QUESTION, headers={"content-type": kind})
        assert (kind, got.status, got.json["error"]["code"]) == (kind, 415, "content_type")


STRANGERS: tuple[tuple[str | None, dict[str, str]], ...] = (
    (None, {}),
    ("wrong", {}),
    (TOKEN[:-1], {}),
    (TOKEN + "x", {}),
    ("", {}),
    ("\xe9" * 29, {}),
    (None, {"cookie": "streamchat="}),
    (None, {"cookie": "streamchat=9999999999.x." + "0" * 64}),
    (None, {"cookie": f"streamchat={TOKEN}"}),
    (None, {"x-api-key": "no"}),
)


def test_without_the_token_nothing_is_told(site: Site) -> None:
    asked = (("GET", "/api/config"), ("GET", "/api/conversations"), ("POST", "/api/chat"), ("GET", "/api/runs"))
    for (token, headers), (method, path) in product(STRANGERS, asked):
        got = site.ask(method, path, QUESTION if method == "POST" else None, token=token, headers=headers)
        assert (token, path, got.status, got.json["error"]["code"]) == (token, path, 401, "unauthorized")
    assert site.ask("GET", "/api/health", token=None).status == 200


def test_the_code_of_a_pages_address_opens_it_once_by_a_cookie_that_no_script_sees(site: Site) -> None:
    code = site.guard.code()
    got = site.ask("POST", "/api/session", {"token": code}, token=None)
    assert got.status == 204
    cookie = got.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}

    kept = cookie.partition(";")[0]
    assert site.ask("GET", "/api/conversations", token=None, headers={"cookie": kept}).status == 200
    assert (
        site.ask("GET", "/api/conversations", token=None, headers={"cookie": kept[:-1] + "0x"[kept[-1] == "0"]}).status
        == 401
    )
    assert site.ask("POST", "/api/session", {"token": code}, token=None).status == 401
    assert TOKEN not in cookie


def entered(site: Site, **headers: str) -> str:
    """The cookie of who comes by an address that was printed."""
    got = site.ask("POST", "/api/session", {"token": site.guard.code()}, token=None, headers=headers)
    return got.headers["set-cookie"].partition(";")[0]


def test_who_opens_the_address_again_is_the_same_person(site: Site) -> None:
    first = entered(site)
    run = site.ask("POST", "/api/chat", QUESTION, token=None, headers={"cookie": first}).headers["x-run-id"]
    again = entered(site, cookie=first)
    forged = entered(site, cookie=f"{first}0")
    statuses = [
        site.ask("GET", f"/api/runs/{run}/events", token=None, headers={"cookie": cookie}).status
        for cookie in (first, again, forged)
    ]
    assert statuses == [200, 200, 404]


def test_one_persons_runs_are_not_anothers(site: Site) -> None:
    cookies = [entered(site) for _ in "ab"]
    got = site.ask("POST", "/api/chat", QUESTION, token=None, headers={"cookie": cookies[0]})
    run = got.headers["x-run-id"]
    theirs = site.ask("GET", f"/api/runs/{run}/events", token=None, headers={"cookie": cookies[1]})
    own = site.ask("GET", f"/api/runs/{run}/events", token=None, headers={"cookie": cookies[0]})
    assert (theirs.status, own.status) == (404, 200)


def test_only_named_sites_may_read_the_public_interfaces_and_nothing_else(tmp_path: Path) -> None:
    friend = "https://app.example.com"
    with Site(home=tmp_path, cors=frozenset((friend,))) as site:
        asked = {"origin": friend, "access-control-request-method": "POST", "sec-fetch-site": "cross-site"}
        allowed = site.ask("OPTIONS", "/v1/models", headers=asked)
        assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (204, friend)
        assert site.ask("GET", "/api/config", headers=asked).status == 403
        for other in ("https://evil.example", f"{friend}.evil.example", "null", "http://app.example.com"):
            got = site.ask("OPTIONS", "/v1/models", headers={**asked, "origin": other})
            assert "access-control-allow-origin" not in got.headers
        assert "access-control-allow-origin" not in site.ask("GET", "/").headers


def test_a_named_sites_page_reads_the_answers_themselves_and_no_other_page_does(tmp_path: Path) -> None:
    """Not the preflight alone: lists, whole answers, streams and refusals, with a token, and never by a cookie."""
    friend = "https://app.example.com"
    asked = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}]}
    with Site(home=tmp_path, cors=frozenset((friend,))) as site:
        for method, path, body, status in (
            ("GET", "/v1/models", None, 200),
            ("GET", "/v1/models/no/such", None, 404),
            ("POST", "/v1/chat/completions", asked, 200),
            ("POST", "/v1/chat/completions", {**asked, "stream": True}, 200),
            ("POST", "/v1/messages", {**asked, "max_tokens": 9, "stream": True}, 200),
            ("POST", "/v1/chat/completions", {}, 400),
        ):
            for origin in (friend, "https://evil.example"):
                sent = {"origin": origin, "sec-fetch-site": "cross-site"}
                got = site.ask(method, path, body, headers=sent)
                allowed = got.headers.get("access-control-allow-origin")
                assert (got.status, allowed) == ((status, friend) if origin == friend else (403, None))
                assert "access-control-allow-credentials" not in got.headers
        locked = site.ask("GET", "/v1/models", token=None, headers={"origin": friend, "sec-fetch-site": "cross-site"})
        assert (locked.status, locked.headers["access-control-allow-origin"]) == (401, friend)


def test_the_page_comes_under_a_policy_that_lets_nothing_else_in(site: Site) -> None:
    got = site.ask("GET", "/", token=None)
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "trusted-types 'none'" in policy
    assert (got.headers["referrer-policy"], got.headers["cache-control"]) == ("no-referrer", "no-store")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert b"<script>" not in got.body
    assert b"style=" not in got.body
    assert b"http://" not in got.body.replace(b"http://www.w3.org/", b"")
    asset = got.body.decode().partition('src="')[2].partition('"')[0]
    assert "immutable" in site.ask("GET", f"/{asset}", token=None).headers["cache-control"]
    for name in ("index.html", "..%2f..%2frouting.py", "%2e%2e%2fapp.py", "nothing.js"):
        assert site.ask("GET", f"/assets/x/{name}", token=None).status == 404


def test_keys_and_addresses_stay_in_the_process(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIRE_KEY", SECRET)
    table = f'[providers.wire]\nkind = "openai"\nbase_url = "{server.v1}"\napi_key_env = "WIRE_KEY"\nretries = 0\n'
    with Site(home=tmp_path, config=table) as site:
        server.play(stream(chat_answer(["Yes"])))
        asked = site.ask("POST", "/api/chat", {"input": "x", "model": "wire/m"})
        assert asked.events[-1][0] == "done"
        refused = site.ask("POST", "/api/chat", {"input": "x", "model": "wire/m"})  # status 418 and whatever it says
        everything = [
            asked,
            refused,
            site.ask("GET", "/api/config"),
            site.ask("GET", "/"),
            site.ask("GET", "/api/runs"),
        ]
        for got in everything:
            assert SECRET.encode() not in got.body
            assert server.v1.encode() not in got.body


NO_QUESTIONS = (
    (b"{", 400, "invalid"),
    (b"[]", 422, "invalid"),
    (b'"x"', 422, "invalid"),
    (b"\xff\xfe", 400, "invalid"),
    (b"[" * 100_000, 422, "invalid"),
    ({}, 422, "invalid"),
    ({"input": None}, 422, "invalid"),
    ({"input": {"a": 1}}, 422, "invalid"),
    ({"input": "  "}, 422, "invalid"),
    ({"input": "x", "temprature": 1}, 422, "invalid"),
    ({"input": "x", "params": {"temperature": 9}}, 422, "invalid"),
    ({"input": "x", "params": {"max_tokens": 0}}, 422, "invalid"),
    ({"input": "x", "messages": [{"role": "user", "content": "y"}]}, 422, "invalid"),
    ({"messages": []}, 422, "invalid"),
    ({"messages": [{"role": "system", "content": "y"}]}, 422, "invalid"),
    ({"messages": [{"role": "user", "content": "y"}] * 201}, 422, "too_many_messages"),
    ({"input": "x" * 200_001}, 422, "prompt_too_long"),
    (b" " * (1 << 20) + b"{}", 413, "too_large"),
    ({"input": "x", "attachments": [{"name": "a", "media_type": "text/html", "data": ""}]}, 422, "invalid"),
    ({"input": "x", "attachments": [{"name": "a", "media_type": "image/png", "data": "!"}]}, 422, "invalid"),
    ({"input": "x", "conversation": "../../etc/passwd"}, 404, "not_found"),
    ({"input": "x", "conversation": "@-1"}, 404, "not_found"),
    ({"input": "x", "model": "replay//etc/passwd"}, 404, "unknown_model"),
    ({"input": "x", "model": "replay/~/x.jsonl"}, 404, "unknown_model"),
    ({"input": "x", "model": "local/../x.gguf"}, 404, "unknown_model"),
)


def test_what_is_no_question_is_refused_with_its_reason(site: Site) -> None:
    for body, status, code in NO_QUESTIONS:
        got = site.ask("POST", "/api/chat", body)
        assert (got.status, got.json["error"]["code"]) == (status, code), str(body)[:80]
        assert b"Traceback" not in got.body
    assert site.ask("GET", "/api/runs").json == []


def test_a_body_without_a_length_is_cut_off_where_it_gets_too_long(site: Site) -> None:
    def endless() -> Iterator[bytes]:
        yield from (b" " * 65536 for _ in range(32))

    raw = HTTPConnection("127.0.0.1", site.port, timeout=10)
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    try:
        raw.request("POST", "/api/chat", endless(), headers, encode_chunked=True)
        status = raw.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # it was closed while we still sent
    raw.close()
    assert status == 413


def test_too_many_questions_in_a_minute_are_told_when_to_come_back(tmp_path: Path) -> None:
    with Site(home=tmp_path, limits=Limits(per_minute=2)) as site:
        statuses = [site.ask("POST", "/api/chat", QUESTION) for _ in range(3)]
        assert [got.status for got in statuses] == [200, 200, 429]
        assert 1 <= int(statuses[2].headers["retry-after"]) <= 60
        assert statuses[2].json["error"]["retryable"] is True


def test_a_bucket_fills_again_with_time() -> None:
    now = [0.0]
    rate = Rate(6, clock=lambda: now[0])
    for _ in range(6):
        rate.take("a")
    with pytest.raises(WebError) as refused:
        rate.take("a")
    rate.take("b")
    now[0] += refused.value.retry_after or 0
    rate.take("a")
    with pytest.raises(WebError):
        rate.take("a")


def test_so_many_answers_at_once_and_no_more(tmp_path: Path) -> None:
    with Site(home=tmp_path, limits=Limits(concurrent=3, concurrent_per_user=2, grace=30)) as site:
        held = [site.open("POST", "/api/chat", {"input": "x", "model": "replay/showcase"}) for _ in range(2)]
        assert site.ask("POST", "/api/chat", QUESTION).json["error"]["code"] == "too_many_runs"
        for run in site.ask("GET", "/api/runs").json:
            assert site.ask("DELETE", f"/api/runs/{run['run']}").status == 202
        for connection, response in held:
            assert b"event: error" in response.read()
            connection.close()
        assert site.ask("POST", "/api/chat", QUESTION).status == 200


def test_a_guard_without_a_token_that_is_known_opens_by_its_code_alone() -> None:
    guard = Guard("unknown", hosts=frozenset())
    with pytest.raises(WebError):
        guard.entered("", Request("POST", "/api/session", {}, {}))
    assert "; Secure" in guard.entered(guard.code(), Request("POST", "/api/session", {}, {}, secure=True))


def test_a_name_is_allowed_at_this_port_and_behind_a_proxy_and_no_other() -> None:
    allowed = hosts_of(8484, "chat.example.com", "other.example:9000", "::2", "")
    assert {"localhost:8484", "[::1]:8484", "chat.example.com", "chat.example.com:8484", "[::2]:8484"} < allowed
    assert "other.example:9000" in allowed
    assert not {"localhost", "chat.example.com:9000", "other.example", "", ":8484"} & allowed
