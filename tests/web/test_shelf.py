"""Conversations of the web side, in files and in PostgreSQL: what holds for one holds for the other."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamchat.chat import Attachment, Reply
from streamchat.errors import UsageError
from streamchat.events import Event, Reasoning, Stop, Text, Usage
from streamchat.web.errors import WebError
from streamchat.web.shelf import Files, Shelf
from tests.history.conversations import ANSWER, answered, texts

HOSTILE = (
    "\0 NUL, half a pair \ud83d and \udcff, 😀👨‍👩‍👧, \x1b[31mred\x07, \u202ebidi, 'quote\" \\ %s :name {x} $1; "
    "DROP TABLE streamchat.conversations;--\r\n\u2028é漢字\U000e0041"
)
Make = Callable[..., Shelf]


@pytest.fixture(params=["files", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes shelves of one place; each is another process's as far as that place can tell."""
    made: list[Shelf] = []
    if request.param == "postgres":
        from streamchat.web.team import Team

        url = request.getfixturevalue("postgres").database()

    def shelf(**options: object) -> Shelf:
        new: Shelf = (
            Files(tmp_path / "conversations", tmp_path / "cache", **options)  # type: ignore[arg-type]
            if request.param == "files"
            else Team(url, **options)  # type: ignore[arg-type]
        )
        made.append(new)
        return new

    yield shelf
    for each in made:
        each.close()


@pytest.fixture
def shelf(make: Make) -> Shelf:
    return make()


def kept(shelf: Shelf, *questions: str, name: str = "", answer: tuple[Event, ...] = ANSWER) -> str:
    """The id of a new conversation with these questions."""
    conversation = shelf.new(name)
    for question in questions or ("Why is the sky blue?",):
        answered(conversation, question, *answer)
    conversation.close()
    assert conversation.trouble is None
    return conversation.id


def listed(shelf: Shelf, words: str = "", *, limit: int = 50) -> list[str]:
    return [entry.id for entry in shelf.page(words, cursor="", limit=limit).entries]


def test_what_was_said_comes_back(shelf: Shelf) -> None:
    image = Attachment("sky.png", "image/png", b"\x89PNG\0\xff")
    conversation = shelf.new("skies")
    answered(conversation, "Why?", system="Be brief.", attachments=(image,))
    answered(conversation, "And?", Reasoning("hm"), Text("then"), Usage(1, 2), Stop("length"))
    conversation.close()
    loaded = shelf.load(conversation.id)

    assert (loaded.id, loaded.name, loaded.created) == (conversation.id, "skies", conversation.created)
    assert loaded.messages() == conversation.messages()
    assert [(turn.id, turn.system, turn.reasoning, turn.usage, turn.ended) for turn in loaded.every()] == [
        (turn.id, turn.system, turn.reasoning, turn.usage, turn.ended) for turn in conversation.every()
    ]
    assert loaded.last is not None
    assert tuple(event for _, event in loaded.turns()[0].timed()) == ANSWER
    assert loaded.notices == []


def test_hostile_text_comes_back_as_it_was(shelf: Shelf) -> None:
    long = "".join(f"{number} wörds 漢 " for number in range(80_000))
    assert len(long.encode()) > 1_000_000
    for text in (HOSTILE, long, "a" * 1_100_000):
        conversation = shelf.new(HOSTILE[:40])
        turn = answered(conversation, text, *map(Text, (text, HOSTILE)), system=HOSTILE)
        conversation.close()
        loaded = shelf.load(conversation.id)

        assert conversation.trouble is None
        assert loaded.turns()[0].question.content == text
        assert loaded.turns()[0].text == turn.text
        assert loaded.turns()[0].lines == turn.lines
        assert (loaded.name, loaded.turns()[0].system) == (conversation.name, HOSTILE)
    assert len(listed(shelf)) == 3
    assert len(listed(shelf, "quote name drop")) == 3
    assert len(listed(shelf, "79999")) == 1


def test_a_conversation_goes_on_in_another_process(make: Make) -> None:
    id_ = kept(make(), "One?")
    second = make().load(id_)
    answered(second, "Two?", Text("2"))
    second.close()

    assert texts(make().load(id_).turns()) == [("One?", "Blue light\nscatters."), ("Two?", "2")]
    assert second.notices == []


def test_what_another_process_added_is_a_branch_beside(make: Make) -> None:
    id_ = kept(make(), "One?")
    mine, other = make().load(id_), make().load(id_)
    for conversation, question in ((other, "other"), (mine, "mine")):
        answered(conversation, question, Text(question))
        conversation.close()

    assert mine.notices == ["another process added to this conversation; this goes on beside that, as a branch"]
    assert texts(make().load(id_).turns())[1:] == [("mine", "mine")]
    assert [turn.text for turn in make().load(id_).every()][1:] == ["other", "mine"]


def test_of_two_processes_one_writes(make: Make) -> None:
    shelf = make()
    id_ = kept(shelf, "One?")
    first, second = shelf.load(id_), make().load(id_)
    turn = first.begin("first")
    turn.add(Text("a"))
    if isinstance(shelf, Files):
        answered(second, "second", Text("b"))
        assert second.id != id_
    else:
        with pytest.raises(WebError) as busy:
            second.begin("second")
        assert (busy.value.status, busy.value.code) == (409, "run_active")
    second.close()
    with pytest.raises(WebError) as refused:
        make().delete(id_)
    assert refused.value.status == 409
    turn.end(Reply())
    first.close()

    assert texts(make().load(id_).turns())[1:] == [("first", "a")]
    answered(gone_on := make().load(id_), "third", Text("c"))
    gone_on.close()
    assert texts(make().load(id_).turns())[2:] == [("third", "c")]


def test_the_list_has_the_last_used_first_and_goes_on_from_its_cursor(shelf: Shelf) -> None:
    ids = [kept(shelf, f"Question {number}?") for number in range(7)]
    answered(again := shelf.load(ids[2]), "once more")
    again.close()
    order = [ids[2], *(id_ for id_ in reversed(ids) if id_ != ids[2])]
    pages, cursor = [], ""
    while True:
        page = shelf.page("", cursor=cursor, limit=3)
        pages.append([entry.id for entry in page.entries])
        if page.next is None:
            break
        cursor = page.next

    assert pages == [order[:3], order[3:6], order[6:]]
    entry = shelf.page("", cursor="", limit=1).entries[0]
    assert (entry.title, entry.turns, entry.model, entry.name) == ("Question 2?", 2, "echo/m-1", "")


def test_words_are_found_whatever_their_case_and_accents(shelf: Shelf) -> None:
    cafe = kept(shelf, "Where is the Café Zürich?")
    tides = kept(shelf, "Tides", answer=(Text("The moon pulls the 潮汐 of std::vector"),), name="Ebb and flow")

    for words, found in (
        ("cafe", [cafe]),
        ("ZURICH café", [cafe]),
        ('"the cafe"', [cafe]),
        ('"cafe the"', []),
        ("moo*", [tides]),
        ("moo", []),
        ("汐", [tides]),
        ("std::vector", [tides]),
        ("role:assistant moon", [tides]),
        ("role:user moon", []),
        ("model:echo moon", [tides]),
        ("model:gpt moon", []),
        ("the -moon", [cafe]),
        ("ebb", [tides]),
        ("before:2000", []),
        ("after:2000 moon", [tides]),
        ("moon before:2000", []),
        ("' OR 1=1 --", []),
        ("'moon' & ) :* \\", [tides]),
        ("!!! ... 😀", [tides, cafe]),
        ("\0moon", [tides]),
    ):
        assert listed(shelf, words) == found, words
    with pytest.raises(UsageError):
        listed(shelf, "role:nobody")
    with pytest.raises(UsageError):
        listed(shelf, "after:someday")


def test_names_are_given_and_mean_one_conversation(shelf: Shelf) -> None:
    first, second = kept(shelf, "One?"), kept(shelf, "Two?")
    shelf.rename(first, HOSTILE[24:80])
    shelf.rename(first, "Sky")

    assert shelf.load(first).name == "Sky"
    assert listed(shelf, "sky") == [first]
    assert [entry.title for entry in shelf.page("", cursor="", limit=9).entries] == ["Two?", "Sky"]
    with pytest.raises(UsageError, match="already called"):
        shelf.rename(second, "sky")
    shelf.rename(first, "")
    shelf.rename(second, "sky")
    assert listed(shelf, "sky") in ([second], [second, first])  # the words of its question


def test_branches_are_kept(shelf: Shelf) -> None:
    id_ = kept(shelf, "1", "2")
    conversation = shelf.load(id_)
    first = conversation.turns()[0]
    conversation.rewind(first.id)
    answered(conversation, "3", Text("three"))
    answered(conversation, None, Text("again"))
    fork = conversation.fork()
    fork.save()
    fork.close()
    conversation.close()

    assert texts(shelf.load(id_).turns())[1:] == [("3", "again")]
    assert [turn.text for turn in shelf.load(id_).every()][2:] == ["three", "again"]
    assert texts(shelf.load(fork.id).turns()) == texts(shelf.load(id_).turns())


def test_what_is_deleted_is_gone(shelf: Shelf) -> None:
    id_ = kept(shelf, "Secret tides?")
    shelf.delete(id_)

    assert listed(shelf, "tides") == listed(shelf) == []
    for refused in (lambda: shelf.load(id_), lambda: shelf.delete(id_), lambda: shelf.rename(id_, "x")):
        with pytest.raises(WebError) as error:
            refused()
        assert error.value.status == 404


@pytest.mark.parametrize("ref", ["", "nothere", "../../etc/passwd", "' OR '1'='1", "x\0y", "\ud83d", "@-1", "%"])
def test_a_conversation_that_is_not_there_is_404(shelf: Shelf, ref: str) -> None:
    kept(shelf)
    for refused in (lambda: shelf.load(ref), lambda: shelf.delete(ref), lambda: shelf.rename(ref, "x")):
        with pytest.raises(WebError) as error:
            refused()
        assert error.value.status == 404


def test_patterns_are_taken_out_before_anything_is_kept(make: Make) -> None:
    shelf = make(redact=[re.compile(r"sk-\w+")])
    conversation = shelf.new("sk-name")
    answered(conversation, "My key is sk-abc123", Text("Is it sk-"), Text("abc123?\nyes"), system="sk-system")
    conversation.close()
    shelf.rename(conversation.id, "about sk-again")
    loaded = make().load(conversation.id)
    (turn,) = loaded.turns()

    assert (turn.question.content, turn.text) == ("My key is [redacted]", "Is it [redacted]?\nyes".replace("?", "?"))
    assert (loaded.name, turn.system) == ("about [redacted]", "[redacted]")
    assert listed(shelf, "abc123") == []


def test_without_saving_nothing_is_kept(make: Make) -> None:
    id_ = kept(make(), "One?")
    shelf = make(save=False)
    answered(shelf.new(), "Two?")
    answered(shelf.load(id_), "Three?")

    assert listed(make()) == [id_]
    assert len(make().load(id_).turns()) == 1
