"""What every test has: a clean environment, and on demand the loopback server and the real program."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.forks import begin_with
from tests.wire.server import Server

ROOT = Path(__file__).parent.parent

_DATABASE = DirectoryBasedExampleDatabase(ROOT / ".hypothesis" / "examples")
settings.register_profile("default", max_examples=50, deadline=None, database=_DATABASE)
settings.register_profile("ci", max_examples=500, deadline=None, database=_DATABASE, print_blob=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None, database=_DATABASE, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

FOREIGN = re.compile(
    r"STREAMCHAT_|XDG_|OPENAI_|ANTHROPIC_|.*_API_KEY$|.*_BASE_URL$|.*_AUTH_TOKEN$|OLLAMA_|LC_|LANG(UAGE)?$"
    r"|(HTTPS?|ALL|NO|FTP)_PROXY$|SSL_CERT_|REQUESTS_CA_BUNDLE$|NO_COLOR$|(CLI|FORCE_)COLOR|TTY_|COLORTERM$"
    r"|COLUMNS$|LINES$|PAGER$|VISUAL$|EDITOR$|PYTHON(UTF8|IOENCODING|WARNINGS|UNBUFFERED|ASYNCIODEBUG|DONTWRITEBYTECODE)",
    re.IGNORECASE,
)
"""The variables of the person who runs the tests that could change what they see, or how long it takes."""

sys.dont_write_bytecode = False  # what pytest makes of the tests is a third of the time in which they are found


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One place for the tests that have no `tmp_path`: three directories for each of them cost more than the tests."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home, an empty current directory, no keys, no settings, no proxy, a known terminal and locale.

    They are `home` and `here` in the `tmp_path` of a test that has one.
    """
    for name in os.environ:
        if FOREIGN.match(name):
            monkeypatch.delenv(name)
    place: Path = request.getfixturevalue("tmp_path" if "tmp_path" in request.fixturenames else "scratch")
    home, here = _empty(place / "home"), _empty(place / "here")
    monkeypatch.setenv("HOME", str(home))
    for name, folder in (
        ("CONFIG", ".config"),
        ("DATA", ".local/share"),
        ("STATE", ".local/state"),
        ("CACHE", ".cache"),
    ):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / folder))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORFGBG", "15;0")
    monkeypatch.setenv("LANG", "C.UTF-8")
    begin_with(os.environ)
    monkeypatch.chdir(here)


def _empty(folder: Path) -> Path:
    """The folder as it was made: nothing in it, whatever the test before has left."""
    folder.mkdir(exist_ok=True)
    if any(folder.iterdir()):
        shutil.rmtree(folder)
        folder.mkdir()
    return folder


@pytest.fixture
def server() -> Iterator[Server]:
    """A server without a plan yet: `server.play(...)`."""
    with Server() as started:
        yield started


@pytest.fixture
def other_server() -> Iterator[Server]:
    """A second origin."""
    with Server() as started:
        yield started
