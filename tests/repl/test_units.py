"""The parts of the chat without a terminal: what Enter means, type-ahead, commands, stopping, going on."""

import asyncio
import functools
import io
import itertools
import re
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.application.current import set_app
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import DummyInput, create_pipe_input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Layout, Window
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import CPR_Support, Renderer

from streamchat.attachments import fenced, mentioned
from streamchat.continuation import begun, last_blocks, open_block, unrepeated
from streamchat.errors import ChatError, ProviderError, UsageError
from streamchat.events import Event, Stop, Text
from streamchat.providers.base import Provider
from streamchat.providers.wrapped import Wrapped
from streamchat.repl.commands.registry import Command, commands, find, table
from streamchat.repl.context import limit_in, too_long
from streamchat.repl.draft import Draft
from streamchat.repl.drawing import Drawing
from streamchat.repl.entry import Pastes, broken, command_in, number_in, unquoted, whole
from streamchat.repl.keyboard import chords
from streamchat.repl.keys import bindings
from streamchat.repl.past import Past
from streamchat.repl.reflowing import reflowing
from streamchat.repl.stopping import Stop as Stopping
from streamchat.repl.typeahead import TypeAhead
from streamchat.views.spoken import Spoken

# what Enter means, and pastes


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("plain", None),
        ("goes on\\", "goes on\n"),
        ("a backslash \\\\", None),
        ('"""', '"""\n'),
        ('"""\nin a block', '"""\nin a block\n'),
        ('"""\nin a block\n"""', None),
        ("", None),
    ],
)
def test_enter_breaks_the_line_or_sends(text: str, then: str | None) -> None:
    assert broken(text) == then


def test_the_marks_of_a_block_are_not_sent() -> None:
    assert whole('"""\n  a\n\n  b\n"""') == "a\n\n  b"
    assert whole("  a  ") == "a"


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("/retry", ("retry", "")),
        (" /undo 2 ", ("undo", "2")),
        ("/system\n\nSpeak\nplainly.", ("system", "Speak\nplainly.")),
        ("/file  a b.txt", ("file", "a b.txt")),
        ("/", ("", "")),
        ("/no-such", ("no-such", "")),
        ("/etc/hosts: what is it?", None),
        ("/* a comment */\nint x;", None),
        ("/** of a function */", None),
        ("// of a line", None),
        ('"""\n/retry\n"""', None),
        ("/...", None),
        ("words /retry", None),
        ("", None),
    ],
)
def test_a_command_is_a_name_behind_a_slash_and_a_message_is_everything_else(
    line: str, called: tuple[str, str] | None
) -> None:
    assert command_in(line) == called


@given(st.lists(st.text(max_size=3000), max_size=6))
def test_folded_pastes_come_back_exactly(texts: list[str]) -> None:
    pastes = Pastes()
    line = "".join(f"<{pastes.fold(text)}>" for text in texts)

    expected = "".join(f"<{text}>" for text in texts).replace("\r\n", "\n").replace("\r", "\n")
    assert pastes.unfold(line) == expected
    assert all(len(row) <= 2000 for row in line.split("\n"))


def test_two_pastes_of_the_same_size_stay_apart() -> None:
    pastes = Pastes()
    one, two = "\n".join("a" * 20), "\n".join("b" * 20)
    marks = pastes.fold(one), pastes.fold(two), pastes.fold(one)

    assert marks == ("[pasted 20 lines]", "[pasted 20 lines, 2]", "[pasted 20 lines]")
    assert pastes.unfold(" ".join(marks)) == f"{one} {two} {one}"


def test_a_folded_paste_is_deleted_as_a_whole() -> None:
    """Half of its mark would be sent as it stands, and the paste would not."""
    typist = Typist()
    typist.typing.key(KeyPress(Keys.BracketedPaste, "\n".join("a" * 20)))
    typist.keys(" x", Keys.ControlH, Keys.ControlH)
    assert typist.typing.draft == "[pasted 20 lines]"
    assert typist.keys(Keys.ControlH).typing.draft == ""
    typist.typing.key(KeyPress(Keys.BracketedPaste, "\n".join("a" * 20)))
    assert typist.keys(Keys.ControlW).typing.draft == ""
    assert typist.keys("[pasted 9 lines]", Keys.ControlH).typing.draft == "[pasted 9 lines"


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("a.txt", "a.txt"),
        ("a b.txt", "a b.txt"),
        ('"a b.txt"', "a b.txt"),
        ("'a b.txt'", "a b.txt"),
        ("/tmp/a\\ b.txt", "/tmp/a b.txt"),
        ("it's.txt", "it's.txt"),
        ('"', '"'),
        ("''", "''"),
        ("https://x.org/a?b=1&c=2#d", "https://x.org/a?b=1&c=2#d"),
    ],
)
def test_a_path_may_be_quoted_as_a_shell_and_a_dropped_file_are(typed: str, path: str) -> None:
    assert unquoted(typed) == path


# type-ahead


class Typist:
    """Type-ahead with keys from a string; `stopped` counts the wishes to stop."""

    def __init__(self) -> None:
        self.stopped = 0
        self.typing = TypeAhead(Pastes(), stop=self._stop)

    def keys(self, *keys: Keys | str) -> "Typist":
        for key in keys:
            for each in [key] if isinstance(key, Keys) else key:
                self.typing.key(KeyPress(each))
        return self

    def _stop(self) -> None:
        self.stopped += 1


def test_type_ahead_queues_edits_and_takes_back() -> None:
    typist = Typist().keys(
        "one", Keys.ControlM, "two threes", Keys.ControlH, Keys.ControlW, "x", Keys.ControlM, "draft"
    )
    assert typist.typing.lines() == (["queued: one", "queued: two x", "> draft"], "")
    typist.keys(Keys.Escape)
    assert (typist.typing.queue, typist.typing.draft, typist.stopped) == ([], "one\ntwo x\ndraft", 0)
    typist.keys(Keys.Escape)
    assert (typist.typing.draft, typist.stopped) == ("one\ntwo x\ndraft", 1)


@pytest.mark.parametrize(
    ("draft", "left"), [("one two", "one "), ("one two  ", "one "), ("one\ntwo", "one\n"), ("one", ""), ("", "")]
)
def test_ctrl_w_deletes_a_word_as_at_the_prompt(draft: str, left: str) -> None:
    keys = [Keys.ControlJ if key == "\n" else key for key in draft]
    assert Typist().keys(*keys, Keys.ControlW).typing.take_draft().text == left


def test_ctrl_c_stops_with_a_queue_too_and_nothing_typed_is_lost() -> None:
    typist = Typist().keys("one", Keys.ControlM, "two", Keys.ControlC)
    assert (typist.typing.queue, typist.typing.draft, typist.stopped) == (["one"], "two", 1)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200))
@example("می\u200cخواهم")
@example("\U0001f468\u200d\U0001f469")
@example("日本\u3000語")
def test_every_letter_lands_in_the_draft(text: str) -> None:
    """Those that join or part others too, and the spaces of other scripts."""
    assert Typist().keys(text).typing.take_draft().text == text


def test_a_leaving_that_is_taken_back_is_no_text() -> None:
    typist = Typist().keys("one", Keys.ControlM, Keys.ControlD)
    assert typist.typing.lines() == (["queued: one", "queued: /exit", "> "], "")
    assert typist.keys(Keys.Escape).typing.take_draft().text == "one"
    assert typist.keys(Keys.ControlD, Keys.Escape).typing.take_draft().text == ""


EDITING = (
    *(Keys.Left, Keys.Right, Keys.Home, Keys.End, Keys.ControlA, Keys.ControlE, Keys.ControlB, Keys.ControlF),
    *(Keys.ControlH, Keys.Delete, Keys.ControlW, Keys.ControlU, Keys.ControlK, Keys.Up, Keys.Down),
)
WORDS = (Keys.ControlLeft, Keys.ControlRight)
EARLIER = ("the first", "one\nof three\nlines", "日本")
JOINED = (
    "e\u0301",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e9\U0001f1ea",
    "\U0001f44d\U0001f3fd",
    "\u0e01\u0e33",
)
"""What a person takes for one letter each: with an accent, a family, a flag, a tone of skin, a vowel."""
TYPED = st.lists(st.sampled_from([*EDITING, *JOINED, *"ab .-日\n"]), max_size=30).map(
    lambda keys: [each for key in keys for each in ([key] if isinstance(key, Keys) else key)]
)


@given(TYPED)
@example([*"one two", Keys.Left, "x", Keys.Left, Keys.ControlK])
@example([*"long line\nb\nlong line", Keys.Up, Keys.Up, "x", Keys.Down, Keys.Down, "x"])
@example([*"ab\nab", Keys.Up, Keys.Up, "x", Keys.Up, Keys.Up, "x", Keys.Up, Keys.Up, Keys.Down, *[Keys.Down] * 5, "x"])
def test_a_line_that_is_typed_meanwhile_is_edited_as_at_the_prompt(keys: list[Keys | str]) -> None:
    """By the keys of the editor, the cursor too."""
    asyncio.run(_edited(keys))


@functools.cache
def editor() -> PromptSession[str]:
    """One for all examples: it is made in the time of ten."""
    keys = bindings(Pastes(), reasoning=print, suspend=print, cleared=str, hint=print)
    how = {"history": InMemoryHistory(EARLIER), "key_bindings": keys}
    return PromptSession(input=DummyInput(), output=DummyOutput(), multiline=True, **how)


async def _edited(keys: list[Keys | str]) -> None:
    draft, session = Draft(Pastes(), earlier=lambda: EARLIER), editor()
    session.default_buffer.reset()
    with set_app(session.app):
        session.default_buffer.load_history_if_not_yet_loaded()
        await session.default_buffer._load_history_task  # type: ignore[misc]
        for key in keys:
            draft.key(KeyPress(key))
            session.app.key_processor.feed(KeyPress(key))
            session.app.key_processor.process_keys()
            here, there = draft.document, session.default_buffer.document
            assert (here.text, here.cursor_position) == (there.text, there.cursor_position)


MORE = st.lists(
    st.sampled_from([*EDITING, *WORDS, Keys.ControlD, Keys.ControlJ, Keys.BracketedPaste, "x"]), max_size=20
)


@given(TYPED, MORE)
def test_a_folded_paste_is_one_character_for_every_key(keys: list[Keys | str], more: list[Keys | str]) -> None:
    """The cursor never stands in its mark, and none is ever cut."""
    pastes = Pastes()
    draft = Draft(pastes)
    pasted = "\n".join("p" * 20)
    mark = "[pasted 20 lines]"
    for key in [*keys, Keys.BracketedPaste, *more]:
        draft.key(KeyPress(key, pasted if key == Keys.BracketedPaste else ""))
        assert "[" not in draft.text.replace(mark, "") and "]" not in draft.text.replace(mark, "")
        assert "[" not in draft.behind.replace(mark, "") and "]" not in draft.behind.replace(mark, "")


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("one two", "one |two", "one two|"),
        ("one two  ", "one |two  ", "one two|  "),
        ("a", "|a", "a|"),
        ("  ", "|  ", "  |"),
        ("", "|", "|"),
    ],
)
def test_by_words(text: str, left: str, right: str) -> None:
    """To where a word begins, and to where one ends."""

    def after(*keys: Keys) -> str:
        draft = Draft(Pastes())
        for key in (*text, *keys):
            draft.key(KeyPress(key))
        return f"{draft.document.text_before_cursor}|{draft.behind}"

    assert after(Keys.ControlLeft) == left
    assert after(Keys.ControlLeft, Keys.ControlRight) == right


@pytest.mark.parametrize("letter", JOINED)
def test_a_letter_of_several_parts_is_one_for_every_key(letter: str) -> None:
    """Half of it was deleted, and the cursor stood in its middle."""

    def after(*keys: Keys | str) -> str:
        return Typist().keys(f"a{letter}b", *keys).typing.take_draft().text

    assert after(Keys.Left, Keys.ControlH) == "ab"
    assert after(Keys.Left, Keys.Left, "x") == f"ax{letter}b"
    assert after(Keys.Left, Keys.Left, Keys.Delete) == "ab"
    assert after(Keys.Home, Keys.Right, Keys.Right, "x") == f"a{letter}xb"


def test_in_a_draft_of_several_lines_the_cursor_goes_from_one_to_the_other() -> None:
    """It is one row on the screen."""
    typist = Typist().keys("a", Keys.ControlJ, "b", *[Keys.Left] * 9, "x", *[Keys.Right] * 9, "y")
    assert typist.typing.take_draft().text == "xa\nby"


@pytest.mark.parametrize(("change", "left"), [("", "a draft"), ("!", "before!\na draft")])
@pytest.mark.parametrize("queued", ["", "queued"])
def test_an_answer_that_ends_while_earlier_messages_are_looked_at_costs_no_draft(
    change: str, left: str, queued: str
) -> None:
    typing = TypeAhead(Pastes(), stop=lambda: None, earlier=lambda: ("before",))
    ups = [Keys.Up, Keys.Up] if queued else [Keys.Up]  # what is queued is an earlier message too
    for key in (*queued, Keys.ControlM, *"a draft", *ups, *change):
        typing.key(KeyPress(key))
    typing.take_back()
    assert typing.take_draft().text == (f"{queued}\n{left}" if queued else left)


@pytest.mark.parametrize(("earlier", "recalled"), [(("before",), "queued"), ((), "queued"), (None, "")])
def test_up_recalls_what_is_queued_too_but_nothing_where_it_would_not_be_seen(
    earlier: tuple[str, ...] | None, recalled: str
) -> None:
    typing = TypeAhead(Pastes(), stop=lambda: None, earlier=lambda: earlier)
    for key in (*"queued", Keys.ControlM, Keys.Up):
        typing.key(KeyPress(key))
    assert typing.draft == recalled


def test_enter_in_the_middle_of_a_draft_queues_all_of_it() -> None:
    typist = Typist().keys("on\\", Keys.Left, Keys.Left, "X", Keys.ControlM)
    assert (typist.typing.queue, typist.typing.draft) == (["oXn\\"], "")


def test_the_cursor_stays_where_it_is_in_the_draft_when_the_queue_comes_back() -> None:
    typist = Typist().keys("one", Keys.ControlM, "two", Keys.ControlM, "ab", Keys.Left, Keys.Escape)
    taken = typist.typing.take_draft()
    assert (taken.text_before_cursor, taken.text_after_cursor) == ("one\ntwo\na", "b")


def test_many_queued_messages_take_few_rows() -> None:
    typist = Typist().keys(*(part for number in range(9) for part in (str(number), Keys.ControlM)))
    assert typist.typing.lines() == (["queued: 6 more", "queued: 6", "queued: 7", "queued: 8", "> "], "")


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b\r", [Keys.ControlJ]),
        ("\x1b[13;2u", [Keys.ControlJ]),  # Shift+Enter, of terminals that tell it from Enter
        ("\x1b[27;2;13~", [Keys.ControlJ]),
        ("\x1b\x7f", [Keys.ControlW]),
        ("\x1b[1;3D", [Keys.ControlLeft]),  # Alt+Left
        ("\x1b\x1b[D", [Keys.ControlLeft]),  # the same, of other terminals
        ("\x1b[1;3A", [Keys.Ignore]),  # Alt+Up
        ("\x1b", [Keys.Escape]),
        ("\x1bb", [Keys.ControlLeft]),
        ("\x1bf", [Keys.ControlRight]),
        ("\x1bd", [Keys.ControlDelete]),
        ("\x1bx", [Keys.Escape, "x"]),
        ("\x1bbut", [Keys.Escape, *"but"]),
        ("\x1b\x1b\r", [Keys.Escape, Keys.ControlJ]),
        ("\x1b\x1b[200~a\x1b[201~", [Keys.Escape, Keys.BracketedPaste]),
    ],
)
def test_a_key_with_alt_is_no_esc(sent: str, keys: list[Keys | str]) -> None:
    pressed: list[KeyPress] = []
    parser = Vt100Parser(pressed.append)
    parser.feed_and_flush(sent)

    assert [press.key for press in chords(pressed)] == keys


@pytest.mark.parametrize("text", ["", "words"])
def test_in_vi_mode_esc_waits_for_no_other_key_once_something_is_typed(text: str) -> None:
    """So that Esc and Enter send it; on an empty line a second Esc goes back to an earlier question."""
    ours = bindings(Pastes(), reasoning=lambda: None, suspend=lambda: None, cleared=str, hint=lambda _: None)
    with create_pipe_input() as source:
        session: PromptSession[str] = PromptSession(
            editing_mode=EditingMode.VI, key_bindings=ours, input=source, output=DummyOutput()
        )
        session.default_buffer.reset(Document(text))
        with set_app(session.app):
            after = [each for each in ours.get_bindings_starting_with_keys((Keys.Escape,)) if each.filter()]
    assert [each.keys for each in after] == ([] if text else [(Keys.Escape, Keys.Escape)])


def test_a_terminal_that_does_not_say_where_its_cursor_is_gets_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a slow line the answer comes too late, and is none."""
    monkeypatch.setattr(Renderer, "CPR_TIMEOUT", 0)
    written = io.BytesIO()
    out = io.TextIOWrapper(written, encoding="utf-8")
    monkeypatch.setattr(out, "isatty", lambda: True)
    drawing = Drawing()
    with create_pipe_input() as source:
        terminal = Vt100_Output(out, lambda: Size(rows=24, columns=80), term="vt100")
        app: Application[None] = Application(
            Layout(Window(height=1)), input=source, output=terminal, refresh_interval=0.01, min_redraw_interval=0
        )

        def seen(_: Application[None]) -> None:
            if app.renderer.cpr_support is CPR_Support.NOT_SUPPORTED and not app.is_done:
                app.exit()

        app.after_render += seen
        app.run(pre_run=lambda: drawing.begun(app))
    assert b"\x1b[6n" in written.getvalue() and b"WARNING" not in written.getvalue()


def test_a_signal_that_comes_when_all_is_drawn_for_the_new_width_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was quicker than the signal has had it drawn."""
    monkeypatch.setattr("streamchat.repl.reflowing.reflows", lambda: True)
    written, sizes = io.StringIO(), [Size(rows=24, columns=80)]
    with create_pipe_input() as source:
        terminal = Vt100_Output(written, lambda: sizes[-1], term="vt100", enable_cpr=False)
        app: Application[None] = Application(Layout(Window(height=1)), input=source, output=terminal)
        reflowing(app)
        lengths: list[int] = []

        def seen(_: Application[None]) -> None:
            if lengths:
                return
            lengths.append(len(written.getvalue()))
            for columns in (80, 40):
                sizes.append(Size(rows=24, columns=columns))
                app._on_resize()
                lengths.append(len(written.getvalue()))
            app.exit()

        app.after_render += seen
        app.run()
    assert 0 < lengths[0] == lengths[1] < lengths[2]


def test_what_a_key_has_drawn_before_the_signal_is_asked_for_its_place_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of state is at the bottom of the window: until the terminal has said where that is, there is none."""
    monkeypatch.setattr("streamchat.repl.reflowing.reflows", lambda: True)
    written = io.StringIO()
    monkeypatch.setattr(written, "isatty", lambda: True)
    sizes, known = [Size(rows=24, columns=80)], []
    with create_pipe_input() as source:
        terminal = Vt100_Output(written, lambda: sizes[-1], term="vt100")
        app: Application[None] = Application(Layout(Window(height=1)), input=source, output=terminal)
        reflowing(app)

        def seen(_: Application[None]) -> None:
            if app.is_done:
                return
            known.append(app.renderer.height_is_known)
            if known[-1] and len(sizes) == 1:
                sizes.append(Size(rows=20, columns=70))
                app.invalidate()
            elif known[-1] or written.getvalue().count("\x1b[6n") < len(sizes):
                app.exit()
            else:
                source.send_text("\x1b[3;1R")

        app.after_render += seen
        app.run()
    assert known == [False, True, False, True]


# stopping


def test_a_stop_interrupts_what_waits_and_nothing_else() -> None:
    with Stopping() as stop:
        stop.now()
        done = "this line runs"
        assert done
        with pytest.raises(KeyboardInterrupt):
            stop.waiting(lambda: None)
        stop.wanted = False
        threading.Timer(0.05, stop.now).start()
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            stop.waiting(lambda: time.sleep(10))
        assert time.monotonic() - begun < 5
        stop.wanted = False
        assert stop.waiting(lambda: 7) == 7


def test_a_wrapped_provider_passes_on_everything_that_a_provider_has() -> None:
    methods = {name for name, value in vars(Provider).items() if callable(value) or isinstance(value, property)}
    public = {name for name in methods if not name.startswith("_")}

    assert public - set(vars(Wrapped)) <= {"name"}


# commands


def test_commands_are_found_by_prefix_and_misspelt_ones_are_guessed() -> None:
    assert find("retry").name == "retry"
    assert find("und").name == "undo"
    with pytest.raises(UsageError, match="/re could be") as ambiguous:
        find("re")
    assert "/retry" in ambiguous.value.message and "/rewind" in ambiguous.value.message
    with pytest.raises(UsageError) as unknown:
        find("modle")
    assert unknown.value.hint == "Did you mean /model?"


@pytest.mark.parametrize(("elsewhere", "here"), [("quit", "exit"), ("bye", "exit"), ("clear", "new")])
def test_what_other_chats_call_a_command_is_understood(elsewhere: str, here: str) -> None:
    assert find(elsewhere).name == here
    own = Command(elsewhere, "", "", "own", "", lambda *_: None)
    assert find(elsewhere, {elsewhere: own}) is own


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("0", 0), ("", 0), ("-1", 0), ("²", 0), ("9" * 5000, 0)])
def test_a_number_is_one_that_can_be_meant(text: str, number: int) -> None:
    assert number_in(text) == number


def test_every_command_explains_itself() -> None:
    assert all(each.help.endswith((".", ")")) and "\n" not in each.help for each in commands().values())
    assert table().count("\n") == len(commands()) + 1


# going on


def rest(before: str, *texts: str) -> str:
    events: Iterator[Event] = iter([*map(Text, texts), Stop("stop")])
    joined = list(unrepeated(before, events))
    assert joined[-1] == Stop("stop")
    return before + "".join(event.text for event in joined if isinstance(event, Text))


@pytest.mark.parametrize(
    ("before", "texts", "whole_"),
    [
        ("The sea is wi", ["de and", " deep."], "The sea is wide and deep."),
        ("The sea is wide", [" and", " deep."], "The sea is wide and deep."),
        ("The sea is wide", ["The sea", " is wide", " and deep."], "The sea is wide and deep."),
        ("The sea is wide ", ["sea is wide", " and deep."], "The sea is wide  and deep."),
        ("Hello", ["o!"], "Helloo!"),
        ("Hello", [], "Hello"),
    ],
)
def test_what_is_repeated_is_left_out(before: str, texts: list[str], whole_: str) -> None:
    assert rest(before, *texts) == whole_


@given(st.text(min_size=30, max_size=300), st.text(min_size=1, max_size=100), st.integers(1, 20))
def test_a_continuation_is_joined_whatever_its_deltas_are(before: str, more: str, size: int) -> None:
    pieces = [more[at : at + size] for at in range(0, len(more), size)]
    assert rest(before, *pieces) == rest(before, more)


def test_going_on_ends_with_a_question_and_no_space() -> None:
    cut, question = begun("half an answer \n")
    assert (cut.role, cut.content, question.role) == ("assistant", "half an answer", "user")


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("One.\n\nTwo", "Two"),
        ("Text\n\n```py\nx = 1\n\ny =", "```py\nx = 1\n\ny ="),
        ("```\na\n```\nafter", "```\na\n```\nafter"),
        ("One line", "One line"),
    ],
)
def test_the_open_block_is_what_is_shown_again(text: str, block: str) -> None:
    assert open_block(text) == block


def test_of_a_long_answer_the_last_whole_blocks_are_shown_again() -> None:
    code = "```\none\n\ntwo\n```\n"
    text = f"First.\n\nSecond.\n\n{code}Last.\n\nEnd."
    assert last_blocks(text, 1000) == text
    assert last_blocks(text, len(text) - 1) == text.removeprefix("First.\n\n")
    assert last_blocks(text, len(code)) == "End."
    assert last_blocks(text, 1) == "End."
    assert last_blocks("", 1) == ""


# context, attachments, clipboard, history


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        (
            "openai answered with an error (HTTP 400): This model's maximum context length is 128000 tokens. However",
            128000,
        ),
        ("anthropic answered with an error (HTTP 400): prompt is too long: 210000 tokens > 200000 maximum", 200000),
        ("the chat has 9000 tokens and the embedded model holds 4096", 4096),
        ("x answered with an error (HTTP 400): the request exceeds the available context size (8192 tokens)", 8192),
        (
            "gemini answered with an error (HTTP 400): The input token count (1200000) exceeds the maximum number of"
            " tokens allowed (1048576).",
            1048576,
        ),
        ("x answered with an error: Input is too long for requested model", None),
    ],
)
def test_a_refusal_for_length_is_understood(message: str, limit: int | None) -> None:
    error = ProviderError(message)
    assert too_long(error)
    assert limit_in(error) == limit


def test_another_refusal_is_not_about_length() -> None:
    assert not too_long(ChatError("openai answered with an error (HTTP 400): temperature is too high"))


def test_a_fence_is_longer_than_any_inside() -> None:
    assert fenced("a\n````\nb", "x.md") == "x.md:\n`````\na\n````\nb\n`````"


def test_files_are_mentioned_by_an_at(tmp_path: object) -> None:
    Path("here.txt").write_text("x")
    Path("a b.txt").write_text("x")
    there, missing = mentioned('see @here.txt and @"a b.txt" but not me@x.org, @someone or @gone/file.txt')
    assert (there, missing) == (["here.txt", "a b.txt"], ["gone/file.txt"])


def test_the_past_is_bounded_redacted_and_survives_a_torn_line(tmp_path: object) -> None:
    path = Path("state", "prompt_history")
    past = Past(path, whole=lambda text: text.replace("[p]", "pasted"), redact=[re.compile("sk-\\w+")])
    past.append_string("first [p]")
    past.append_string("my key is sk-123")
    path.write_bytes(path.read_bytes() + b'"torn')

    assert list(Past(path, whole=str).load_history_strings()) == ["my key is [redacted]", "first pasted"]
    path.write_text("".join(f'"{number}"\n' for number in range(5000)))
    assert len(list(Past(path, whole=str).load_history_strings())) == 2000
    assert len(path.read_text().splitlines()) == 2000


def test_a_full_disk_takes_nothing_of_the_past(tmp_path: Path) -> None:
    path = tmp_path / "prompt_history"
    before = "".join(f'"{number}"\n' for number in range(5000))
    path.write_text(before)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        assert next(iter(Past(path, whole=str).load_history_strings())) == "4999"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == before


# for the ear


SPOKEN = """# Tides

The **sea** rises. It `falls` too, see [here](https://x.org).
- [ ] look
* watch

> They say.
> Always.

```py
x = 1  # **kept**
```

| a | b |
| - | - |
| 1 | 2 |
"""

SAID = """Heading 1: Tides

The sea rises. It falls too, see here (https://x.org).
- to do: look
- watch

Quote: They say.
Always.

Code, py:
x = 1  # **kept**
End of code.

a; b

1; 2
"""


def said(*pieces: str) -> list[str]:
    step = Spoken()
    return [*(step.feed(piece) for piece in pieces), step.close()]


def test_what_is_for_the_ear_has_words_for_marks() -> None:
    assert "".join(said(SPOKEN)) == SAID


@given(st.lists(st.integers(0, len(SPOKEN)), max_size=12).map(sorted))
def test_what_is_for_the_ear_does_not_depend_on_the_deltas(cuts: list[int]) -> None:
    pieces = [SPOKEN[start:end] for start, end in itertools.pairwise([0, *cuts, len(SPOKEN)])]
    assert "".join(said(*pieces)) == SAID


def test_a_sentence_is_said_when_it_is_whole() -> None:
    assert said("The sea ri", "ses. It fa", "lls.") == ["", "The sea rises. ", "", "It falls.\n"]
