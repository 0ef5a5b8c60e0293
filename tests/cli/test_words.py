"""The words of a question read without Typer: never otherwise than Typer reads them."""

from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from streamchat.cli.flags import Flags
from streamchat.cli.options import application
from streamchat.cli.words import plain

_READ: list[tuple[str, Flags]] = []


def _kept(question: str, flags: Flags) -> int:
    _READ.append((question, flags))
    return 0


COMMAND = typer.main.get_command(application("", _kept))
NAMES = [
    name for told in Flags.__annotations__.values() for names in get_args(told)[1].names for name in names.split("/")
]


def by_typer(words: list[str]) -> tuple[str, Flags] | None:
    """None for what it refuses, or answers itself."""
    _READ.clear()
    try:
        COMMAND(words, standalone_mode=False)
    except Exception:
        return None
    return _READ[0] if _READ else None


def comparable(read: tuple[str, Flags]) -> Any:
    """What was not given is None, False or nothing at all, by who read it."""
    question, flags = read
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in flags._asdict().items()}
    return question, {name: value for name, value in given.items() if value not in (None, [])}


WORDS = st.lists(
    st.one_of(
        st.sampled_from(NAMES),
        st.sampled_from(["--", "-", "-h", "-qS", "-mx", "--bogus", "0.5", "7", "-1", "1e3", "", " ", "é", "a=b"]),
        st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "7", "x", "a=b", "-1"])).map("=".join),
        st.text(max_size=6),
    ),
    max_size=6,
)


@given(WORDS)
def test_what_is_read_plainly_is_what_typer_reads(words: list[str]) -> None:
    read = plain(words)

    if read is not None:
        by = by_typer(words)
        assert by is not None
        assert comparable(read) == comparable(by)
        assert {name: type(value) for name, value in comparable(read)[1].items()} == {
            name: type(value) for name, value in comparable(by)[1].items()
        }


def test_everyday_words_are_read_plainly() -> None:
    words = [
        "-m",
        "a/b",
        "--model=c",
        "-q",
        "-t",
        "0.5",
        "--no-stdin",
        "-o",
        "x.md",
        "how",
        "do",
        "--opt",
        "a=b",
        "tides",
    ]

    read = plain(words)

    assert read == (
        "how do tides",
        Flags(model=["a/b", "c"], quiet=True, temperature=0.5, stdin=False, output=Path("x.md"), extra=["a=b"]),
    )


@pytest.mark.parametrize("words", [["-h"], ["-qS"], ["--bogus"], ["-t", "warm"], ["-m"], ["-m", "-q"], ["-x", "1"]])
def test_whatever_is_not_plain_is_left_to_typer(words: list[str]) -> None:
    assert plain(words) is None
