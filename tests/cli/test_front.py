"""The way in: what is answered without the parser is what the parser would have answered."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamchat.cli.app import parsed, top
from streamchat.cli.front import COMMANDS, meaning
from streamchat.cli.help import tree
from streamchat.cli.outline import Group, found, keep, kept, slip
from streamchat.cli.pages import page
from streamchat.errors import UsageError
from tests.program import run

OUTLINE = keep(*top(), Path(os.devnull) / "nowhere")


def words_to(context: Any) -> list[str]:
    return str(context.command_path).split()[1:]


@pytest.mark.parametrize(("command", "context"), list(tree(*top())), ids=lambda each: getattr(each, "name", ""))
@pytest.mark.parametrize("every", [False, True])
def test_a_page_of_the_outline_is_the_parsers(command: Any, context: Any, every: bool) -> None:
    there = found(OUTLINE, words_to(context))

    assert there is not None
    assert page(*there, every=every, width=80) == page(command, context, every=every, width=80)
    assert page(*there, every=every, width=43) == page(command, context, every=every, width=43)


PARAMETERS = [each for command, context in tree(*top()) for each in command.get_params(context)]
OPTIONS = sorted({name for each in PARAMETERS for name in (*each.opts, *each.secondary_opts)})
WORDS = st.sampled_from(
    [*OPTIONS, *COMMANDS, "--bogus", "--mode", "--modle=x", "--json=1", "-Z", "-qZ", "-mx", "-qm", "-m=x", "-", "--",
     "x", "", "--stdin", "--no-stdi", "show", "list", "-h", "-\x1b"]
)  # fmt: skip


@given(st.sampled_from(sorted(COMMANDS)), st.lists(WORDS, max_size=5))
@example("ask", ["--bogus"])
@example("ask", ["-qm"])
@example("config", ["show", "--jsn"])
def test_a_slip_is_told_in_the_parsers_words(command: str, words: list[str]) -> None:
    """What it does not tell, it leaves to the parser."""
    ours = slip(OUTLINE, [command, *words])
    if ours is None or {"-x", "--extract"} & set(words):
        return
    with pytest.raises(UsageError) as parsers:
        parsed([command, *words])
    assert (ours.message, ours.hint) == (parsers.value.message, parsers.value.hint)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ask", "--bogus"], "no such option: --bogus"),
        (["ask", "hi", "--modle", "x"], "no such option: --modle (Possible options: "),
        (["ask", "-qZ"], "no such option: -Z"),
        (["config", "show", "--orign"], "no such option: --orign (Possible options: "),
    ],
)
def test_a_slip_is_found(words: list[str], message: str) -> None:
    error = slip(OUTLINE, words)

    assert error is not None and error.message.startswith(message)


@pytest.mark.parametrize(
    "words",
    [["ask", "-m", "--bogus"], ["ask", "--", "--bogus"], ["ask", "-mZ"], ["ask", "-m"], ["nobody", "--bogus"], []],
)
def test_what_is_no_slip_is_left_alone(words: list[str]) -> None:
    assert slip(OUTLINE, words) is None


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (["ask", "hi", "-f"], "ask"),
        (["history", "list", "-n"], "history list"),
        (["config", "show", "--config"], "config show"),
    ],
)
def test_an_option_without_its_value_is_answered_with_the_page_that_has_it(words: list[str], page: str) -> None:
    with pytest.raises(UsageError, match="requires an argument") as raised:
        parsed(words)
    assert raised.value.hint == f"See: streamchat {page} --help"


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ("ask what does ls -la do", "See: streamchat ask --help; behind -- every word is text"),
        ("models of ships", "See: streamchat models --help; to ask just that: streamchat ask models of ships"),
        ("usage of semicolons", "See: streamchat usage --help; to ask just that: streamchat ask usage of semicolons"),
        ("ask hi --bogus", "See: streamchat ask --help"),
        ("history shwo", "See: streamchat history --help"),
    ],
)
def test_words_that_were_a_question_are_told_how_to_be_asked(words: str, way: str) -> None:
    for _ in range(2):  # without an outline of the command line, and with one
        assert run(*words.split()).err.splitlines()[1:] == [f"  {way}"]


def test_a_choice_that_there_is_not_is_told_without_the_validator_s_own_words() -> None:
    with pytest.raises(UsageError) as raised:
        parsed(["usage", "--by", "week"])
    assert raised.value.message == "invalid value for '--by': 'week' is not one of 'model', 'day'"


# What is kept


def test_the_outline_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    keep(*top(), cache)

    assert cache.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in cache.iterdir()] == [0o600]
    assert isinstance(kept(cache), Group)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_what_others_could_have_written_is_not_read(tmp_path: Path, mode: int) -> None:
    keep(*top(), tmp_path)
    (tmp_path / "outline.json").chmod(mode)

    assert kept(tmp_path) is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"stamp": 1}', b"\xff\xfe", b"null"])
def test_what_is_no_outline_is_made_anew(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "home" / ".cache" / "streamchat" / "outline.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    path.chmod(0o600)

    assert "Usage: streamchat ask" in run("ask", "--help").out
    assert isinstance(kept(path.parent), Group)


def test_an_outline_of_another_state_of_the_program_is_not_used(tmp_path: Path) -> None:
    keep(*top(), tmp_path)
    path = tmp_path / "outline.json"
    path.write_text(path.read_text().replace('{"stamp": ["', '{"stamp": ["0.0.', 1))

    assert kept(tmp_path) is None


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for _ in range(2):
        told = run("ask", "--help", env={"XDG_CACHE_HOME": str(tmp_path / "file")})
        assert (told.status, told.err) == (0, "") and "Usage: streamchat ask" in told.out


# The program


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["ask", "-h"], ["help", "ask"], ["config", "show", "--help"], ["help"]]
)
def test_help_is_the_same_with_an_outline_and_without(words: list[str]) -> None:
    first, second = run(*words), run(*words)

    assert first == second and first.status == 0


def test_a_slip_is_the_same_with_an_outline_and_without() -> None:
    first, second = run("ask", "--zzz"), run("ask", "--zzz")

    assert first == second and first.status == 2
    assert first.err == "streamchat: no such option: --zzz\n  See: streamchat ask --help\n"


@pytest.mark.parametrize("words", [["--help"], ["ask", "--help"], ["ask", "--bogus"], ["hsitory"], ["--version"]])
def test_the_parser_is_not_loaded_for_it(words: list[str]) -> None:
    run("--help")
    code = (
        "import os, sys; sys.argv[0] = 'streamchat'; os._exit = print\n"
        "from streamchat.cli import exits\n"
        "exits.leave = lambda code: None\n"
        "from streamchat.__main__ import main\n"
        "main(); sys.stdout.flush(); print('\\n', *sys.modules)"
    )
    loaded = run("-c", code, *words, command=(sys.executable,)).out.splitlines()[-1].split()

    assert "streamchat" in loaded
    heavy = {"typer", "msgspec", "pydantic", "typing_extensions", "asyncio", "inspect", "streamchat.cli.app"}
    assert not heavy & set(loaded)


def test_a_reader_that_has_gone_is_no_error() -> None:
    told = run("-c", f"{sys.executable} -m streamchat --help | true; echo ${{PIPESTATUS[0]}}", command=("bash",))

    assert told.err == "" and told.out.strip() in ("0", "141")  # written before the reader had gone, or not


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["ask", "x"], ["ask", "x"]),
        (["why?"], ["ask", "why?"]),
        (["-m", "x", "why"], ["ask", "-m", "x", "why"]),
        (["--help"], ["--help"]),
    ],
)
def test_words_that_are_no_command_are_a_question(argv: list[str], expected: list[str]) -> None:
    assert meaning(argv, piped=False) == expected


@pytest.mark.parametrize("words", ["--version", "-V", "--help", "history list --help"])
def test_what_stdout_cannot_take_is_said_in_one_line_by_the_first_of_all_answers_too(words: str) -> None:
    command = ("/bin/sh", "-c", 'exec "$@" >/dev/full', "sh", sys.executable, "-m", "streamchat")
    full = run(*words.split(), command=command)

    assert full.status == 1
    assert full.err.startswith("streamchat: No space left on device\n") and "Traceback" not in full.err
