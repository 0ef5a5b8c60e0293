"""What the page needs of a run besides its events: to be held while nobody reads, and found when it was refused."""

from tests.web.site import Site
from tests.wire.answers import openai_error_body
from tests.wire.chat import chat_answer
from tests.wire.scenario import Stall, document, stream
from tests.wire.server import Server


def test_a_run_is_held_for_as_long_as_an_answer_may_take_and_no_longer(site: Site, server: Server) -> None:
    server.play(stream(chat_answer(["Long"])[:2], Stall()))
    connection, response = site.open("POST", "/api/chat", {"model": "wire/m", "input": "Hold"})
    run = response.headers["x-run-id"]
    for grace, status in ((900, 204), (None, 204), (901, 422), (-1, 422), ("x", 422)):
        assert site.ask("PATCH", f"/api/runs/{run}", {"grace": grace}).status == status
    assert site.ask("PATCH", "/api/runs/unknown", {"grace": 1}).status == 404
    connection.close()
    assert not server.exchange().closed.wait(0.3), "it goes on for its grace"
    assert site.ask("PATCH", f"/api/runs/{run}", {"grace": 0}).status == 204
    assert server.exchange().closed.wait(5)


def test_a_refusal_names_its_run_which_says_where_the_question_is_kept(site: Site, server: Server) -> None:
    server.play(document(openai_error_body("no", "invalid_request_error"), status=400))
    refused = site.ask("POST", "/api/chat", {"model": "wire/m", "input": "Refused", "view": "page"})
    assert refused.status == 502
    run = refused.headers["x-run-id"]
    events = site.ask("GET", f"/api/runs/{run}/events?view=page").events
    (_, start), (name, error) = events[0], events[-1]
    assert (name, error["code"]) == ("error", refused.json["error"]["code"])
    kept = site.ask("GET", f"/api/conversations/{start['conversation']}").json
    assert [turn["question"]["content"] for turn in kept["turns"]] == ["Refused"]


def test_a_file_of_another_question_is_named_not_sent_again(site: Site, server: Server) -> None:
    server.play(*[stream(chat_answer(["Seen."]))] * 2)
    image = {"name": "dot.png", "media_type": "image/png", "data": "iVBORw0KGgo="}
    body = {"model": "wire/m", "input": "What?", "attachments": [image]}
    start = site.ask("POST", "/api/chat", body).events[0][1]
    again = {**body, "conversation": start["conversation"], "parent": None, "input": "And?"}
    named = [{"name": "dot.png", "question": start["question"]}]
    assert site.ask("POST", "/api/chat", {**again, "attachments": named}).status == 200
    first, second = (server.exchange(number).json["messages"][-1]["content"] for number in (0, 1))
    assert [part for part in first if part["type"] != "text"] == [part for part in second if part["type"] != "text"]
    for wrong in ({"name": "other.png"}, {"question": "unknown"}):
        assert site.ask("POST", "/api/chat", {**again, "attachments": [{**named[0], **wrong}]}).status == 404
