"""What is compiled at every start: once is enough, and what comes of it is the same."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.compiled import OFF, _read, _write
from tests.program import run
from tests.wire.answers import chat_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

COUNTED = """
import builtins, dataclasses, os, re, sys
from streamchat.cli import exits
texts, patterns = [], []
def watch(event, args):
    if event == "compile" and args[1] == "<string>":
        texts.append(args[0])
sys.addaudithook(watch)
parse = re._parser.parse
re._parser.parse = lambda pattern, *rest: patterns.append(pattern) or parse(pattern, *rest)
def leave(code):
    sys.stdout.flush()
    os.write(2, f"compiled {len(texts)} {len(patterns)}\\n".encode())
    os._exit(code)
exits.leave = leave
sys.argv[0] = "streamchat"
from streamchat.__main__ import main
main()
"""
"""The program, which says at its end how many texts and patterns were compiled."""


Compiled = tuple[int, int]
"""How many texts and patterns were."""


def ask(server: Server, **environment: str) -> Compiled:
    server.play(stream(chat_answer(["Spring ", "tides."])))
    words = ("-c", COUNTED, "ask", "-m", "vllm/m", "--base-url", server.v1, "x")
    result = run(*words, command=(sys.executable,), env=environment)
    assert result.out == "Spring tides.\n", result
    texts, patterns = result.err.split()[-2:]
    return int(texts), int(patterns)


@pytest.fixture
def cache() -> Path:
    """The file of one test's processes, which is not there yet."""
    return Path(os.environ["XDG_CACHE_HOME"], "streamchat", "compiled")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, Path]:
    """What the first start of all compiles, and the file that it leaves."""
    place = tmp_path_factory.mktemp("cache")
    with Server() as server:
        return ask(server, XDG_CACHE_HOME=str(place), PYTHONDONTWRITEBYTECODE=""), place / "streamchat" / "compiled"


@pytest.fixture
def written(first: tuple[Compiled, Path], cache: Path) -> Path:
    """The file as the first start leaves it."""
    cache.parent.mkdir(parents=True)
    shutil.copy(first[1], cache)
    return cache


def test_the_second_start_compiles_next_to_nothing(server: Server, first: tuple[Compiled, Path], written: Path) -> None:
    """What is left was needed before it was known where to look."""
    second = ask(server)
    kept = written.read_bytes()

    assert first[0][0] > 300 and first[0][1] > 80
    assert second[0] < 40 and second[1] < 10
    assert ask(server) == second
    assert written.read_bytes() == kept


def test_only_its_owner_reads_it_and_nothing_lies_beside_it(first: tuple[Compiled, Path]) -> None:
    path = first[1]

    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert [other.name for other in path.parent.iterdir()] == ["compiled"]


def test_what_is_kept_is_what_python_makes_of_it(first: tuple[Compiled, Path]) -> None:
    kinds = dict.fromkeys(("eval", "exec", "passed on", "pattern"), 0)
    for (one, other), made in _read(first[1]).items():  # type: ignore[misc]
        if one in ("eval", "exec"):
            assert made == compile(other, "<string>", one, dont_inherit=True)
        elif one != "passed on":
            assert re._compiler._sre.compile(*made) == re.compile(one, other)  # type: ignore[attr-defined]
        kinds[one if one in kinds else "pattern"] += 1

    assert min(kinds.values()) > 0


def test_the_switch_turns_it_off(server: Server, cache: Path) -> None:
    assert ask(server, **{OFF: "1"})[0] > 300
    assert not cache.exists()


def test_python_that_is_to_write_no_bytecode_writes_none(server: Server, cache: Path) -> None:
    ask(server, PYTHONDONTWRITEBYTECODE="1")
    assert not cache.exists()


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def linked(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("elsewhere")))


def writable(path: Path) -> None:
    path.chmod(0o620)


def foreign(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(sys.version.encode(), sys.version.encode().upper(), 1))


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [damaged, cut, linked, writable, foreign, piped])
def test_a_file_that_is_not_ours_as_we_wrote_it_counts_for_nothing(
    server: Server, first: tuple[Compiled, Path], written: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(written)

    assert ask(server) == first[0]
    assert _read(written), "and is replaced"


def test_a_cache_that_cannot_be_written_costs_nothing_else(
    server: Server, first: tuple[Compiled, Path], cache: Path
) -> None:
    cache.parent.parent.mkdir(parents=True, exist_ok=True)
    cache.parent.write_text("in the way")

    assert ask(server) == first[0]


@pytest.mark.parametrize("call", ["open", "replace"])
def test_a_ctrl_c_while_it_is_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    done = getattr(os, call)

    def interrupted(*args: Any, **more: Any) -> None:
        done(*args, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, call, interrupted)
        with pytest.raises(KeyboardInterrupt):
            _write(tmp_path / "compiled", {"a": 1})

    assert not list(tmp_path.glob(".*"))


def test_what_is_no_modules_is_not_kept(cache: Path, tmp_path: Path) -> None:
    """A pattern of the configuration, compiled while the program runs."""
    table = tmp_path / "config.toml"
    table.write_text('[history]\nredact = ["my-secret-\\\\d+"]\n')

    run("ask", "--config", str(table), "-m", "echo/echo", "my-secret-7", fresh=True)

    assert _read(cache)
    assert b"my-secret" not in cache.read_bytes()


STANDARD = """
import collections, dataclasses, re, sys, typing
from pathlib import Path
from typing import Any
from streamchat.compiled import remember
kept = remember(Path(sys.argv[1]))
"""


def child(code: str, path: Path) -> str:
    done = subprocess.run([sys.executable, "-c", STANDARD + code, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_standard_library_works_as_ever(tmp_path: Path) -> None:
    """With what is kept, with what is not, and with what cannot be."""
    (tmp_path / "made.py").write_text(
        "import collections, dataclasses, re, typing\n"
        "Point = collections.namedtuple('Point', 'x y')\n"
        "@dataclasses.dataclass(frozen=True, order=True)\n"
        "class Line:\n    begin: 'Point'\n    end: 'Point' = Point(1, 2)\n"
        "class Table(typing.TypedDict):\n    line: 'Line | None'\n"
        "WORD = re.compile(r'(?P<word>\\w+)(?i:x)\\b', re.A | re.M)\nBYTES = re.compile(rb'[a-z]+$')\n"
    )
    code = f"""
sys.path.insert(0, {str(tmp_path)!r})
import made
line = made.Line(made.Point(0, y=1))
print(line, line < made.Line(made.Point(2, 2)), hash(line) == hash(made.Line(made.Point(0, 1))))
print(typing.get_type_hints(made.Table), made.Table.__annotations__)
print(made.WORD.search("one twoX").groupdict(), made.WORD.flags, made.BYTES.findall(b"x abc"))
for wrong in ("(", "a{{2,1}}"):
    try: re.compile(wrong)
    except re.error as exc: print(exc)
try: typing.ForwardRef("1 +")
except SyntaxError as exc: print(exc)
print(re.Scanner([("a", None)]).scan("a"))
x = 5
dataclasses.exec("y = x + 1")
dataclasses.exec(compile("y += 1", "here", "exec"))
print(y, collections.eval("x"), typing.compile("x", "here", "eval").co_filename)
kept.write()
"""
    path = tmp_path / "compiled"
    told = [child(code, path) for _ in range(2)]
    plain = child(code.replace("import made", "kept._known.clear(); import made"), path)

    assert told[0] == told[1] == plain
    assert len(_read(path)) >= 5


@given(st.binary(max_size=200))
def test_no_content_of_the_file_is_an_error(data: bytes) -> None:
    path = Path(os.environ["XDG_CACHE_HOME"], "any")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)

    assert _read(path) == {}


def test_a_file_of_many_releases_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "compiled"
    child("kept._known.update(dict.fromkeys(range(10_001)))\nkept._more = True\nkept.write()", path)

    assert _read(path) == {}
