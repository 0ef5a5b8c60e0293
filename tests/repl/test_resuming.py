"""`-r` and `/resume` without a name: a person finds a conversation by typing what was said in it."""

import os
import signal
from pathlib import Path

import pytest

from streamchat.history.conversation import Conversation
from streamchat.history.index import Index
from streamchat.history.store import Store
from streamchat.repl import resuming
from tests.program import run
from tests.repl.person import ANSWERED, Person
from tests.repl.test_commands import leave
from tests.wire.answers import chat_answer
from tests.wire.scenario import Stall, stream
from tests.wire.server import Server

QUESTIONS = ("How do tides work?", "A recipe for bread", "Write a haiku about rain")


def keep(*questions: str) -> Path:
    """Conversations with these questions, each answered by itself; the directory that they are in."""
    for question in questions:
        assert run("ask", "-m", "echo", question).status == 0
    return Path(os.environ["XDG_DATA_HOME"], "streamchat", "conversations")


def chosen_by(person: Person, words: str) -> None:
    person.sees("Go on with:", *QUESTIONS)
    person.press(words)
    person.sees(f"Go on with: {words}", gone="haiku")
    person.press("\r")


def test_the_one_that_is_looked_for_is_gone_on_with() -> None:
    keep(*QUESTIONS)
    with Person("-r", chat=False) as person:
        chosen_by(person, "brea")
        person.prompted()
        person.press("And with rye?\r")
        person.prompted("And with rye?", ANSWERED)
        assert leave(person) == 0

    shown = run("history", "show", "@-1").out
    assert "A recipe for bread" in shown and "And with rye?" in shown


def test_a_conversation_that_goes_on_before_its_first_question_says_so() -> None:
    with Person("-m", "echo", "--name", "first") as person:
        person.prompted("/help")
        person.press("hello\r")
        person.prompted(ANSWERED)
        person.press("/undo\r")
        person.prompted("nothing is left")
        person.press("/new\r")
        person.prompted("a new conversation")
        person.press("/resume first\r")
        person.prompted("it goes on before its first question: /branches has what was said")
        assert leave(person) == 0


def test_a_conversation_is_resumed_with_its_own_model_whomever_the_chat_asks(
    server: Server, other_server: Server
) -> None:
    """A /model of another conversation, and the -m that the chat began with, end with it."""
    server.play(stream(chat_answer(["From one."])), stream(chat_answer(["From one again."])))
    other_server.play(stream(chat_answer(["From the other."])))
    config = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[providers.one]\nkind = "openai"\nbase_url = "{server.v1}"\n'
        f'[providers.two]\nkind = "openai"\nbase_url = "{other_server.v1}"\n'
    )
    with Person("-m", "one/m1", "--name", "first") as person:
        person.prompted("one · m1")
        person.press("hello\r")
        person.prompted("From one.")
        person.press("/new second\r/model two/m2\r")
        person.prompted("asking two · m2")
        person.press("hello\r")
        person.prompted("From the other.")
        person.press("/resume first\r")
        person.prompted("asking one · m1")
        person.press("and now?\r")
        person.prompted("From one again.")
        person.press("/resume second\r")
        person.prompted("asking two · m2", "From the other.")
        assert leave(person) == 0
    assert [exchange.json["model"] for exchange in server.exchanges if exchange.method == "POST"] == ["m1", "m1"]


@pytest.mark.parametrize(
    ("came", "ways"), [("Half an", "/continue goes on with it, /retry asks again"), ("", "/retry")]
)
def test_of_an_answer_that_was_cut_by_a_crash_that_is_said_and_how_to_go_on(
    came: str, ways: str, server: Server
) -> None:
    packets = chat_answer([came])[: 2 if came else 0]
    server.play(stream(packets, Stall()), stream(chat_answer([" answer."])))
    flags = ("-m", "vllm/m", "--base-url", server.v1, "--retries", "0")
    with Person(*flags) as person:
        person.prompted()
        person.press("question\r")
        server.exchange()
        person.sees(came)
        person.program.signal(signal.SIGKILL)
        person.program.end()
    with Person("-c", *flags) as person:
        person.prompted("> question", came, f"(unfinished: {ways}")
        person.press("/continue\r" if came else "/retry\r")
        person.prompted(f"{came} answer.".strip(), ANSWERED)
        assert leave(person) == 0


def test_in_a_narrow_window_what_was_said_is_seen_before_when() -> None:
    keep(*QUESTIONS)
    with Person("-r", chat=False, size=(24, 16)) as person:
        person.sees("How do tides work?", "A recipe for bread", "Write a haiku")
        person.press("\x1b")
        person.program.end()


def test_ask_has_the_same_choice_and_its_answer_goes_on_there() -> None:
    keep(*QUESTIONS)
    with Person("ask", "And at neap tide?", "-m", "echo", "-r", chat=False) as person:
        chosen_by(person, "tide")
        person.sees(ANSWERED, gone="Go on with:")
        person.program.end()

    shown = run("history", "show", "@-1").out
    assert "How do tides work?" in shown and "And at neap tide?" in shown


def test_esc_leaves_everything_as_it_was() -> None:
    keep(*QUESTIONS)
    with Person("ask", "Something else", "-r", chat=False) as person:
        person.sees("Go on with:")
        person.press("\x1b")

        assert person.program.end().status in (130, -2)
    assert "Something else" not in run("history", "list").out


def test_in_a_chat_a_half_typed_date_is_said_and_an_older_one_is_taken_with_the_arrows() -> None:
    keep(*QUESTIONS)
    with Person("-m", "echo") as person:
        person.prompted()
        person.press("/resume\r")
        person.sees("Go on with:", *QUESTIONS)
        person.press("before:20")
        person.sees("is no date")
        person.press("\x7f" * 9)
        person.sees("Go on with:", *QUESTIONS, gone="is no date")
        person.press("\x1b[B\x1b[B\r")
        person.prompted("How do tides work?", gone="Go on with:")
        assert leave(person) == 0


def test_where_nothing_can_be_redrawn_a_number_or_words_choose() -> None:
    keep(*QUESTIONS)
    with Person("-m", "echo", "--accessible") as person:
        person.sees("Ctrl+D: leave")
        person.press("/resume\r")
        person.sees("3. ", "words to look for")
        person.press("bread\r")
        person._until(lambda rows: sum("A recipe for bread" in row for row in rows) == 2, "what was found")
        person.press("1\r")
        person._until(lambda rows: rows[-1].startswith(">"), "the prompt")
        assert leave(person) == 0
    assert "> A recipe for bread" in "\n".join(person.scrollback)


@pytest.mark.parametrize("arguments", [("-r",), ("ask", "hi", "-r"), ("ask", "-r", "-m", "echo", "hi")])
def test_without_a_terminal_it_is_one_line_that_says_what_to_do(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert result.status == 2
    assert "there is no terminal to ask on" in result.err
    assert "history list" in result.err
    assert result.out == ""


def test_what_is_read_does_not_grow_with_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int | None] = []
    entries = Index.entries

    def counted(self: Index, *query: object, limit: int | None = None) -> list[object]:
        limits.append(limit)
        return entries(self, *query, limit=limit)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr(Index, "entries", counted)
    monkeypatch.setattr(resuming, "_LISTED", 2)
    directory = keep(*QUESTIONS)
    with Store(directory, tmp_path / "cache") as store:
        entry = resuming.chosen(store, lambda title, search: [search(""), search("ti"), search("tide")].__len__() - 3)

    assert entry is not None
    assert entry.title == QUESTIONS[0]
    assert limits == [2] * 4
    assert Conversation.load(entry.path).messages()[0].content == QUESTIONS[0]
