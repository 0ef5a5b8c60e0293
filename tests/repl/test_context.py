"""A conversation that fills the model's context, by the real program: said in time, shortened, never a raw refusal."""

import os
from pathlib import Path

import pytest

from tests.repl.person import Person
from tests.repl.test_chat import at, leave, questions
from tests.repl.test_commands import asked
from tests.wire.answers import chat_answer, messages_answer
from tests.wire.scenario import document, stream
from tests.wire.server import Server

FULL = {"error": {"message": "This model's maximum context length is 1000 tokens.", "code": "context_length_exceeded"}}


def test_the_line_below_the_prompt_says_when_the_context_is_nearly_full() -> None:
    config = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    config.parent.mkdir(parents=True)
    config.write_text('[providers.mirror]\nkind = "echo"\ncontext = 256\n[ui]\nkeymap = "vi"\n')
    with Person("-m", "mirror", size=(100, 40)) as person:
        person.prompted()
        person.press("word " * 110 + "\x1b0iThe \r")  # vi: to the line's beginning, insert
        person.prompted('"The word word', ": /compact")
        person.press("/usage\r")
        person.prompted("the context:", "of 256")
        assert leave(person) == 0


def test_the_prompt_is_cached_where_the_vendor_does_that_and_hits_are_shown(server: Server) -> None:
    server.play(stream(messages_answer(["One."])), stream(messages_answer(["Two."])))
    config = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    config.parent.mkdir(parents=True)
    config.write_text(f'[providers.claude]\nkind = "anthropic"\nbase_url = "{server.url}"\nmodel = "m"\n')
    with Person("-m", "claude", "-s", "Be terse.", size=(120, 30)) as person:
        person.prompted()
        person.press("first\r")
        person.prompted("One.")
        person.press("second\r")
        person.prompted("Two.", "· 4 cached ·", "(8 cached)")
        assert leave(person) == 0
    sent = [exchange.json for exchange in server.exchanges if exchange.method == "POST"][-1]
    marked = [message["content"][-1] for message in sent["messages"] if isinstance(message["content"], list)]
    assert any("cache_control" in part for part in (*marked, *sent["system"]))


@pytest.mark.parametrize("usage", [(1200, 500), None])
def test_usage_says_of_the_last_answer_what_stood_under_it_whomever_the_chat_asks_now(
    usage: tuple[int, int] | None, server: Server
) -> None:
    server.play(stream(chat_answer(["An answer of some words."], usage=usage)))
    env = {"GROQ_API_KEY": "k"}
    with Person(
        "-m", "groq/llama-3.3-70b-versatile", "--base-url", server.v1, "--retries", "0", size=(150, 30), env=env
    ) as person:
        person.prompted()
        person.press("question\r")
        rows = person.prompted("An answer", "first token")
        under = next(row for row in rows if "first token" in row).split(" · ")[2:]
        figures = [phrase for phrase in under if not phrase.endswith("s")]  # times are kept in milliseconds
        assert [phrase[:2] for phrase in figures[-1:]] == (["~$"] if usage else ["~6"])
        person.press("/model echo\r")
        person.prompted("asking echo")
        person.press("/usage\r")
        rows = person.prompted("the last answer:")
        said = next(row for row in rows if "the last answer:" in row).removeprefix("the last answer: ").split(" · ")
        assert [phrase for phrase in said if phrase in figures] == figures
        assert leave(person) == 0


def converse(person: Person, turns: int) -> None:
    """So many turns, each until the prompt is there again."""
    for number in range(turns):
        person.press(f"question {number}\r")
        person.prompted(f"Answer {number}.")


def test_a_conversation_that_no_longer_fits_is_summarised_by_its_own_model(server: Server) -> None:
    server.play(
        *(stream(chat_answer([f"Answer {number}."])) for number in range(3)),
        document(FULL, status=400),
        stream(chat_answer(["The summary."])),
        stream(chat_answer(["It fits again."])),
    )
    with Person(*at(server)) as person:
        person.prompted()
        converse(person, 3)
        person.press("one more\r")
        person.sees("no longer fits into the model's context", "Summarise the older turns and ask again")
        person.press("\r")
        person.prompted("The summary.", "It fits again.")
        assert leave(person) == 0

    last = asked(server)[-1]
    assert [role for role, _ in last] == ["user", "assistant"] * 2 + ["user"]
    assert "The summary." in last[0][1]
    assert last[2:] == [("user", "question 2"), ("assistant", "Answer 2."), ("user", "one more")]
    assert {"question 0", "question 1"} <= set(questions())


def test_older_turns_are_summarised_when_it_is_asked_for_and_stay_on_disk(server: Server) -> None:
    server.play(
        *(stream(chat_answer([f"Answer {number}."])) for number in range(3)),
        stream(chat_answer(["The summary."])),
        stream(chat_answer(["Going on."])),
    )
    with Person(*at(server)) as person:
        person.prompted()
        converse(person, 3)
        person.press("/compact\r")
        person.prompted("The summary.")
        person.press("one more\r")
        person.prompted("Going on.")
        assert leave(person) == 0

    last = asked(server)[-1]
    assert "The summary." in last[0][1] and last[-1] == ("user", "one more")
    assert not any(word == "question 0" for _, word in last)
    assert {"question 0", "question 1", "question 2"} <= set(questions())


def test_the_oldest_half_is_left_out_when_the_context_is_full_and_when_it_is_asked_for(server: Server) -> None:
    server.play(
        *(stream(chat_answer([f"Answer {number}."])) for number in range(4)),
        document(FULL, status=400),
        stream(chat_answer(["It fits again."])),
        stream(chat_answer(["Shorter still."])),
    )
    with Person(*at(server), size=(80, 50)) as person:
        person.prompted()
        converse(person, 4)
        person.press("one more\r")
        person.sees("no longer fits into the model's context", "Leave out the oldest half")
        person.press("\x1b[A\r")
        person.prompted("goes on without its first 2 turns; they are kept: /branches", "It fits again.")
        person.press("/drop\r")
        person.prompted("goes on without its first 2 turns; they are kept", "Answer 2.")
        person.press("last\r")
        person.prompted("Shorter still.")
        rows = person.rows
        assert leave(person) == 0

    kept = [("user", "question 2"), ("assistant", "Answer 2."), ("user", "question 3"), ("assistant", "Answer 3.")]
    assert asked(server)[-2] == [*kept, ("user", "one more")]
    assert asked(server)[-1] == [("user", "one more"), ("assistant", "It fits again."), ("user", "last")]
    assert {f"question {number}" for number in range(4)} <= set(questions())
    assert not any("HTTP 400" in row for row in rows)  # never the refusal as it came


def test_who_leaves_a_full_conversation_as_it_is_has_the_message_back(server: Server) -> None:
    server.play(stream(chat_answer(["Fine."])), document(FULL, status=400))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("first\r")
        person.prompted("Fine.")
        person.press("one more\r")
        person.sees("no longer fits into the model's context")
        person.press("\x1b")
        person.prompted(draft="one more", gone="no longer fits")
        person.press("\x15")
        assert leave(person) == 0
    assert len(asked(server)) == 2
