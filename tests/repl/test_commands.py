"""Slash commands by the real program: asking again, other models, files, a context that is full, what is kept."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.program import run
from tests.repl.person import ANSWERED, Person
from tests.repl.test_chat import at, leave, questions_of, records
from tests.wire.answers import chat_answer, messages_answer
from tests.wire.scenario import Reset, Stall, document, stream
from tests.wire.server import Server

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def asked(server: Server) -> list[list[tuple[str, Any]]]:
    """The messages of every request, as role and content."""
    return [
        [(message["role"], message["content"]) for message in exchange.json["messages"]]
        for exchange in server.exchanges
        if exchange.method == "POST"
    ]


@pytest.mark.parametrize(("size", "title"), [((80, 24), "Go back to which question? 7"), ((20, 12), "stion?\n7")])
def test_what_is_looked_for_in_a_list_is_seen_in_a_narrow_window_too(
    server: Server, size: tuple[int, int], title: str
) -> None:
    """It was behind the title, which went over the edge."""
    server.play(*(stream(chat_answer([f"Answer {number}."])) for number in range(9)))
    with Person(*at(server), size=size) as person:
        person.prompted()
        for number in range(9):
            person.press(f"{number}\r")
            person.prompted(f"Answer {number}.")
        person.press("/rewind\r")
        person.sees("type to search")
        person.press("7")
        person.sees(title, "> 7")
        person.press("\r")
        person.prompted(draft="7")
        person.press("\x03")
        assert leave(person) == 0


def test_a_question_whose_new_words_are_cleared_stays_as_it_was(server: Server) -> None:
    """The conversation had gone back already: what was asked next was asked without it, and nobody was told."""
    Path("dot.png").write_bytes(PNG)
    server.play(*(stream(chat_answer([f"Answer {number}."])) for number in range(1, 4)))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("see @dot.png\r")
        person.prompted("Answer 1.")
        person.press("/edit\r")
        person.prompted("edits a question", draft="see @dot.png")
        person.press("\x03")
        person.prompted("the question stays as it was", gone="edits a question")
        person.press("two\r")
        person.prompted("Answer 2.")
        person.press("/edit\r")
        person.prompted("edits a question", draft="two")
        person.press("!\r")
        person.prompted("Answer 3.", gone="edits a question")
        assert leave(person) == 0

    one, two, three = ([each for _, each in messages] for messages in asked(server))
    assert two == [*one, "Answer 1.", "two"]
    assert three == [*one, "Answer 1.", "two!"]


def test_who_goes_elsewhere_while_a_question_is_edited_edits_it_no_longer() -> None:
    """Its files went with the next message."""
    Path("dot.png").write_bytes(PNG)
    with Person("-m", "echo") as person:
        person.prompted()
        person.press("see @dot.png\r")
        person.prompted(ANSWERED)
        person.press("/edit\r")
        person.prompted("edits a question", "1 file", draft="see @dot.png")
        person.press("\x15/new\r")
        person.prompted("a new conversation", gone="1 file")
        assert leave(person) == 0


def test_line_by_line_a_question_whose_new_words_are_cleared_stays_as_it_was(server: Server) -> None:
    server.play(*(stream(chat_answer([f"Answer {number}."])) for number in range(1, 3)))
    with Person(*at(server), "--accessible") as person:
        person.line()
        person.press("one\r")
        person.sees("Answer 1.")
        person.line()
        person.press("/edit\r")
        person.sees("> /edit\n> one")
        person.press("\x03")
        person.sees("the question stays as it was")
        person.line()
        person.press("two\r")
        person.sees("Answer 2.")
        person.line()
        assert leave(person) == 0
    assert [each for _, each in asked(server)[1]] == ["one", "Answer 1.", "two"]


def test_in_a_long_list_one_looks_for_a_row_by_typing_words_of_it(server: Server) -> None:
    """Of hundreds of models eight are seen at once."""
    listed = [{"id": f"maker{number}/model-{number}"} for number in range(100)]
    server.routes["/v1/models"] = document({"object": "list", "data": listed})
    with Person(*at(server)) as person:
        person.prompted()
        person.press("/model\r")
        person.sees("Ask which model from now on?", "type to search", "> vllm/maker99/model-99")
        person.press("MODEL 42")
        person.sees("> vllm/maker42/model-42", gone="model-99")
        person.press("!")
        person.sees("42!", gone="> vllm")
        person.press("\r\x08\r")
        person.prompted("asking vllm · maker42/model-42")
        assert leave(person) == 0


def test_retry_edit_undo_and_rewind_make_branches_and_lose_nothing(server: Server) -> None:
    server.play(*(stream(chat_answer([f"Answer {number}."])) for number in range(1, 6)))
    with Person(*at(server)) as person:
        person.prompted()
        person.press("one\r")
        person.prompted("Answer 1.")
        person.press("two\r")
        person.prompted("Answer 2.")
        person.press("/retry\r")
        person.prompted("Answer 3.")
        person.press("/edit\r")
        person.prompted(draft="two")
        person.press(" and a half\r")
        person.prompted("Answer 4.")
        person.press("/undo\r")
        person.prompted("went back 1: the last question is now one")
        person.press("\x1b\x1b")
        person.sees("Go back to which question?", "two and a half", "(another branch)")
        person.press("\x1b[A\x1b[A\r")
        person.prompted(draft="one")
        person.press("!\r")
        person.prompted("Answer 5.")
        person.press("/branches\r")
        person.sees("Go on with which branch?", "Answer 2.", "Answer 3.", "Answer 4.", "(here)")
        person.press("\x1b")
        person.prompted()
        assert leave(person) == 0

    one, two = ("user", "one"), ("user", "two")
    first = ("assistant", "Answer 1.")
    assert asked(server) == [
        [one],
        [one, first, two],
        [one, first, two],
        [one, first, ("user", "two and a half")],
        [("user", "one!")],
    ]
    assert sum(line["type"] == "end" for line in records()) == 5
    kept = "".join(line["text"] for line in records() if line["type"] == "text")
    assert kept == "Answer 1.Answer 2.Answer 3.Answer 4.Answer 5."


def test_a_cut_answer_goes_on_without_a_seam(server: Server) -> None:
    server.play(
        stream(chat_answer(["Tides are the rise", " and fall of"])[:3], Stall()),
        stream(chat_answer(["and fall of", " the sea."])),
    )
    with Person(*at(server)) as person:
        person.prompted()
        person.press("tides?\r")
        person.sees("and fall of")
        person.press("\x1b")
        person.prompted("interrupted")
        person.press("/continue\r")
        person.prompted("Tides are the rise and fall of the sea.")
        person.press("/continue\r")
        person.prompted("there is no cut answer to go on with", "/retry")
        assert leave(person) == 0

    assert [role for role, _ in asked(server)[1]] == ["user", "assistant", "user"]
    begun = max(place for place, line in enumerate(records()) if line["type"] == "reply")
    whole = "".join(line["text"] for line in records()[begun:] if line["type"] == "text")
    assert whole == "Tides are the rise and fall of the sea."


def test_after_a_failure_the_ways_on_are_offered_and_nothing_is_asked_by_itself(server: Server) -> None:
    server.play(
        stream(chat_answer(["Tides are the rise"])[:2], Reset()),
        stream(chat_answer([" and fall of the sea."])),
    )
    with Person(*at(server)) as person:
        person.prompted()
        person.press("tides?\r")
        person.prompted("/continue goes on with what came")
        assert len(server.exchanges) == 1
        person.press("/continue\r")
        person.prompted("Tides are the rise and fall of the sea.")
        assert leave(person) == 0


def test_what_was_undone_can_be_gone_back_to() -> None:
    with Person("-m", "echo") as person:
        person.prompted("/help")
        person.press("one\r")
        person.prompted(ANSWERED)
        person.press("/branches\r")
        person.prompted("there is only one branch")
        person.press("/undo\r")
        person.prompted("nothing is left")
        person.press("/branches\r")
        person.sees("> one  ->")
        person.press("\r")
        person.prompted("> one", gone="->")
        person.press("two\r")
        person.prompted('"assistant", "content"', '"content": "two"')
        assert leave(person) == 0


def test_another_model_in_the_middle_and_a_comparison(server: Server, other_server: Server) -> None:
    server.play(stream(chat_answer(["From one."])), stream(chat_answer(["Again from one."])))
    other_server.play(stream(messages_answer(["From the other."])), stream(messages_answer(["Compared."])))
    config = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[providers.one]\nkind = "openai"\nbase_url = "{server.v1}"\nmodel = "m1"\n'
        f'[providers.two]\nkind = "anthropic"\nbase_url = "{other_server.url}"\nmodel = "m2"\n'
        '[profiles.terse]\nsystem = "Be terse."\n[aliases]\nsecond = "two/m2"\n'
    )
    with Person("-m", "one") as person:
        person.prompted("one · m1")
        person.press("hello\r")
        person.prompted("From one.")
        person.press("/mod sec")
        person.sees("           second")
        person.press("\t")
        person.prompted(draft="/mod second")
        person.press("\r")
        person.prompted("asking two · m2")
        person.press("/profile terse\r")
        person.prompted("profile terse")
        person.press("and you?\r")
        person.prompted("From the other.")
        person.press("/model one\r")
        person.prompted("asking one · m1")
        person.press("/compare two\r")
        person.prompted("Compared.", "goes on with the answer of two · m2")
        person.press("/modle x\r")
        person.prompted("there is no command /modle", "Did you mean /model?")
        person.press("last\r")
        person.prompted("Again from one.")
        assert leave(person) == 0

    sent = next(exchange.json for exchange in other_server.exchanges if exchange.method == "POST")
    assert sent["system"][0]["text"] == "Be terse."
    assert sent["messages"][1] == {"role": "assistant", "content": "From one."}
    assert "cache_control" in sent["messages"][-1]["content"][-1]
    assert asked(server)[-1][-1] == ("user", "last")
    assert asked(server)[-1][-2] == ("assistant", "From the other.")


def test_files_go_as_text_and_as_the_vendors_parts(server: Server) -> None:
    server.play(stream(chat_answer(["Seen."])), stream(chat_answer(["Seen too."])))
    Path("notes.txt").write_text("line one\n")
    Path("dot.png").write_bytes(PNG)
    Path("noise.bin").write_bytes(b"\x00\x01")
    Path("folder").mkdir()
    with Person(*at(server)) as person:
        person.prompted()
        person.press("/file folder\r")
        person.prompted("folder is a directory", "Name the files")
        person.press("/file *.txt\r")
        person.prompted("*.txt is a pattern")
        person.press("/file noise.bin\r")
        person.prompted("noise.bin is neither text nor an image nor a PDF")
        person.press("/file dot.png\r")
        person.prompted("with the next message: dot.png")
        person.press("what is in @notes.txt ?\r")
        person.prompted("Seen.")
        person.press("/model echo\r")
        person.prompted("asking echo")
        person.press("/model replay/showcase\r")
        person.prompted("replay cannot take dot.png: only the name is sent")
        assert leave(person) == 0

    (_, content) = asked(server)[0][0]
    assert content[0]["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert content[1]["text"] == "notes.txt:\n```\nline one\n```\n\nwhat is in @notes.txt ?"
    kept = next(line for line in records() if line["type"] == "message")
    assert kept["attachments"][0]["name"] == "dot.png"


def test_a_file_is_meant_whatever_ends_the_sentence_and_a_pattern_is_refused(server: Server) -> None:
    server.play(stream(chat_answer(["Seen."])))
    Path("notes.txt").write_text("line one\n")
    with Person(*at(server)) as person:
        person.prompted()
        person.press("compare @*.txt, please\r")
        person.prompted("*.txt is a pattern", draft="compare @*.txt, please")
        person.press("\x15what is in (@notes.txt)?\r")
        person.prompted("Seen.")
        assert leave(person) == 0
    (_, content) = asked(server)[0][0]
    assert content == "notes.txt:\n```\nline one\n```\n\nwhat is in (@notes.txt)?"


def test_what_cannot_be_sent_is_said_before_anything_is_and_the_draft_stays(server: Server) -> None:
    Path("folder").mkdir()
    Path("program").write_bytes(b"\x7fELF\x00\x01")
    Path("long.txt").write_text("word " * 300_000)
    with open("huge.png", "wb") as huge:
        huge.truncate(1 << 30)
    with Person(*at(server), size=(100, 30)) as person:
        person.prompted()
        for name, words in (
            ("folder", "folder is a directory"),
            ("program", "neither text nor an image"),
            ("long.txt", "long.txt is too large"),
            ("huge.png", "huge.png is too large"),
        ):
            person.press(f"/file {name}\r")
            person.prompted(words)
            person.press("\x0c")
            person.prompted(gone=words)
            person.press(f"see @{name}\r")
            person.prompted(words, draft=f"see @{name}")
            person.press("\x15")
        person.press("/file gone.txt\r")
        person.prompted("gone.txt cannot be read")
        assert leave(person) == 0
    assert asked(server) == []


def test_a_file_with_a_space_in_its_name_is_sent_and_written_however_it_is_quoted(server: Server) -> None:
    Path("my notes.txt").write_text("x")
    with Person("-m", "echo") as person:
        person.prompted()
        for line in ('/file "my notes.txt"', "/file my\\ notes.txt", "/file my notes.txt"):
            person.press(f"{line}\r")
            person.prompted(f"> {line}", "with the next message: my notes.txt")
            person.press("/file drop\r")
            person.prompted("no file goes with the next message")
            person.press("\x0c")
        person.press("question\r")
        person.prompted(ANSWERED)
        person.press("/save\r")
        person.prompted("which file?", "/save tides.md")
        person.press("/save 'my answer.md'\r")
        person.prompted("written: my answer.md")
        assert leave(person) == 0
    assert Path("my answer.md").is_file()


def test_a_question_that_is_edited_takes_its_files_along_once(server: Server) -> None:
    server.play(stream(chat_answer(["Seen."])), stream(chat_answer(["Seen again."])))
    Path("notes.txt").write_text("".join(f"line {number}\n" for number in range(20)))
    Path("dot.png").write_bytes(PNG)
    with Person(*at(server)) as person:
        person.prompted()
        person.press("see @notes.txt and @dot.png\r")
        person.prompted("Seen.")
        person.press("/edit\r")
        person.sees("[pasted", "see @notes.txt and @dot.png")
        person.press(" again\r")
        person.prompted("Seen again.")
        assert leave(person) == 0
    ((_, first),), ((_, second),) = asked(server)
    assert second[:-1] == first[:-1]
    assert second[-1]["text"] == first[-1]["text"] + " again"


def test_a_message_that_was_refused_takes_no_files_along(server: Server) -> None:
    """What it named before is not sent twice, and not at all where it is named no more."""
    server.play(stream(chat_answer(["Seen."])))
    Path("dot.png").write_bytes(PNG)
    Path("notes.txt").write_text("line one\n")
    Path("folder").mkdir()
    with Person(*at(server)) as person:
        person.prompted()
        person.press("see @notes.txt and @dot.png in @folder\r")
        person.prompted("folder is a directory", draft="see @notes.txt and @dot.png in @folder")
        person.press("\x15see @dot.png, I mean @dot.png\r")
        person.prompted("with this message: dot.png", "Seen.")
        assert leave(person) == 0
    (_, content) = asked(server)[0][0]
    assert [part["type"] for part in content] == ["image_url", "text"]
    assert content[1]["text"] == "see @dot.png, I mean @dot.png"


def test_an_id_alone_is_a_model_of_whom_is_asked_and_an_address_stays_with_its_provider(
    server: Server, other_server: Server
) -> None:
    """Whatever else there is a key for; and who comes back to the first provider finds it where it was."""
    server.play(*(stream(chat_answer([f"Here {number}."])) for number in range(3)))
    other_server.play(stream(chat_answer(["There."])))
    config = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[providers.two]\nkind = "openai"\nbase_url = "{other_server.v1}"\n[profiles.there]\nmodel = "two/m2"\n'
    )
    with Person(*at(server), env={"OPENAI_API_KEY": "sk-not-to-be-used"}) as person:
        person.prompted()
        for place, (line, text) in enumerate(
            (("/model big", "vllm · big"), ("/profile there", "two · m2"), ("/model vllm/m", "vllm · m"))
        ):
            person.press(f"{line}\r")
            person.prompted(f"asking {text}")
            person.press(f"question {place}\r")
            person.prompted("There." if place == 1 else f"Here {place // 2}.")
        assert leave(person) == 0
    assert [exchange.json["model"] for exchange in server.exchanges if exchange.method == "POST"] == ["big", "m"]
    (there,) = [exchange for exchange in other_server.exchanges if exchange.method == "POST"]
    assert there.json["model"] == "m2"
    sent = [str(exchange.headers) for exchange in (*server.exchanges, *other_server.exchanges)]
    assert "sk-not-to-be-used" not in "".join(sent)


def test_what_another_provider_cannot_take_is_said_when_it_is_turned_to(server: Server, other_server: Server) -> None:
    server.play(stream(messages_answer(["Thought."], thinking=["So it is."])))
    other_server.play(stream(chat_answer(["From the other."])))
    Path("dot.png").write_bytes(PNG)
    config = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "config.toml")
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[providers.one]\nkind = "anthropic"\nbase_url = "{server.url}"\nmodel = "m1"\n'
        f'[providers.two]\nkind = "openai"\nbase_url = "{other_server.v1}"\nmodel = "m2"\n'
        '[profiles.played]\nmodel = "replay/showcase"\n'
    )
    reasoning = "cannot take the reasoning of earlier answers: only the answers are sent"
    with Person("-m", "one") as person:
        person.prompted()
        person.press("/file dot.png\r")
        person.prompted("with the next message: dot.png")
        person.press("hello\r")
        person.prompted("Thought.")
        person.press("/model one/m3\r")
        person.prompted("asking one · m3", gone="reasoning of earlier")  # the same provider
        person.press("/profile played\r")
        person.prompted("replay cannot take dot.png: only the name is sent", f"replay {reasoning}")
        person.press("/model two\r")
        rows = person.prompted("asking two · m2", f"two {reasoning}")
        assert not any("two cannot take dot.png" in row for row in rows)
        person.press("and you?\r")
        person.prompted("From the other.")
        assert leave(person) == 0

    (sent,) = asked(other_server)
    assert sent[0][1][0]["type"] == "image_url" and sent[1:] == [("assistant", "Thought."), ("user", "and you?")]


def test_what_is_kept_is_named_forked_resumed_and_written(server: Server) -> None:
    server.play(*(stream(chat_answer(["Here:\n\n```py\nx = 1\n```\n"])) for _ in range(2)))
    with Person(*at(server), "--name", "first") as person:
        person.prompted()
        person.press("one\r")
        person.prompted("x = 1")
        person.press("/save answer.md\r")
        person.prompted("written: answer.md")
        person.press("/export all.json\r")
        person.prompted("written: all.json")
        person.press("/copy 1\r")
        person.prompted("copied 6 characters")
        person.press("/fork second\r")
        person.prompted("this goes on as")
        person.press("two\r")
        person.prompted("> two")
        person.press("/resume first\r")
        person.prompted("> one")
        person.press("/name second\r")
        person.prompted("is already called 'second'")
        person.press("/name @-1\r")
        person.prompted("@-1 is no name")
        person.press("/new first\r")
        person.prompted("is already called 'first'")
        person.press("/new\r")
        person.prompted("a new conversation")
        assert leave(person) == 0

    assert Path("answer.md").read_text() == "Here:\n\n```py\nx = 1\n```\n"
    assert [message["role"] for message in json.loads(Path("all.json").read_text())["messages"]] == [
        "user",
        "assistant",
    ]
    assert b"\x1b]52;c;" + base64.b64encode(b"x = 1\n") in person.written
    kept = Path(os.environ["XDG_DATA_HOME"], "streamchat", "conversations").rglob("*.jsonl")
    assert sorted(questions_of(path) for path in kept) == [["one"], ["one", "two"]]


def test_settings_raw_usage_help_and_ones_own_commands() -> None:
    own = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "commands", "translate.md")
    own.parent.mkdir(parents=True)
    own.write_text("Translate into Welsh:\n\n{{input}}\n")
    with Person("-m", "echo", size=(100, 60)) as person:
        person.prompted()
        person.press("/set temperature 0.5\r")
        person.prompted("temperature = 0.5")
        person.press("/set footer off\r")
        person.prompted("footer = false")
        person.press("/set footer on\r")
        person.prompted("footer = true")
        person.press("/set temperature hot\r")
        person.prompted("temperature: expected a number", gone="--temperature")
        person.press("/think hard\r")
        person.prompted("think: expected off", gone="--think")
        person.press("/system Speak plainly.\r")
        person.prompted("system prompt: Speak plainly.")
        person.press("/translate good night\r")
        person.prompted("Translate into Welsh", '"temperature": 0.5', '"system": "Speak plainly."')
        person.press("/set temperature default\r")
        person.prompted("temperature = (the default)")
        person.press("/usage\r")
        person.prompted("the conversation:", "the context:")
        person.press("/raw\r")
        person.prompted("shown as their Markdown source")
        person.press("/help translate\r")
        person.prompted("/translate [TEXT]", "Translate into Welsh:")
        person.press("/help\r")
        person.prompted("/retry", "Esc Esc", "/translate [TEXT]")
        assert leave(person) == 0


def test_the_last_reasoning_is_shown_on_request() -> None:
    with Person("-m", "replay/reasoning", "--speed", "0", "-R", size=(100, 50)) as person:
        person.prompted()
        person.press("which is larger?\r")
        person.prompted("9.9 is larger")
        person.press("\x0f")
        person.prompted("The person asks which is larger")
        assert leave(person) == 0


def test_pasted_code_that_begins_with_a_comment_is_a_message_and_a_command_may_have_lines() -> None:
    with Person("-m", "echo") as person:
        person.prompted()
        person.press(b"\x1b[200~/* adds */\rint x;\x1b[201~\r")
        person.prompted(ANSWERED)
        person.press(b"/system\nSpeak\nplainly.\r")
        person.prompted("system prompt: Speak")
        person.press(b'"""\r/retry\r"""\r')
        person.prompted('"/retry"')
        assert leave(person) == 0
    assert [line["content"] for line in records() if line["type"] == "message"] == ["/* adds */\nint x;", "/retry"]


def test_what_stands_in_a_long_paste_names_no_files() -> None:
    Path("notes.txt").write_text("not to be sent")
    pasted = "\n".join(["@app.route('/')", "see @notes.txt", *(f"line {number}" for number in range(20))])
    with Person("-m", "echo", size=(80, 50)) as person:
        person.prompted()
        person.press(b"what is \x1b[200~" + pasted.encode() + b"\x1b[201~ for?\r")
        rows = person.prompted(ANSWERED)
        assert leave(person) == 0
    assert "there is no file" not in "\n".join(rows)
    assert [line["content"] for line in records() if line["type"] == "message"] == [f"what is {pasted} for?"]


def test_a_command_of_ones_own_takes_files_and_pastes_as_a_message_does() -> None:
    own = Path(os.environ["XDG_CONFIG_HOME"], "streamchat", "commands", "review.md")
    own.parent.mkdir(parents=True)
    own.write_text("Review this:\n\n{{input}}\n")
    Path("notes.txt").write_text("line one\n")
    Path("folder").mkdir()
    pasted = "\n".join(["@folder", *(f"line {number}" for number in range(20))])
    with Person("-m", "echo", size=(80, 60)) as person:
        person.prompted()
        person.press("/review @notes.txt\r")
        person.prompted("with this message: notes.txt", ANSWERED)
        person.press("/review @folder\r")
        person.prompted("folder is a directory", draft="/review @folder")
        person.press("\x15/review\n")
        person.press(b"\x1b[200~" + pasted.encode() + b"\x1b[201~\r")
        person.prompted("line 19", ANSWERED)
        assert leave(person) == 0
    assert [line["content"] for line in records() if line["type"] == "message"] == [
        "notes.txt:\n```\nline one\n```\n\nReview this:\n\n@notes.txt",
        f"Review this:\n\n{pasted}",
    ]


@pytest.mark.parametrize("name", ["gone.txt", "folder"])
def test_ask_takes_files_too_and_refuses_before_it_asks(name: str) -> None:
    Path("folder").mkdir()
    Path("a.txt").write_text("AAA")
    Path("dot.png").write_bytes(PNG)
    given = json.loads(run("ask", "-m", "echo", "-f", "a.txt", "-f", "dot.png", "what is it?").stdout)["messages"][0]
    assert given["content"] == "a.txt:\n```\nAAA\n```\n\nwhat is it?"
    assert given["attachments"] == [
        {"name": "dot.png", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
    ]
    refused = run("ask", "-m", "echo", "-f", name, "what is it?")
    assert refused.status == 2
    assert name in refused.err and refused.stdout == b""
