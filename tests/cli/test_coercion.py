"""The quick way from words to values: the same values and the same complaints as Typer's own, without its cost."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from streamchat.cli import coercion
from streamchat.cli.coercion import quick

app = typer.Typer(add_completion=False)


@app.command()
def everything(
    words: list[str] | None = None,
    text: str | None = None,
    number: int | None = None,
    bounded: Annotated[int, typer.Option(min=1, max=9)] = 3,
    real: float | None = None,
    path: Path | None = None,
    several: Annotated[list[str] | None, typer.Option()] = None,
    paths: Annotated[list[Path] | None, typer.Option()] = None,
    flag: bool = False,
) -> Any:
    return words, text, number, bounded, real, path, several, paths, flag


def outcome(arguments: list[str], *, quickly: bool) -> Any:
    command = typer.main.get_command(app)
    try:
        return (quick(command) if quickly else command)(arguments, standalone_mode=False)
    except Exception as exc:
        return type(exc).__name__, getattr(exc, "message", str(exc))


WORDS = st.one_of(st.from_regex(r"-?[0-9_.e ]{1,6}", fullmatch=True), st.text(max_size=6), st.just("٣"))


@given(st.lists(st.tuples(st.sampled_from(["text", "number", "bounded", "real", "path", "several", "paths"]), WORDS)))
def test_values_and_complaints_are_those_of_typer(given: list[tuple[str, str]]) -> None:
    arguments = [f"--{name}={word}" for name, word in given]

    assert repr(outcome(arguments, quickly=True)) == repr(outcome(arguments, quickly=False))


def test_a_typer_that_keeps_its_conversion_elsewhere_does_it_all_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coercion, "_SLOT", "_not_there_any_more")
    arguments = ["--number=5", "--path=a", "--several=x"]

    assert outcome(arguments, quickly=True) == outcome(arguments, quickly=False)


@pytest.mark.parametrize(
    "arguments",
    [("ask", "-m", "echo", "-t", "0.5", "hi"), ("history", "list"), ("history", "list", "-n", "3"), ("models", "list")],
)
def test_no_command_loads_the_parsers_validation(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys, os; from streamchat.cli import exits, front; "
        "heavy = lambda: sorted({'typer._adapters', 'pydantic'} & set(sys.modules)); "
        "exits.leave = lambda code: (print(heavy(), flush=True), os._exit(0)); "
        f"front.run({list(arguments)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout.splitlines()[-1] == "[]"
