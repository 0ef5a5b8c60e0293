"""The native API by the real server: one run an answer, kept where the terminal keeps it."""

import json
from http.client import HTTPResponse
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamchat.events import Event, Reasoning, Text, Usage
from streamchat.sse import Decoder
from streamchat.web.encoding import Native, joined
from streamchat.web.log import Log
from tests.program import run
from tests.web.site import Got, Site
from tests.wire.answers import openai_error_body
from tests.wire.chat import chat_answer
from tests.wire.scenario import Stall, document, stream
from tests.wire.server import Server


def asked(site: Site, **body: Any) -> Got:
    return site.ask("POST", "/api/chat", {"model": "wire/m", **body})


def text_of(got: Got) -> str:
    return "".join(data["t"] for name, data in got.events if name == "token")


def until(response: HTTPResponse, wanted: bytes) -> bytes:
    """Read on until this was read."""
    seen = b""
    while wanted not in seen:
        piece = response.read1(65536)
        assert piece, seen
        seen += piece
    return seen


def test_an_answer_is_start_tokens_usage_and_one_end_numbered_from_0(site: Site, server: Server) -> None:
    server.play(stream(chat_answer(["Be", "cause", "."], reasoning=["Hm"], usage=(7, 3))))
    got = asked(site, input="Why?")
    assert got.headers["content-type"] == "text/event-stream; charset=utf-8"
    names = [name for name, _ in got.events]
    assert names[0] == "start"
    assert set(names[1:-1]) == {"token", "reasoning", "usage"}
    assert names[-1] == "done"
    assert [frame.id for frame in got.frames] == [str(number) for number in range(len(names))]
    assert text_of(got) == "Because."
    data = dict(got.events)
    assert data["usage"]["output_tokens"] == 3
    assert data["done"]["reason"] == "stop"
    assert data["start"]["conversation"]


def test_what_the_browser_began_the_terminal_goes_on_with_and_the_other_way_round(site: Site, server: Server) -> None:
    server.play(stream(chat_answer(["Paris."])))
    begun = asked(site, input="The capital of France?").events[0][1]["conversation"]
    server.play(stream(chat_answer(["Rome."])))
    env = {"STREAMCHAT_MODEL": "wire/m", "STREAMCHAT_CONFIG": str(site.config)}
    done = run("ask", "-c", "And of Italy?", env=env)
    assert (done.status, done.out) == (0, "Rome.\n")
    shown = site.ask("GET", f"/api/conversations/{begun}").json
    assert [turn["question"]["content"] for turn in shown["turns"]] == ["The capital of France?", "And of Italy?"]
    server.play(stream(chat_answer(["Bern."])))
    asked(site, input="And of Switzerland?", conversation=begun, model="")
    sent = [message["content"] for message in server.exchange(2).json["messages"]]
    assert sent == ["The capital of France?", "Paris.", "And of Italy?", "Rome.", "And of Switzerland?"]
    assert "Bern." in run("history", "show", begun).out


def test_retry_and_edit_are_branches_and_nothing_is_lost(site: Site, server: Server) -> None:
    server.play(*(stream(chat_answer([word])) for word in ("one", "two", "three", "four")))
    start = asked(site, input="First?").events[0][1]
    ref, question, answer = start["conversation"], start["question"], start["message"]
    asked(site, conversation=ref, parent=question)
    asked(site, conversation=ref, parent=None, input="First, but better?")
    asked(site, conversation=ref, parent=answer, input="Second?")
    turns = site.ask("GET", f"/api/conversations/{ref}").json["turns"]
    seen = {(turn["question"]["content"], turn["answer"]["text"]) for turn in turns}
    assert seen == {("First?", "one"), ("First?", "two"), ("First, but better?", "three"), ("Second?", "four")}
    assert [message["content"] for message in server.exchange(3).json["messages"]] == ["First?", "one", "Second?"]
    moved = site.ask("PATCH", f"/api/conversations/{ref}", {"at": answer})
    assert moved.status == 204
    assert site.ask("GET", f"/api/conversations/{ref}").json["at"] == answer
    assert site.ask("PATCH", f"/api/conversations/{ref}", {"at": "nothing"}).status == 404
    assert asked(site, conversation=ref, parent="nothing", input="x").status == 404


def test_conversations_are_listed_searched_named_copied_exported_deleted(site: Site, server: Server) -> None:
    server.play(*(stream(chat_answer([word])) for word in ("whales", "tides", "moons")))
    refs = [asked(site, input=f"About {number}?").events[0][1]["conversation"] for number in "abc"]
    first = site.ask("GET", "/api/conversations?limit=2").json
    rest = site.ask("GET", f"/api/conversations?limit=2&cursor={first['next']}").json
    assert [each["id"] for each in first["conversations"] + rest["conversations"]] == refs[::-1]
    assert rest["next"] is None
    found = site.ask("GET", "/api/conversations?q=tides").json["conversations"]
    assert [each["id"] for each in found] == [refs[1]]
    assert site.ask("PATCH", f"/api/conversations/{refs[1]}", {"name": "Sea"}).status == 204
    assert site.ask("GET", f"/api/conversations/{refs[1]}").json["name"] == "Sea"
    copy = site.ask("POST", "/api/conversations", {"fork": refs[1], "name": "Copy"}).json["id"]
    assert site.ask("GET", f"/api/conversations/{copy}").json["turns"][0]["answer"]["text"] == "tides"
    for fmt in ("md", "json", "jsonl", "txt", "html"):
        exported = site.ask("GET", f"/api/conversations/{copy}/export?format={fmt}")
        assert b"tides" in exported.body
        assert exported.headers["content-disposition"].startswith("attachment")
    assert site.ask("DELETE", f"/api/conversations/{copy}").status == 204
    assert site.ask("GET", f"/api/conversations/{copy}").status == 404
    assert site.ask("GET", "/api/conversations?limit=0").status == 422
    assert site.ask("GET", "/api/conversations?q=before:never").status == 422


def test_a_request_that_is_sent_twice_is_answered_once(site: Site, server: Server) -> None:
    server.play(stream(chat_answer(["once"])))
    first, second = (asked(site, input="x", request_id="a-1") for _ in range(2))
    assert first.headers["x-run-id"] == second.headers["x-run-id"]
    assert first.body == second.body
    assert len(server.exchanges) == 1


def test_a_refusal_before_the_first_word_is_a_real_status_and_kept_as_one(site: Site, server: Server) -> None:
    server.play(document(openai_error_body("slow down", "rate_limit"), status=429, headers={"retry-after": "7"}))
    busy = asked(site, input="x")
    assert (busy.status, busy.headers["retry-after"], busy.json["error"]["code"]) == (429, "7", "rate_limited")
    server.play(document(openai_error_body("bad key", "invalid_api_key"), status=401))
    assert (asked(site, input="x").status, asked(site, messages=[], input="x").status) == (502, 422)
    server.play(document(openai_error_body("no such model", "model_not_found"), status=404))
    assert asked(site, messages=[{"role": "user", "content": "x"}]).json["error"]["code"] == "unknown_model"


def test_a_silent_provider_gets_its_stream_opened_and_stop_keeps_what_came(site: Site, server: Server) -> None:
    server.play(stream(chat_answer(["Half of"])[:-2], Stall()))
    connection, response = site.open("POST", "/api/chat", {"model": "wire/m", "input": "x"})
    seen = until(response, b"Half of")
    ref = json.loads(seen.split(b"data: ")[1].split(b"\n")[0])
    busy = asked(site, input="y", conversation=ref["conversation"])
    assert (busy.status, busy.json["error"]["code"]) == (409, "run_active")
    active = site.ask("GET", "/api/runs?active=1").json
    assert [each["run"] for each in active] == [ref["run"]]
    assert site.ask("GET", f"/api/conversations/{ref['conversation']}").json["run"] == ref["run"]
    for _ in range(2):
        assert site.ask("DELETE", f"/api/runs/{ref['run']}").status == 202
    name, data = Got(200, {}, response.read()).events[-1]
    assert (name, data["code"], data["partial"], data["retryable"]) == ("error", "stopped", True, False)
    connection.close()
    assert server.exchange().closed.wait(5)
    kept = site.ask("GET", f"/api/conversations/{ref['conversation']}").json
    assert (kept["run"], kept["turns"][0]["answer"]["text"]) == (None, "Half of")
    assert kept["turns"][0]["answer"]["stop_reason"] == "interrupted"


def test_two_questions_at_once_in_one_conversation_are_one_too_many(site: Site, server: Server) -> None:
    server.play(stream(chat_answer(["a"])), stream(chat_answer(["b"])[:-2], Stall()))
    ref = asked(site, input="x").events[0][1]["conversation"]
    connection, response = site.open("POST", "/api/chat", {"model": "wire/m", "input": "y", "conversation": ref})
    until(response, b"event: token")
    for method, path, body in (
        ("POST", "/api/chat", {"model": "wire/m", "input": "z", "conversation": ref}),
        ("DELETE", f"/api/conversations/{ref}", None),
        ("PATCH", f"/api/conversations/{ref}", {"at": None}),
    ):
        got = site.ask(method, path, body)
        assert (got.status, got.json["error"]["code"]) == (409, "run_active")
    connection.close()


def test_who_comes_back_reads_on_from_any_place_and_the_page_from_any_position(site: Site) -> None:
    got = site.ask("POST", "/api/chat", {"model": "echo", "input": "x\n\n* y\n" * 60})
    run_id = got.headers["x-run-id"]
    frames = got.frames
    for place in (0, 1, len(frames) // 2, len(frames) - 1):
        rest = site.ask("GET", f"/api/runs/{run_id}/events", headers={"last-event-id": str(place)})
        assert rest.frames == frames[place + 1 :]
        assert site.ask("GET", f"/api/runs/{run_id}/events?after={place}").body == rest.body
    page = site.ask("GET", f"/api/runs/{run_id}/events?view=page")
    assert page.events[-1][0] == "done"
    assert [name for name, _ in page.events].count("token") == 0
    done = [node for name, data in page.events if name == "blocks" for node in data["done"]]
    position = next(frame.id for frame in page.frames if frame.event == "blocks" and json.loads(frame.data)["done"])
    rest = site.ask("GET", f"/api/runs/{run_id}/events?view=page&after={position}")
    assert rest.events[0][0] != "start"
    again = [node for name, data in rest.events if name == "blocks" for node in data["done"]]
    assert again == done[int(str(position).partition(".")[0]) :]
    for wrong in ("x", "-1", "1.x", "9" * 30):
        assert site.ask("GET", f"/api/runs/{run_id}/events", headers={"last-event-id": wrong}).status == 422
    assert site.ask("GET", "/api/runs/none/events").status == 404


def test_the_tutorials_stream(site: Site, server: Server) -> None:
    server.play(stream(chat_answer(["Hel", "lo"])))
    got = site.ask("POST", "/stream", {"message": "Hi", "system_prompt": None, "model": "wire/m"})
    data = [json.loads(frame.data) for frame in got.frames]
    assert "".join(each["token"] for each in data[:-1]) == "Hello"
    assert data[-1] == {"done": True}
    assert site.ask("GET", "/api/conversations").json["conversations"] == []


def test_what_can_be_asked_is_told(site: Site) -> None:
    config = site.ask("GET", "/api/config").json
    assert {"id": "echo/echo", "provider": "echo"}.items() <= next(
        m for m in config["models"] if m["provider"] == "echo"
    ).items()
    assert config["limits"]["prompt"] == 200_000


def test_no_conversation_is_begun_that_nobody_could_ask_in(site: Site) -> None:
    got = site.ask("POST", "/api/conversations", {"name": "Empty"})
    assert (got.status, got.json["error"]["code"]) == (422, "invalid")
    assert "POST /api/chat" in got.json["error"]["message"]


def test_who_asks_only_whether_it_is_there_is_told_so(site: Site) -> None:
    for path in ("/", "/api/health", "/api/config", "/v1/models", "/api/conversations"):
        head, whole = (site.ask(method, path) for method in ("HEAD", "GET"))
        assert (path, head.status, head.body) == (path, 200, b"")
        assert head.headers["content-length"] == str(len(whole.body))
    assert site.ask("HEAD", "/nothing/here").status == 404


def test_the_wrong_method_is_told_which_is_right(site: Site) -> None:
    got = site.ask("GET", "/api/chat")
    assert (got.status, got.headers["allow"], got.json["error"]["code"]) == (405, "POST", "method")
    assert "takes POST, not GET" in got.json["error"]["message"]
    assert site.ask("PUT", "/api/conversations/x").headers["allow"] == "GET, HEAD, PATCH, DELETE"
    assert site.ask("HEAD", "/api/runs/x/events").headers["allow"] == "GET", "it would read for nobody"
    vendors = site.ask("GET", "/v1/chat/completions")
    assert (vendors.status, vendors.json["error"]["type"]) == (405, "invalid_request_error")


EVENTS = st.lists(
    st.one_of(
        st.builds(Text, st.text(min_size=1)),
        st.builds(Reasoning, st.text(min_size=1)),
        st.builds(Usage, output_tokens=st.integers(0, 9)),
    )
)


@given(EVENTS)
def test_joining_neighbours_changes_no_text_and_leaves_no_neighbours(events: list[Event]) -> None:
    found = list(joined(events))
    for kind in (Text, Reasoning):
        assert "".join(e.text for e in found if isinstance(e, kind)) == "".join(
            e.text for e in events if isinstance(e, kind)
        )
    assert [e for e in found if isinstance(e, Usage)] == [e for e in events if isinstance(e, Usage)]
    assert not any(type(a) is type(b) and isinstance(a, Text | Reasoning) for a, b in pairwise(found))


@given(EVENTS, st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_log_gives_from_every_place_what_was_written_from_there(events: list[Event], data: st.DataObject) -> None:
    native, log = Native({}, priced=lambda _: None), Log()
    frames: list[bytes] = list(native.start())
    rest = events
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        frames += native.events(rest[:size])
        rest = rest[size:]
    for frame in frames:
        log.append(frame)
    for place in range(len(frames) + 2):
        assert log.since(place) == b"".join(frames[place:])
    decoded = Decoder().feed(b"".join(frames))
    assert [frame.id for frame in decoded] == [str(number) for number in range(len(frames))]
    assert "".join(json.loads(f.data)["t"] for f in decoded if f.event == "token") == "".join(
        e.text for e in events if isinstance(e, Text)
    )


@pytest.mark.parametrize("view", ["raw", "page"])
def test_a_reader_who_was_cut_off_loses_nothing(site: Site, server: Server, view: str) -> None:
    words = [f"word{number} " for number in range(40)]
    server.play(stream(chat_answer(words)))
    got = asked(site, input="x", view=view)
    assert got.events[-1][0] == "done"
    if view == "raw":
        assert text_of(got) == "".join(words)
    else:
        assert "word39" in json.dumps(got.events)
