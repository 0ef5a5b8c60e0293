"""The manual page: what is kept is what the program would write now, and a formatter takes it without complaint."""

import re
import shutil
import subprocess
import tomllib

import pytest

from streamchat.cli.app import COMMANDS
from streamchat.cli.help import TOPICS
from streamchat.cli.manual import manual
from tests.conftest import ROOT

PAGE = ROOT / "streamchat" / "cli" / "streamchat.1"


def test_the_page_is_fresh() -> None:
    again = "write it again: python -m streamchat.cli.manual > streamchat/cli/streamchat.1"
    assert PAGE.read_text("utf-8") == manual(), again


def test_every_command_and_topic_has_its_part() -> None:
    page = manual().replace("\\-", "-")
    for name in (*COMMANDS, *TOPICS):
        assert re.search(rf"^\.SH (STREAMCHAT )?{re.escape(name.upper())}$", page, re.MULTILINE), name
    assert "--dry-run" in page


def test_the_page_goes_into_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"streamchat/cli/streamchat.1": "share/man/man1/streamchat.1"}


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_a_formatter_takes_it_without_a_word() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", str(PAGE)], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stderr == ""
