"""Completion: what is offered, and that the three shells really offer it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.program import run

BIN = Path(sys.executable).parent


@pytest.fixture(autouse=True)
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration with names to complete, and the program on the path."""
    file = tmp_path / "home" / ".config" / "streamchat" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(
        '[aliases]\nsay = "echo/echo"\n[profiles.brief]\nsystem = "Short."\n'
        '[providers.mine]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "qwen3:8b"\n'
    )
    cache = tmp_path / "home" / ".cache" / "streamchat"
    cache.mkdir(parents=True)
    (cache / "models.json").write_text('{"groq": {"provider": "groq", "models": [{"id": "maker/big"}]}}')
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")


def offered(*words: str) -> list[str]:
    done = run("completion", "--words", "--", *words)
    assert done.status == 0, done.err
    return [line.partition("\t")[0] for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["conf"], ["config"]),
        (["config", "s"], ["show", "set"]),
        (["ask", "--hide"], ["--hide-reasoning"]),
        (["ask", "-m", "sa"], ["say"]),
        (["ask", "-m", "groq/"], ["groq/maker/big"]),
        (["ask", "-m", "mine/"], ["mine/qwen3:8b"]),
        (["-m", "sa"], ["say"]),
        (["ask", "-P", ""], ["brief"]),
        (["ask", "--color", "n"], ["never"]),
        (["ask", "-o", ""], [":files"]),
        (["ask", "--help"], ["--help"]),
        (["config", "set", "aliases.s"], ["aliases.say"]),
        (["keys", "set", "anth"], ["anthropic"]),
        (["keys", "set", "e"], []),
        (["ask", "--color=a"], ["--color=auto", "--color=always"]),
        (["ask", "--profile="], ["--profile=brief"]),
        (["ask", "--nothing=a"], []),
        (["ask", "--raw="], []),
        (["completion", "f"], ["fish"]),
        (["help", "exit"], ["exit-codes"]),
        (["ask", "what is"], []),
    ],
)
def test_what_is_offered(words: list[str], expected: list[str]) -> None:
    assert offered(*words) == expected


def test_conversations_are_offered_by_name_and_by_id() -> None:
    run("ask", "-m", "echo", "-q", "--name", "tides", "How do tides work?")
    for words in (["history", "show", ""], ["history", "delete", ""], ["chat", "--resume", ""]):
        last, name, ident = offered(*words)
        assert (last, name) == ("@-1", "tides"), words
        assert len(ident) == 8
    assert offered("history", "show", "ti") == ["tides"]


def test_a_configuration_that_is_wrong_only_offers_less(tmp_path: Path) -> None:
    (tmp_path / "home" / ".config" / "streamchat" / "config.toml").write_text("[ui")
    assert offered("ask", "-m", "") == []
    assert offered("conf") == ["config"]


def test_an_unknown_shell_is_refused() -> None:
    assert run("completion", "tcsh").status == 2


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("streamchat con", ["config"]),
        ("streamchat ask -m sa", ["say"]),
        ("streamchat ask -m mine/qwen3:", ["8b"]),
        ("streamchat ask -m mine/qwen3:8", ["8b"]),
        ("streamchat ask --color=a", ["auto", "always"]),
        ("streamchat ask --color=", ["auto", "always", "never"]),
        ("streamchat keys ", ["set", "list", "rm", "test"]),
    ],
)
def test_bash_offers_it(line: str, expected: list[str], tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(run("completion", "bash").out)
    # As readline calls it: the words are cut at the characters of COMP_WORDBREAKS.
    words = [word for part in line.split(" ") for word in re.sub("([:=])", r" \1 ", part).rstrip().split(" ")]
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"""
        source {script}; COMP_LINE='{line}'; COMP_POINT={len(line)}; COMP_WORDS=({quoted})
        COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _streamchat; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split("\n")[:-1] == expected, done.stderr


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_offers_it(tmp_path: Path) -> None:
    script = tmp_path / "streamchat.fish"
    script.write_text(run("completion", "fish").out)
    code = f"source {script}; complete -C 'streamchat ask -m mine/'; complete -C 'streamchat ask -P '"
    done = subprocess.run(["fish", "--no-config", "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.splitlines() == ["mine/qwen3:8b\tits default", "brief"], done.stderr


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_it(tmp_path: Path) -> None:
    script = tmp_path / "_streamchat"
    script.write_text(run("completion", "zsh").out)
    shell = pexpect.spawn("zsh", ["-f", "-i"], timeout=20, encoding="utf-8", dimensions=(24, 80))
    try:
        shell.sendline("PS1='$ '; autoload -U compinit; compinit -u -D; source " + f"{script}; echo rea''dy")
        shell.expect_exact("ready")
        shell.send("streamchat ask -m mine/\t; echo =$?\r")
        shell.expect_exact("mine/qwen3:8b")
    finally:
        shell.close(force=True)
