"""Every example of the README and of the help topics is run, by a shell, with providers that need no network."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamchat.cli.help import TOPICS, topic
from tests.conftest import ROOT
from tests.program import Program

CONFIG = """
[defaults]
model = "replay/showcase"
[providers.replay]
options = {speed = 0}
[providers.openai]
kind = "echo"
[providers.anthropic]
kind = "echo"
[providers.groq]
kind = "echo"
[providers.ollama]
kind = "echo"
[providers.work]
kind = "openai"
[profiles.short]
system = "Answer in one sentence."
[aliases]
fast = "groq/llama"
"""
"""The providers that the examples name, each of which answers with what it was asked."""

NOT_RUN = {
    "local install": "fetches 93 MB",
    "streamchat serve": "serves until it is stopped",
    "keys test": "asks the vendor",
    "example.com": "is no real address",
}
"""Words of examples that cannot be run here, and why."""

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000050001a5f645400000000049454e44ae426082"
)


def examples(text: str) -> Iterator[str]:
    """The command lines in its indented or fenced blocks that call streamchat."""
    fenced = re.findall(r"^```(?:sh|console|bash)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(
        r"(?:^ {4}.*\n)+", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    for block in (*fenced, *indented):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            line = line.strip().removeprefix("$ ")
            if re.search(r"(^|[|;&] *|\w+=\S+ |until |\$\()streamchat( |$)", line):
                yield line


def all_examples() -> list[str]:
    texts = [(ROOT / "README.md").read_text("utf-8"), *map(topic, TOPICS)]
    found = dict.fromkeys(line for text in texts for line in examples(text))
    return [line for line in found if not any(words in line for words in NOT_RUN)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one conversation was kept."""
    home = tmp_path_factory.mktemp("kept")
    config = home / ".config" / "streamchat"
    config.mkdir(parents=True, mode=0o700)
    (config / "config.toml").write_text(CONFIG)
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    subprocess.run([sys.executable, "-m", "streamchat", "ask", "-q", "How do tides work?"], env=env, check=True,
                   capture_output=True, stdin=subprocess.DEVNULL, timeout=30)  # fmt: skip
    return home


@pytest.fixture
def place(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory under version control with something in it, that home, the program on the path, a keyring."""
    shutil.copytree(kept, tmp_path / "home", dirs_exist_ok=True)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.file_keyring.Keyring")
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "ring.json"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    git = ("git", "-c", "user.name=A Person", "-c", "user.email=person@example.com")
    Path("notes.md").write_text("One.\n")
    for command in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "First")):
        subprocess.run([*git, *command], check=True, capture_output=True, timeout=30)
    Path("notes.md").write_text("Two.\n")
    for name in set(re.findall(r"[\w-]+\.(?:png|jpg|md|txt|py|json|log|pdf)\b", "\n".join(all_examples()))):
        if not re.search(rf"(--save|-o|--output|>) *{re.escape(name)}", "\n".join(all_examples())):
            Path(name).write_bytes(PNG if name.endswith(("png", "jpg")) else b"{}\n")


@pytest.mark.parametrize("line", all_examples())
def test_the_example_works(line: str, place: None) -> None:
    if "jq " in line and shutil.which("jq") is None:
        line = line.partition("| jq")[0]
    shell = ("bash", "-o", "pipefail", "-c", line)
    if "streamchat keys" in line:  # an echo wants none
        (Path.home() / ".config" / "streamchat" / "config.toml").unlink()
    if re.search(r"streamchat chat|streamchat$", line):
        done = Program(terminal=(80, 24), stdin=b"/exit\r", command=shell).end(timeout=30)
        output = done.screen.decode("utf-8", "replace")
    else:
        stdin = b"sk-0123456789\n" if "keys set" in line else b""
        done = Program(stdin=stdin, command=shell).end(timeout=30)
        output = done.err
    assert done.status in (0, 141), f"{line}\n{output}"
    assert "error in streamchat" not in output


def test_the_examples_were_found() -> None:
    found = all_examples()
    assert len(found) > 20
    assert any("--format jsonl" in line for line in found)
    assert any(line.startswith("git diff") for line in found)


def test_the_readme_has_every_slash_command() -> None:
    from streamchat.repl.commands.registry import table

    assert table().strip() in (ROOT / "README.md").read_text("utf-8")
