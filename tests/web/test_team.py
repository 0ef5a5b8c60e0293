"""PostgreSQL that goes away, comes back, is shared, is refused: answers go on, and what can be kept is, once."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from streamchat.chat import Reply
from streamchat.errors import ConfigError, StoreError
from streamchat.events import Text
from streamchat.history.turn import Turn
from streamchat.web.errors import WebError, described, status_of
from streamchat.web.team import Team
from tests.engines import PASSWORD, Engine, Postgres, free_port
from tests.history.conversations import answered, texts
from tests.web.site import Site
from tests.web.streams import eventually, halted, read
from tests.wire.server import Server


@contextmanager
def team(url: str, **options: Any) -> Iterator[Team]:
    shelf = Team(url, **options)
    try:
        yield shelf
    finally:
        shelf.close()


def ended(turn: Turn) -> None:
    reply = Reply()
    reply.stop("stop")
    turn.end(reply)


def feed(turn: Turn, *words: str) -> None:
    for word in words:
        turn.add(Text(word))
    turn.flush()


@contextmanager
def away(engine: Engine) -> Iterator[None]:
    engine.stop()
    try:
        yield
    finally:
        engine.start()


def test_a_database_that_comes_back_gets_everything_once(postgres: Postgres) -> None:
    with team(postgres.database()) as shelf:
        conversation = shelf.new()
        turn = conversation.begin("Why?", provider="echo", model="m")
        feed(turn, "one ", "two ")
        with away(postgres):
            feed(turn, "three ")
            assert conversation.trouble is not None
            assert "this conversation is not being saved: the database" in conversation.trouble
            feed(turn, "four ")
        feed(turn, "five ")
        ended(turn)
        conversation.close()

        assert conversation.trouble is None
        assert texts(shelf.load(conversation.id).turns()) == [("Why?", "one two three four five ")]
        assert len(shelf.load(conversation.id).turns()[0].lines) == 5


def test_an_answer_that_ends_while_it_is_away_is_kept_when_it_is_back(postgres: Postgres) -> None:
    with team(postgres.database()) as shelf:
        conversation, new = shelf.new(), shelf.new()
        turn = conversation.begin("Why?")
        with away(postgres):
            feed(turn, "because")
            ended(turn)
            conversation.close()
            answered(new, "And?", Text("so"))
            new.close()
            assert conversation.trouble
            assert new.trouble
            with pytest.raises(StoreError) as error:
                shelf.load(conversation.id)
            assert status_of(error.value) == 503
            assert described(error.value)["code"] == "store"
    with team(shelf._store._database._url.render_as_string(hide_password=False)) as later:
        assert texts(later.load(conversation.id).turns()) == [("Why?", "because")]
        assert texts(later.load(new.id).turns()) == [("And?", "so")]


def test_who_reads_notices_nothing_of_a_database_that_restarts(
    postgres: Postgres, server: Server, tmp_path: Path
) -> None:
    config = (
        f'[providers.wire]\nkind = "openai"\nbase_url = "{server.v1}"\nretries = 0\n'
        f'[serve]\nstore = "{postgres.database()}"\n'
    )
    gates = [Event(), Event()]
    words = [f"word{number} " for number in range(12)]
    server.play(*(halted(words, gate) for gate in gates))
    with Site(config=config, home=tmp_path) as site:
        for gate, back_first in zip(gates, (True, False), strict=True):
            connection, response = site.open("POST", "/api/chat", {"model": "wire/m", "input": "Why?"})
            seen = read(response, b"word2")
            with away(postgres):
                if not back_first:
                    assert site.ask("GET", "/api/conversations").status == 503
                    gate.set()
                    seen += read(response)
            gate.set()
            seen += read(response)
            connection.close()
            start, *_, end = [json.loads(line[6:]) for line in seen.decode().splitlines() if line.startswith("data: ")]
            assert b"event: done" in seen
            assert ("does not answer" in end.get("trouble", "")) is not back_first
            document = eventually(
                lambda id_=start["conversation"]: site.ask("GET", f"/api/conversations/{id_}").json,
                lambda found: found["turns"][-1]["answer"]["stop_reason"] == "stop",
            )
            assert document["turns"][-1]["answer"]["text"] == "".join(words)


def test_what_was_written_is_not_written_again_when_only_the_word_of_it_was_lost(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with team(postgres.database()) as shelf:
        conversation = shelf.new()
        turn = conversation.begin("Why?")
        write = shelf._store._database.write

        def lost(*arguments: Any) -> int:
            write(*arguments)
            raise StoreError("the connection was lost")

        monkeypatch.setattr(shelf._store._database, "write", lost)
        feed(turn, "once ")
        assert conversation.trouble is not None
        monkeypatch.undo()
        ended(turn)
        conversation.close()

        assert texts(shelf.load(conversation.id).turns()) == [("Why?", "once ")]
        assert shelf.page("", cursor="", limit=5).entries[0].turns == 1


def test_a_claim_ends_with_its_process(postgres: Postgres) -> None:
    url = postgres.database()
    with team(url) as other:
        with team(url) as mine:
            conversation = mine.new()
            turn = conversation.begin("Why?")
            feed(turn, "half ")
            with pytest.raises(WebError) as refused:
                other.load(conversation.id).begin("And?")
            assert refused.value.status == 409
            mine._store._database._leave()  # what the end of the process does to its connections

            gone_on = other.load(conversation.id)
            answered(gone_on, "And?", Text("so"))
            feed(turn, "late")
            ended(turn)
            assert conversation.trouble == "this conversation is not being saved: another process writes it"
            conversation.close()
            gone_on.close()

        assert [(turn.question.content, turn.text) for turn in other.load(conversation.id).every()] == [
            ("Why?", "half late"),
            ("And?", "so"),
        ]


def test_many_writers_of_one_conversation_lose_nothing(postgres: Postgres) -> None:
    url = postgres.database()
    with team(url) as first, team(url) as second:
        started = first.new()
        answered(started, "start", Text("0"))
        started.close()
        said: list[str] = []
        refused: list[int] = []

        def work(shelf: Team, name: str) -> None:
            for number in range(6):
                conversation = shelf.load(started.id)
                try:
                    answered(conversation, f"{name}{number}", Text("a"), Text("b"))
                    said.append(f"{name}{number}")
                except WebError as error:
                    refused.append(error.status)
                conversation.close()

        threads = [
            threading.Thread(target=work, args=(shelf, f"{number}:"))
            for number, shelf in enumerate((first, second, first, second))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = second.load(started.id)

        assert said
        assert set(refused) <= {409}
        assert len(said) + len(refused) == 24
        assert sorted(texts(found.every())) == sorted([("start", "0"), *((question, "ab") for question in said)])
        assert found.notices == []


def test_what_is_deleted_while_it_is_read_stays_deleted(postgres: Postgres) -> None:
    with team(postgres.database()) as shelf:
        conversation = shelf.new()
        answered(conversation, "Why?")
        conversation.close()
        open_ = shelf.load(conversation.id)
        shelf.delete(conversation.id)
        turn = answered(open_, "And?", Text("so"))
        open_.close()

        assert turn.text == "so"
        assert open_.trouble == "this conversation is not being saved: it was deleted while it was in use"
        assert shelf.page("", cursor="", limit=5).entries == []


def test_two_servers_may_make_the_tables_at_once(postgres: Postgres) -> None:
    shelves = [Team(url) for url in [postgres.database()] * 4]
    failed: list[BaseException] = []

    def check(shelf: Team) -> None:
        try:
            shelf.check()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=check, args=(shelf,)) for shelf in shelves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for shelf in shelves:
        shelf.close()

    assert failed == []


def test_tables_of_a_newer_version_are_left_alone(postgres: Postgres) -> None:
    import psycopg

    url = postgres.database()
    with team(url) as shelf:
        shelf.check()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE streamchat.version SET version = 99")
    with team(url) as shelf, pytest.raises(StoreError, match="of version 99"):
        shelf.check()


def test_no_error_shows_the_password(postgres: Postgres) -> None:
    quoted = PASSWORD.replace("/", "%2F").replace("@", "%40")
    for url in (
        f"postgresql://nobody:{quoted}@127.0.0.1:{postgres.port}/postgres",
        f"postgresql://team:{quoted}@127.0.0.1:{postgres.port}/nosuch",
        f"postgresql://team:{quoted}@127.0.0.1:{free_port()}/x",
        f"postgresql://team:{quoted}@no-such-host.invalid/x",
        f"postgresql://team:{quoted}@127.0.0.1:{postgres.port}/postgres?nosuch={quoted}",
    ):
        with team(url) as shelf, pytest.raises(StoreError) as error:
            shelf.check()
        shown = f"{error.value} {error.value.hint} {error.value.__cause__}"
        assert "the database postgresql://" in shown
        assert PASSWORD not in shown
        assert quoted not in shown
        assert "\n" not in shown
    for url in (f"mysql://team:{quoted}@localhost/x", f"postgresql://team:{quoted}@localhost:port/x", quoted):
        with pytest.raises(ConfigError) as wrong:
            Team(url)
        assert quoted not in f"{wrong.value} {wrong.value.hint} {wrong.value.__cause__}"
