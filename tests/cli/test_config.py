import json
import os
import signal
import stat
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamchat.cli.config import config_app
from streamchat.config.example import example
from streamchat.config.schema import SECTIONS
from streamchat.errors import ChatError, ConfigError, UsageError
from tests.program import Program, run


def config(*args: str) -> tuple[str, str]:
    """What `streamchat config ...` writes to stdout and to stderr; its errors are raised, as at the real edge."""
    result = CliRunner().invoke(config_app, args)
    if isinstance(result.exception, ChatError):
        result.exception.stdout = result.stdout  # type: ignore[attr-defined]  # for the tests of `check`
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the person's own configuration file is."""
    path = tmp_path / "home" / ".config" / "streamchat" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_show_is_toml_of_the_values_that_hold(file: Path) -> None:
    file.write_text('[defaults]\nmodel = "groq/x"\n[aliases]\nfast = "groq/y"\n[profiles.p]\ntemperature = 0.5')
    out, err = config("show")
    tables = tomllib.loads(out)
    assert err == ""
    assert tables["defaults"]["model"] == "groq/x"
    assert tables.keys() == {*SECTIONS, "providers", "profiles", "aliases"}
    assert tables["profiles"]["p"] == {"temperature": 0.5}
    assert tables["aliases"] == {"fast": "groq/y"}
    assert config() == (out, err), "bare `config` is `config show`"


def test_show_origin_says_where_each_value_is_from(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[defaults]\nmodel = "groq/x"\n[profiles.p]\ntemperature = 0.5')
    monkeypatch.setenv("STREAMCHAT_RETRIES", "7")
    lines = config("show", "--origin", "-P", "p")[0].splitlines()
    assert f'model = "groq/x"  # {file}' in lines
    assert "retries = 7  # STREAMCHAT_RETRIES" in lines
    assert f"temperature = 0.5  # profile p ({file})" in lines
    assert 'color = "auto"  # built in' in lines


def test_show_json_is_the_same_with_origins(file: Path) -> None:
    file.write_text('[ui]\ncolor = "never"')
    shown = json.loads(config("show", "--json")[0])
    assert shown["settings"]["ui.color"] == {"value": "never", "origin": str(file)}
    assert shown["settings"]["defaults.temperature"] == {"value": None, "origin": "built in"}
    assert shown["keys"]["groq"] == {"variable": "GROQ_API_KEY", "set": False, "origin": ""}


@pytest.mark.parametrize("args", [["show"], ["show", "--origin"], ["show", "--json"], ["get", "providers.mine.headers"],
                                  ["get", "providers.mine.base_url"], ["get", "proxy"], ["check"]])  # fmt: skip
def test_no_command_ever_writes_a_secret(args: list[str], file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://u:secret-2@host/v1")
    (file.parent / ".env").write_text("GROQ_API_KEY=secret-3\nANTHROPIC_BASE_URL=http://h/?token=secret-4\n")
    Path(".env").write_text("XAI_API_KEY=secret-5\n")
    file.write_text(
        '[defaults]\nproxy = "http://u:secret-6@proxy:1"\n[providers.mine]\nkind = "openai"\n'
        'base_url = "https://secret-7@h/v1"\nheaders = {X-Key = "secret-8"}'
    )
    out, err = config(*args)
    assert "secret" not in out + err
    assert out
    if args == ["show"]:
        assert "# key: OPENAI_API_KEY is set" in out
        assert f"# key: GROQ_API_KEY ({file.parent / '.env'}) is set" in out
        assert "# key: MISTRAL_API_KEY is not set" in out
        assert 'proxy = "http://proxy:1"' in out
        assert 'headers = {X-Key = "(hidden)"}' in out


def test_what_the_directory_changes_is_said_on_stderr() -> None:
    Path(".streamchat.toml").write_text('model = "groq/x"\nbase_url = "http://evil"')
    out, err = config("get", "model")
    assert out == "groq/x\n"
    assert err.splitlines() == [
        "streamchat: .streamchat.toml may only set model, system, temperature, max_tokens, think; ignored: base_url",
        "streamchat: .streamchat.toml in the current directory sets model",
    ]


def test_get_prints_one_value(file: Path) -> None:
    file.write_text('[defaults]\nsystem = """two\nlines"""\n[aliases]\nfast = "groq/y"')
    assert config("get", "system")[0] == "two\nlines\n"
    assert config("get", "defaults.retries")[0] == "2\n"
    assert config("get", "stream")[0] == "true\n"
    assert config("get", "temperature")[0] == ""
    assert config("get", "aliases.fast")[0] == "groq/y\n"
    assert config("get", "providers.ollama.base_url")[0] == "http://127.0.0.1:11434/v1\n"
    with pytest.raises(UsageError, match="no setting `modle`") as error:
        config("get", "modle")
    assert error.value.hint == "did you mean model?"


def test_nothing_that_is_shown_can_work_on_the_terminal() -> None:
    Path(".streamchat.toml").write_text('system = "a\\u001b]0;x\\u0007b\\u202e"')
    for args in (["show"], ["show", "--json"], ["get", "system"]):
        assert all(line.isprintable() for line in config(*args)[0].splitlines())


def test_path(file: Path, tmp_path: Path) -> None:
    assert config("path")[0] == f"{file}\n"
    assert config("path", "--config", "other.toml")[0] == "other.toml\n"
    home = tmp_path / "home"
    assert config("path", "--all")[0].split() == [
        "config", str(file), "data", f"{home}/.local/share/streamchat",
        "state", f"{home}/.local/state/streamchat", "cache", f"{home}/.cache/streamchat",
    ]  # fmt: skip


def test_check_says_everything_that_is_wrong(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[defaults]\nmodle = "x"\nretries = "many"\n[ui]\nwidth = -1')
    monkeypatch.setenv("STREAMCHAT_IDLE_TIMEOUT", "soon")
    with pytest.raises(ConfigError, match="4 problems in the configuration") as error:
        config("check")
    lines = error.value.stdout.splitlines()  # type: ignore[attr-defined]
    assert [line.partition(": ")[0] for line in lines] == [
        f"{file}:2:1",
        f"{file}:3:1",
        f"{file}:5:1",
        "STREAMCHAT_IDLE_TIMEOUT",
    ]
    assert lines[0].endswith("[defaults] has no setting `modle`; did you mean `model`?")


def test_check_of_a_configuration_that_is_right(file: Path) -> None:
    assert config("check")[0] == "no configuration file, and no problem\n"
    file.write_text('[defaults]\nmodel = "groq/x"')
    assert config("check")[0] == f"{file}: no problem\n"


@pytest.mark.parametrize("text", ["[ui", '[defaults]\nsystem = "@none.md"', '[defaults]\nmodel = "opnai/x"'])
def test_check_finds_what_only_shows_in_use(text: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(UsageError):
        config("check")


def test_init_writes_the_example_and_changes_nothing(file: Path, tmp_path: Path) -> None:
    before = config("show", "--json")
    assert config("init")[0] == f"{file}\n"
    assert file.read_text() == example()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert config("show", "--json") == before
    assert config("check")[0] == f"{file}: no problem\n"
    other = tmp_path / "new" / "deep" / "c.toml"
    config("init", "--config", str(other))
    assert stat.S_IMODE(other.parent.stat().st_mode) == 0o700


def test_init_never_writes_over_a_file_unasked(file: Path, tmp_path: Path) -> None:
    file.write_text("# mine")
    with pytest.raises(UsageError, match="exists already") as error:
        config("init")
    assert error.value.hint is not None
    assert "--force" in error.value.hint
    assert file.read_text() == "# mine"
    config("init", "--force")
    assert file.read_text() == example()
    dangling = tmp_path / "dangling.toml"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="exists already"):
        config("init", "--config", str(dangling))


def test_init_where_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        config("init", "--config", os.fspath(tmp_path / "plain" / "below" / "config.toml"))


def test_the_real_program_answers_on_stdout_and_complains_on_stderr(file: Path) -> None:
    file.write_text("[defaults]\nmodle = 1")
    checked = run("config", "check")
    assert checked.status == 2
    assert checked.out == f"{file}:2:1: [defaults] has no setting `modle`; did you mean `model`?\n"
    assert checked.err.startswith("streamchat: 1 problem in the configuration")
    shown = run("config", "show", "-P", "none", env={"STREAMCHAT_CONFIG": os.devnull})
    assert (shown.status, shown.out) == (2, "")
    assert "there is no profile `none`" in shown.err


def test_the_help_of_every_command_fits_a_screen() -> None:
    for command in ([], ["show"], ["get"], ["path"], ["check"], ["init"]):
        shown = run("config", *command, "--help", env={"COLUMNS": "80"})
        assert shown.status == 0
        assert len(shown.out.splitlines()) <= 24


def test_set_and_unset_by_the_real_program(file: Path) -> None:
    done = run("config", "set", "model", "echo")
    assert (done.status, done.out, file.read_text()) == (0, "", '[defaults]\nmodel = "echo"\n')
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("config", "get", "model").out == "echo\n"
    refused = run("config", "set", "model", "opnai/x")
    assert refused.status == 2
    assert "did you mean openai" in refused.err
    assert run("config", "unset", "model").status == 0
    assert file.read_text() == "[defaults]\n"
    assert run("config", "unset", "model").status == 2


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("nope.x", "see them all: streamchat config show"),
        ("providers.w.base_ulr", "did you mean providers.w.base_url"),
        ("widht", "did you mean ui.width?"),
    ],
)
def test_only_what_could_be_set_is_proposed(name: str, advice: str) -> None:
    refused = run("config", "set", name, "1")

    assert (refused.status, advice in refused.err) == (2, True), refused.err


def test_set_makes_the_file_from_nothing_and_says_no_secret(tmp_path: Path) -> None:
    other = tmp_path / "deep" / "er" / "config.toml"
    done = run("config", "set", "--config", str(other), "providers.openai.headers.X-Key", "secret-1")
    assert done.status == 0
    assert "secret-1" not in done.out + done.err
    assert stat.S_IMODE(other.parent.stat().st_mode) == 0o700


def test_edit_writes_what_is_right_and_keeps_what_is_not(file: Path) -> None:
    begun = run("config", "edit", env={"EDITOR": "sed -i s/^#width.*/width=99/"})
    assert begun.status == 0
    assert file.read_text() == example().replace("#width = 0", "width=99")
    wrong = run("config", "edit", env={"VISUAL": "sed -i s/^width.*/widht=9/", "EDITOR": "false"})
    assert wrong.status == 2
    assert "did you mean `width`?" in wrong.err
    kept = Path(wrong.err.rpartition("kept: ")[2].strip())
    assert "widht=9" in kept.read_text()
    assert "width=99" in file.read_text()
    assert run("config", "edit", env={"EDITOR": "true"}).err == "nothing was changed\n"
    failed = run("config", "edit", env={"EDITOR": "false"})
    assert (failed.status, "the editor ended with 1" in failed.err) == (2, True)
    assert [path.name for path in file.parent.iterdir() if path.suffix == ".toml"].count(file.name) == 1


def test_ctrl_c_at_the_question_whether_to_edit_again_says_where_the_text_is(file: Path) -> None:
    file.write_text("[ui]\nwidth = 1\n")
    with Program("config", "edit", terminal=(200, 24), env={"EDITOR": "sed -i s/1/bad/"}) as program:
        program.wait_for(b"Edit again? [Y/n] ")
        program.press(b"\x03")
        stopped = program.end()

    (draft,) = file.parent.glob(".*.toml")
    assert draft.read_text() == "[ui]\nwidth = bad\n" and file.read_text() == "[ui]\nwidth = 1\n"
    assert f"streamchat: your text is kept: {draft}".encode() in stopped.screen
    assert stopped.status == -signal.SIGINT


def test_edit_on_a_terminal_asks_to_edit_again(file: Path) -> None:
    file.write_text("[ui]\nwidth = 1\n")
    script = file.parent / "editor"
    script.write_text('#!/bin/sh\ncase $(cat "$1") in *bad*) sed -i s/bad/9/ "$1";; *) sed -i s/1/bad/ "$1";; esac\n')
    script.chmod(0o700)
    done = run("config", "edit", terminal=(80, 24), stdin=b"\n", env={"EDITOR": str(script)})
    assert done.status == 0, done.screen
    assert b"Edit again?" in done.screen
    assert file.read_text() == "[ui]\nwidth = 9\n"
