import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import NODEFAULT, json, structs

from streamchat.chat import Options
from streamchat.config import change, check, load, resolve
from streamchat.config.checks import problems
from streamchat.config.environment import Variables
from streamchat.config.example import example, explanations, toml
from streamchat.config.file import ConfigFile, parse_config
from streamchat.config.known import KNOWN
from streamchat.config.layers import KINDS, VARIABLES, variable_of
from streamchat.config.nearby import PROJECT_SETTINGS, Nearby
from streamchat.config.schema import SECTIONS, TABLES, Profile
from streamchat.config.settings import Settings
from streamchat.config.sources import Sources, config_path, read_sources
from streamchat.errors import ConfigError, UsageError
from streamchat.paths import files

FILE = Path("/etc/streamchat/config.toml")
ROOT = Path(__file__).parent.parent


def settings(text: str = "", environ: dict[str, str] | None = None, **more: Any) -> Settings:
    """Settings of a configuration's text and an environment, without a disk."""
    return resolve(Sources(file=parse_config(FILE, text), variables=Variables(("", environ or {})), **more))


def wrong(text: str) -> list[str]:
    """What is wrong with a configuration's text."""
    return [str(problem).removeprefix(f"{FILE}:") for problem in problems(parse_config(FILE, text))]


def uncommented() -> dict[str, Any]:
    """The example with every setting in force."""
    return tomllib.loads(re.sub(r"(?m)^#(?=[^ \n])", "", example()))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The person's own configuration directory."""
    return tmp_path / "home" / ".config" / "streamchat"


# --- the order of settings -------------------------------------------------------------------------------------------

PLACES: dict[str, tuple[str, str]] = {
    "flag": ("flag --temperature", "0.1"),
    "-P": (f"profile picked ({FILE})", "0.2"),
    "resumed": ("resumed conversation", "0.3"),
    "variable": ("STREAMCHAT_TEMPERATURE", "0.4"),
    "default profile": (f"profile usual ({FILE})", "0.5"),
    "project": ("/project/.streamchat.toml", "0.6"),
    "file": (str(FILE), "0.7"),
}
"""Where a temperature can stand, strongest first, each with the words for it and a value of its own."""


def temperature_from(places: set[str]) -> Settings:
    """Settings where exactly these places set the temperature."""

    def table(name: str, head: str, rest: str = "") -> str:
        return f"[{head}]\n{rest}\n" + (f"temperature = {PLACES[name][1]}\n" if name in places else "")

    # A -P profile takes the default one's place, so a run has one or the other.
    picked = "-P" in places
    value = {name: float(number) for name, (_, number) in PLACES.items()}
    return settings(
        table("file", "defaults", 'profile = "usual"')
        + table("-P", "profiles.picked")
        + table("default profile", "profiles.usual"),
        {"STREAMCHAT_TEMPERATURE": PLACES["variable"][1]} if "variable" in places else {},
        flags={"temperature": value["flag"] if "flag" in places else None},
        profile="picked" if picked else None,
        resumed={"temperature": value["resumed"]} if "resumed" in places else {},
        nearby=Nearby(Path("/project"), project={"temperature": value["project"]} if "project" in places else {}),
    )


@given(st.sets(st.sampled_from(sorted(PLACES))))
def test_the_strongest_place_wins_and_is_named(places: set[str]) -> None:
    found = temperature_from(places)
    standing = [name for name in PLACES if name in places and not (name == "default profile" and "-P" in places)]
    if not standing:
        assert (found.defaults.temperature, found.origin("defaults.temperature")) == (None, "built in")
        return
    words, number = PLACES[standing[0]]
    assert (found.defaults.temperature, found.origin("defaults.temperature")) == (float(number), words)


def test_the_shared_variables_are_weaker_than_the_file() -> None:
    assert settings("", {"NO_COLOR": "1"}).ui.color == "never"
    assert settings("", {"FORCE_COLOR": "1"}).ui.color == "always"
    assert settings("", {"FORCE_COLOR": "0"}).ui.color == "auto"
    assert settings("", {"NO_COLOR": "0"}).ui.color == "never", "the standard: any value but the empty one"
    assert settings("", {"ACCESSIBLE": "1"}).ui.accessible
    assert settings('[ui]\ncolor = "always"', {"NO_COLOR": "1"}).ui.color == "always"
    assert settings("", {"NO_COLOR": "1"}).origin("ui.color") == "NO_COLOR"


def test_an_empty_variable_is_not_set() -> None:
    assert settings('[defaults]\nmodel = "echo/x"', {"STREAMCHAT_MODEL": ""}).origin("defaults.model") == str(FILE)


def test_an_empty_flag_takes_a_weaker_value_away() -> None:
    text = '[defaults]\nsystem = "be short"\nprofile = "p"\n[profiles.p]\nmodel = "echo/x"'
    assert settings(text, flags={"system": ""}).defaults.system == ""
    assert settings(text, profile="").defaults.model == ""
    assert settings(text).defaults.model == "echo/x"


def test_each_setting_can_stand_in_a_variable() -> None:
    tables = uncommented()
    named = {"defaults.profile": "work", "defaults.provider": "echo", "defaults.proxy": "http://p"}
    for variable, setting in VARIABLES.items():
        section, _, name = setting.partition(".")
        value = named.get(setting, tables[section][name])
        value = "x7" if value == "" else value
        found = settings("[profiles.work]", {variable: str(value).lower()})
        assert found.origin(setting) == variable
        assert str(getattr(getattr(found, section), name)).lower() == str(value).lower()
    assert VARIABLES["STREAMCHAT_UI_COLOR"] == "ui.color"
    assert VARIABLES.keys() == {
        variable_of(setting) for setting, kind in KINDS.items() if get_origin(kind) is not tuple
    }


def test_a_bad_variable_and_a_bad_flag_name_themselves() -> None:
    with pytest.raises(ConfigError, match=r"STREAMCHAT_IDLE_TIMEOUT: expected a number above 0.* found `soon`"):
        settings("", {"STREAMCHAT_IDLE_TIMEOUT": "soon"})
    with pytest.raises(UsageError, match="--max-tokens: expected a whole number of 1 or more, found `0`"):
        settings(flags={"max_tokens": "0"})
    with pytest.raises(UsageError, match="--base-url: expected an http"):
        settings(flags={"base_url": "ftp://x"})


def test_think_is_a_word_or_a_number() -> None:
    assert settings(flags={"think": "2048"}).options() == Options(think=2048)
    assert settings(flags={"think": "low"}).options() == Options(think="low")
    with pytest.raises(UsageError, match="--think: expected off, low, medium, high or a whole number"):
        settings(flags={"think": "deep"})


def test_a_resumed_conversation_never_stops_on_a_value_that_no_longer_fits() -> None:
    found = settings(resumed={"model": "echo/x", "temperature": "hot", "mood": "good", "system": "@not-a-file"})
    assert found.target() == ("echo", "x")
    assert found.defaults.system == "@not-a-file"
    assert len(found.notices) == 2


def test_change_keeps_what_was_read_and_adds_to_it() -> None:
    before = settings('[profiles.p]\ntemperature = 1.0\n[defaults]\nmodel = "echo/a"', flags={"max_tokens": 5})
    after = change(before, flags={"model": "echo/b"}, profile="p", resumed={"think": "low"})
    assert after.options() == Options(1.0, 5, "low")
    assert after.target() == ("echo", "b")
    assert before.target() == ("echo", "a")


def test_a_profile_sets_the_reasoning_of_the_ui() -> None:
    assert settings('[profiles.p]\nreasoning = "show"', profile="p").ui.reasoning == "show"


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="no profile `wrok`") as error:
        settings("[profiles.work]", profile="wrok")
    assert error.value.hint == "did you mean work?"


def test_time_out_and_retries_of_a_provider() -> None:
    text = "[defaults]\nidle_timeout = 50\nretries = 1\n[providers.groq]\nidle_timeout = 9\nretries = 0"
    assert (settings(text).idle_timeout("groq"), settings(text).retries("groq")) == (9, 0)
    assert (settings(text).idle_timeout("ollama"), settings(text).retries("ollama")) == (50, 1)
    flagged = settings(text, {"STREAMCHAT_RETRIES": "4"}, flags={"idle_timeout": 3})
    assert (flagged.idle_timeout("groq"), flagged.retries("groq")) == (3, 4)


# --- provider and model ----------------------------------------------------------------------------------------------

ALIASES = '[aliases]\nfast = "groq/llama"\nplain = "some-model"\n'


@pytest.mark.parametrize(
    ("flags", "text", "expected"),
    [
        ({}, "", (None, None)),
        ({"model": "openai/gpt"}, "", ("openai", "gpt")),
        ({"model": "openai:gpt"}, "", ("openai", "gpt")),
        ({"model": "openrouter/openai/gpt"}, "", ("openrouter", "openai/gpt")),
        ({"model": "ollama/llama3:8b"}, "", ("ollama", "llama3:8b")),
        ({"model": "llama3:8b"}, "", (None, "llama3:8b")),
        ({"model": "meta-llama/Llama-3"}, "", (None, "meta-llama/Llama-3")),
        ({"model": "mistralai/Mistral-7B"}, "", (None, "mistralai/Mistral-7B")),
        ({"model": "echo"}, "", ("echo", None)),
        ({"model": "fast"}, ALIASES, ("groq", "llama")),
        ({"model": "plain"}, ALIASES, (None, "some-model")),
        ({"model": "/models/a.gguf"}, "", (None, "/models/a.gguf")),
        # named beside the model: it is an id, slashes and all
        ({"provider": "groq", "model": "openai/gpt-oss"}, "", ("groq", "openai/gpt-oss")),
        ({"provider": "groq", "model": "groq/llama"}, "", ("groq", "llama")),
        ({"provider": "groq", "model": "fast"}, ALIASES, ("groq", "llama")),
        ({}, '[defaults]\nprovider = "openrouter"\nmodel = "openai/gpt"', ("openrouter", "openai/gpt")),
        # named further down: where a bare id belongs
        ({"model": "llama"}, '[defaults]\nprovider = "ollama"', ("ollama", "llama")),
        ({"model": "x-ai/grok"}, '[defaults]\nprovider = "openrouter"', ("openrouter", "x-ai/grok")),
        ({"model": "openai/gpt"}, '[defaults]\nprovider = "ollama"', ("openai", "gpt")),
        # named further up: the model goes with it only if it was not another's
        ({"provider": "groq"}, '[defaults]\nmodel = "openai/gpt"', ("groq", None)),
        ({"provider": "openai"}, '[defaults]\nmodel = "openai/gpt"', ("openai", "gpt")),
        ({"provider": "groq"}, '[defaults]\nmodel = "gpt"', ("groq", "gpt")),
        ({"provider": "groq"}, '[defaults]\nprovider = "ollama"\nmodel = "llama"', ("groq", None)),
        # a provider's own model where nothing else is said
        ({"provider": "groq"}, '[providers.groq]\nmodel = "own"', ("groq", "own")),
        ({"model": "groq"}, '[providers.groq]\nmodel = "own"', ("groq", "own")),
        ({"provider": ""}, '[defaults]\nprovider = "ollama"', (None, None)),
    ],
)
def test_target(flags: dict[str, str], text: str, expected: tuple[str | None, str | None]) -> None:
    assert settings(text, flags=flags).target() == expected


def test_one_more_model_counts_as_a_flag() -> None:
    assert settings('[defaults]\nmodel = "echo/a"').target("groq/b") == ("groq", "b")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"model": "opnai/gpt"}, "no provider `opnai`; did you mean openai"),
        ({"provider": "anthropc"}, "no provider `anthropc`"),
        ({"model": "openai/"}, "no model"),
        ({"model": "fast", "provider": "openai"}, "alias `fast` is a model of groq"),
    ],
)
def test_a_target_that_is_none(flags: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        settings(ALIASES, flags=flags).target()


def test_an_unknown_provider_names_the_nearest() -> None:
    with pytest.raises(UsageError) as error:
        settings().provider("grok")
    assert error.value.hint is not None
    assert "groq" in error.value.hint


# --- providers, addresses and keys -----------------------------------------------------------------------------------


def test_a_table_changes_a_known_provider_field_by_field() -> None:
    found = settings('[providers.groq]\nmodel = "m"')
    assert found.provider("groq").base_url == KNOWN["groq"]["base_url"]
    assert found.provider("groq").model == "m"
    assert found.origin("providers.groq.model") == str(FILE)
    assert found.origin("providers.groq.base_url") == "built in"


def test_another_kind_under_a_known_name_inherits_neither_address_nor_key() -> None:
    table = settings('[providers.groq]\nkind = "anthropic"').provider("groq")
    assert (table.base_url, table.api_key_env) == ("https://api.anthropic.com", "")


def test_every_provider_over_the_network_has_an_address() -> None:
    found = settings('[providers.second]\nkind = "openai"\napi_key_env = "SECOND_KEY"\n[providers.groq]\nbase_url = ""')
    for name, table in found.providers.items():
        assert bool(table.base_url) == (table.kind in ("openai", "anthropic")), name
    assert found.provider("second").base_url == "https://api.openai.com/v1"
    assert found.provider("groq").base_url == KNOWN["groq"]["base_url"], "an emptied address is no other vendor's"


def test_the_vendors_variables_move_these_two_only() -> None:
    text = '[providers.second]\nkind = "openai"\n'
    found = settings(text, {"OPENAI_BASE_URL": "http://here/v1"})
    assert found.provider("openai").base_url == "http://here/v1"
    assert found.origin("providers.openai.base_url") == "OPENAI_BASE_URL"
    assert {found.provider(name).base_url for name in ("second", "groq", "anthropic")}.isdisjoint({"http://here/v1"})
    own = settings('[providers.openai]\nbase_url = "http://mine/v1"', {"OPENAI_BASE_URL": "http://here/v1"})
    assert own.provider("openai").base_url == "http://mine/v1"
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL: expected an http"):
        settings("", {"OPENAI_BASE_URL": "here"})


def test_an_address_by_flag_is_the_asked_providers_only() -> None:
    found = settings(flags={"base_url": "http://here/v1", "model": "groq/m"})
    assert found.provider("groq").base_url == "http://here/v1"
    assert found.provider("openai").base_url == KNOWN["openai"]["base_url"]


def test_keys_are_looked_up_and_never_part_of_what_is_seen() -> None:
    environ = {"OPENAI_API_KEY": " sk-secret-1\n", "GROQ_API_KEY": "", "HTTPS_PROXY": "http://u:sk-secret-2@p"}
    headers = '[providers.openai]\nheaders = {Authorization = "sk-secret-3"}\nbase_url = "http://u:sk-secret-4@h"'
    found = settings(headers, environ, nearby=Nearby(Path("/project"), {"XAI_API_KEY": "sk-secret-5"}))
    assert found.api_key("openai") == "sk-secret-1"
    assert found.key_origin("openai") == "OPENAI_API_KEY"
    assert (found.api_key("groq"), found.key_origin("groq")) == (None, "")
    assert found.api_key("xai") == "sk-secret-5"
    assert (found.api_key("ollama"), found.api_key("echo")) == (None, None)
    seen = [
        repr(found),
        str(found),
        f"{found.providers}",
        f"{found.sources}",
        f"{found.variables}",
        f"{found.nearby_keys}",
    ]
    seen += [repr(getattr(found, name)) for name in found.__struct_fields__]
    assert not [text for text in seen if "secret" in text]
    with pytest.raises(TypeError):
        json.encode(found)


def test_ready_counts_only_what_is_the_persons_own() -> None:
    environ = {"GROQ_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://here"}
    found = settings("", environ, nearby=Nearby(Path("/project"), {"OPENAI_API_KEY": "stranger"}))
    assert found.ready() == ("anthropic", "groq")
    assert found.api_key("openai") == "stranger"


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('\n[defaults]\nmodle = "x"', "3:1: [defaults] has no setting `modle`; did you mean `model`?"),
        ("[defalts]", "1:2: there is no section `defalts`; did you mean `defaults`?"),
        ('retries = 1\n[ui]', "1:1: `retries` stands in no section; write it below [defaults]"),
        ('model = "x"', "1:1: `model` stands in no section; write it below [defaults] or [local]"),
        ("[defaults]\nkeymap = 1", "2:1: [defaults] has no setting `keymap`; it stands in [ui]"),
        ("defaults.modle = 1", "1:1: [defaults] has no setting `modle`; did you mean `model`?"),
        ("[ui]\n  width = -1", "2:3: `ui.width`: expected a whole number of 0 or more, at most 10000, found -1"),
        ("[ui]\nfooter = 1", "2:1: `ui.footer`: expected true or false, found 1"),
        ('[ui]\ncolor = "red"', "2:1: `ui.color`: expected auto, always, never, found `red`"),
        ("[defaults]\ntemperature = nan",
         "2:1: `defaults.temperature`: expected a number of 0 or more, at most 2, found nan"),
        ("[defaults]\nidle_timeout = 1979-05-27",
         "2:1: `defaults.idle_timeout`: expected a number above 0, at most 86400, found a date or time"),
        ("defaults = 3", "1:1: `defaults` is a table: [defaults]"),
        ("providers = 3", "1:1: `providers` holds tables: [providers.NAME]"),
        ("[providers]\ngroq = 3", "2:1: `providers.groq` is a table: [providers.groq]"),
        ("[providers.mine]", "1:2: [providers.mine] needs its `kind`; most servers are kind = \"openai\""),
        ("[providers.grok]", "1:2: [providers.grok] needs its `kind`; did you mean [providers.groq]?"),
        ('[providers."a/b"]\nkind = "echo"', "1:2: `providers.a/b`: a name is letters, digits, `.`, `_` and `-`"),
        ('[providers.groq]\napi_key = "x"',
         "2:1: [providers.groq] has no setting `api_key`; did you mean `api_key_env`?"),
        ('[providers.groq]\nbase_url = "groq.com"',
         "2:1: `providers.groq.base_url`: expected an http:// or https:// address"),
        ('[defaults]\nproxy = "ftp://x"', "2:1: `defaults.proxy`: expected an http://, https:// or socks5:// address"),
        ('[defaults]\nprofile = "wrok"\n[profiles.work]',
         "2:1: `defaults.profile`: there is no profile `wrok`; did you mean `work`?"),
        ('[profiles.work]\nprovider = "grok"',
         "2:1: `profiles.work.provider`: there is no provider `grok`; did you mean `groq`?"),
        ("[profiles.work]\nprofile = 1", "2:1: [profiles.work] has no setting `profile`"),
        ("[aliases]\nfast = 1", "2:1: `aliases.fast`: expected a text in quotes, found 1"),
        ('[aliases]\nfast = "opnai/x"', "2:1: `aliases.fast`: there is no provider `opnai`; did you mean openai?"),
        ('[history]\nredact = ["["]', "2:1: `history.redact`: `[` is not a regular expression"),
        ('[history]\nredact = "x"', "2:1: `history.redact`: expected a list of texts, found `x`"),
        ('"de\\u001bfaults" = 1', "1:1: there is no section `de\N{REPLACEMENT CHARACTER}faults`; did you mean"),
    ],
)  # fmt: skip
def test_a_problem_says_where_what_and_the_nearest(text: str, expected: str) -> None:
    (found,) = wrong(text)
    assert found.startswith(expected)


def test_every_problem_is_found_and_the_first_one_is_raised() -> None:
    text = '[ui]\ncolour = 1\nwidth = "x"\n[defaults]\nmodle = 1'
    assert [line.partition(": ")[0] for line in wrong(text)] == ["2:1", "3:1", "5:1"]
    with pytest.raises(ConfigError, match=r"2:1: .* has no setting `colour`; did you mean `color`") as error:
        settings(text)
    assert error.value.hint is not None
    assert "streamchat config check" in error.value.hint


def test_a_line_inside_a_text_of_many_lines_is_not_taken_for_a_setting() -> None:
    assert wrong('[defaults]\nsystem = """\n[ui]\ncolor = 3\n"""\n[ui]\ncolor = 3')[0].startswith("7:1")


def test_a_key_in_the_wrong_place_is_never_repeated() -> None:
    for value in ("gsk_secretsecret", "sk-secret-secret", "AIzaSecretSecret"):
        (found,) = wrong(f'[providers.groq]\napi_key_env = "{value}"')
        assert value not in found
        assert "NAME" in found
    (found,) = wrong('[providers.groq]\nheaders = "sk-secretSecret"')
    assert "secret" not in found


def test_toml_that_is_none_says_where() -> None:
    with pytest.raises(ConfigError, match=r"config.toml:2:5: this is not TOML"):
        parse_config(FILE, "[ui]\na = \n")
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse_config(FILE, "a = " + "[" * 100_000)


@given(st.dictionaries(st.sampled_from([*SECTIONS, *TABLES, "aliases", "x"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["model", "kind", "redact", "groq", "\x1b"]), inner)
)))  # fmt: skip
def test_whatever_the_tables_hold_is_settings_or_a_config_error(tables: dict[str, Any]) -> None:
    file = ConfigFile(FILE, "", tables)
    found = [str(problem) for problem in problems(file)]
    assert all(line.isprintable() for line in found)
    if found:
        with pytest.raises(ConfigError):
            resolve(Sources(file=file))
    else:
        resolve(Sources(file=file))


def test_check_tells_of_misspelt_variables() -> None:
    environ = {"STREAMCHAT_MODLE": "x", "STREAMCHAT_CONFIG": "", "STREAMCHAT_RETRIES": "many"}
    retries, misspelt = check(Sources(variables=Variables(("", environ))))
    assert misspelt == "STREAMCHAT_MODLE: no setting has this variable; did you mean STREAMCHAT_MODEL?"
    assert retries.startswith("STREAMCHAT_RETRIES: expected a whole number")


# --- files -----------------------------------------------------------------------------------------------------------


def test_load_reads_the_persons_own_file_or_the_one_that_is_named(own: Path, tmp_path: Path) -> None:
    assert load().origin("defaults.model") == "built in"
    usual = write(own / "config.toml", '[defaults]\nmodel = "echo/usual"')
    assert (load().defaults.model, load().origin("defaults.model")) == ("echo/usual", str(usual))
    other = write(tmp_path / "other.toml", '[defaults]\nmodel = "echo/other"')
    assert load(environ={**os.environ, "STREAMCHAT_CONFIG": str(other)}).defaults.model == "echo/other"
    third = write(tmp_path / "third.toml", '[defaults]\nmodel = "echo/third"')
    assert load(config=third, environ={**os.environ, "STREAMCHAT_CONFIG": str(other)}).defaults.model == "echo/third"
    with pytest.raises(ConfigError, match="no configuration file"):
        load(config=tmp_path / "none.toml")
    assert config_path(config=tmp_path / "none.toml") == tmp_path / "none.toml"
    assert config_path() == usual


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(own: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"bad.toml cannot be read: not UTF-8"):
        load(config=bad)
    with pytest.raises(ConfigError, match="Is a directory"):
        load(config=tmp_path)


def test_the_system_prompt_from_a_file(own: Path, tmp_path: Path) -> None:
    write(own / "short.md", "\ufeffBe short.\n")
    write(own / "config.toml", '[defaults]\nsystem = "@short.md"\n[profiles.bad]\nsystem = "@none.md"')
    assert load().defaults.system == "Be short."
    assert load().origin("defaults.system") == f"{own / 'config.toml'}: @{own / 'short.md'}"
    write(Path("here.md"), "From here.")
    assert load(flags={"system": "@here.md"}).defaults.system == "From here."
    assert load(flags={"system": "@@you are"}).defaults.system == "@you are"
    write(tmp_path / "home" / "mine.md", "Mine.")
    assert load(flags={"system": "@~/mine.md"}).defaults.system == "Mine."
    with pytest.raises(ConfigError, match=r"system prompt .*none.md cannot be read: No such file") as error:
        load(profile="bad")
    assert error.value.hint == f"set by profile bad ({own / 'config.toml'})"


def test_the_persons_own_env_file_sets_anything_that_the_environment_does_not(own: Path, tmp_path: Path) -> None:
    text = "OPENAI_API_KEY=own\nOPENAI_BASE_URL=http://own/v1\nSTREAMCHAT_MODEL='openai/a$HOME'\nHTTPS_PROXY=http://p\n"
    write(own / ".env", text)
    found = load(environ={**os.environ, "HTTPS_PROXY": "http://mine"})
    assert found.api_key("openai") == "own"
    assert found.key_origin("openai") == f"OPENAI_API_KEY ({own / '.env'})"
    assert found.provider("openai").base_url == "http://own/v1"
    assert found.defaults.model == "openai/a$HOME", "nothing is expanded"
    assert found.origin("defaults.model") == f"STREAMCHAT_MODEL ({own / '.env'})"
    assert "HTTPS_PROXY" not in found.variables.additions()
    assert found.notices == ()
    named = write(tmp_path / "named.env", "OPENAI_API_KEY=named\nALL_PROXY=http://q\n")
    assert load(env_file=named).api_key("openai") == "named"
    assert load(env_file=named).variables.additions()["ALL_PROXY"] == "http://q"
    assert load(env_file=named, environ={**os.environ, "OPENAI_API_KEY": "real"}).api_key("openai") == "real"


def test_an_env_file_of_ones_own_that_is_none_is_an_error(own: Path, tmp_path: Path) -> None:
    write(own / ".env", "A=1\nnot a variable 'at all\n")
    with pytest.raises(ConfigError, match=r"\.env:2: this is not NAME=value"):
        load()
    with pytest.raises(ConfigError, match="No such file"):
        load(env_file=tmp_path / "none.env")


# --- the current directory is hostile --------------------------------------------------------------------------------


def test_an_env_file_here_supplies_a_key_only_and_says_so() -> None:
    write(Path(".env"), "OPENAI_API_KEY=stranger\nGROQ_API_KEY=stranger\n")
    found = load(environ={**os.environ, "GROQ_API_KEY": "own"})
    assert (found.api_key("openai"), found.api_key("groq")) == ("stranger", "own")
    assert found.key_origin("openai") == f"OPENAI_API_KEY ({Path.cwd() / '.env'})"
    (notice,) = found.notices
    assert notice == "OPENAI_API_KEY comes from .env in the current directory: there is no other key for openai"


def test_an_env_file_here_sets_nothing_else() -> None:
    dangerous = {
        "OPENAI_BASE_URL": "http://evil/v1", "ANTHROPIC_BASE_URL": "http://evil", "HTTPS_PROXY": "http://evil",
        "ALL_PROXY": "http://evil", "SSL_CERT_FILE": "/evil", "REQUESTS_CA_BUNDLE": "/evil", "EDITOR": "evil",
        "PAGER": "evil", "NO_COLOR": "1", "ACCESSIBLE": "1", "XDG_DATA_HOME": "/evil", "HOME": "/evil",
        "STREAMCHAT_CONFIG": "/evil/config.toml", **dict.fromkeys(VARIABLES, "1"),
    }  # fmt: skip
    before = load()
    write(Path(".env"), "".join(f"{name}={value}\n" for name, value in dangerous.items()))
    after = load()
    assert (after.origins, after.providers, after.files) == (before.origins, before.providers, before.files)
    assert [getattr(after, name) for name in SECTIONS] == [getattr(before, name) for name in SECTIONS]
    assert after.variables.additions() == {}
    assert not [name for name in dangerous if after.variables.get(name) == "evil"]
    assert "evil" not in os.environ.values()
    (notice,) = after.notices
    assert "may only supply a key; ignored: OPENAI_BASE_URL, ANTHROPIC_BASE_URL, HTTPS_PROXY" in notice


def test_an_emptied_key_of_ones_own_is_not_filled_from_here() -> None:
    write(Path(".env"), "OPENAI_API_KEY=stranger\n")
    assert load(environ={**os.environ, "OPENAI_API_KEY": ""}).api_key("openai") is None


def test_only_keys_of_configured_providers_are_taken_from_here(own: Path) -> None:
    write(Path(".env"), "MINE_KEY=stranger\nAWS_SECRET=stranger\n")
    assert load().notices == ()
    write(own / "config.toml", '[providers.mine]\nkind = "openai"\nbase_url = "http://h/v1"\napi_key_env = "MINE_KEY"')
    assert load().api_key("mine") == "stranger"
    assert list(load().nearby_keys) == ["MINE_KEY"]


def test_files_in_a_parent_are_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path(".env"), "OPENAI_API_KEY=stranger\n")
    write(Path(".streamchat.toml"), 'model = "openai/x"')
    below = Path("below")
    below.mkdir()
    monkeypatch.chdir(below)
    found = load()
    assert (found.api_key("openai"), found.target(), found.notices) == (None, (None, None), ())


def test_ones_own_directory_is_not_hostile(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(own / ".env", "STREAMCHAT_MODEL=echo/x\nOPENAI_API_KEY=own\n")
    monkeypatch.chdir(own)
    found = load()
    assert (found.target(), found.notices) == (("echo", "x"), ())
    named = write(Path("named/.env"), "STREAMCHAT_RETRIES=7\n")
    monkeypatch.chdir(named.parent)
    assert load(env_file=Path(".env")).defaults.retries == 7
    assert load(env_file=Path(".env")).notices == ()


def test_a_project_file_sets_model_system_and_parameters_and_is_announced() -> None:
    text = 'model = "groq/m"\nsystem = "Be kind."\ntemperature = 0.5\nmax_tokens = 9\nthink = "low"'
    here = write(Path(".streamchat.toml"), text)
    found = load()
    assert found.target() == ("groq", "m")
    assert (found.defaults.system, found.options()) == ("Be kind.", Options(0.5, 9, "low"))
    assert found.origin("defaults.system") == str(Path.cwd() / here)
    assert found.notices == (
        ".streamchat.toml in the current directory sets max_tokens, model, system, temperature, think",
    )
    assert (
        load(
            flags=dict.fromkeys(PROJECT_SETTINGS[:2], "echo/x") | {"temperature": 1, "max_tokens": 1, "think": "off"}
        ).notices
        == ()
    )


@pytest.mark.parametrize(
    "text",
    [
        'base_url = "http://evil"', 'provider = "openai"', 'proxy = "http://evil"', "idle_timeout = 1", "strict = true",
        '[providers.openai]\nbase_url = "http://evil/v1"', '[providers.evil]\nkind = "openai"',
        '[aliases]\nfast = "groq/x"',
        '[defaults]\nmodel = "groq/x"', "[history]\nsave = false", '[profiles.evil]\nmodel = "groq/x"',
        '[local]\nmodel = "x"',
    ],
)  # fmt: skip
def test_a_project_file_sets_nothing_else(text: str) -> None:
    before = load()
    write(Path(".streamchat.toml"), text)
    after = load()
    for name in ("defaults", "ui", "history", "local", "providers", "profiles", "aliases", "origins"):
        assert getattr(after, name) == getattr(before, name), name
    (notice,) = after.notices
    assert notice.startswith(".streamchat.toml may only set model, system, temperature, max_tokens, think; ignored: ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('model = "evil/x"', "provider/model"),
        ('model = "opnai/x"', "no provider `opnai`"),
        ('model = "x"', "provider/model"),
        ('model = "local//home/evil.gguf"', "may not choose `local`"),
        ('model = "replay/evil"', "may not choose `replay`"),
        ('system = "@/etc/passwd"', "may not name a file"),
        ('system = "@@x"', "may not name a file"),
        ("temperature = 99", "expected a number"),
        ('temperature = "hot"', "expected a number"),
        ("model = 3", "expected a text"),
    ],
)
def test_a_project_file_is_not_believed(text: str, why: str) -> None:
    write(Path(".streamchat.toml"), text)
    found = load()
    assert not found.origins
    (notice,) = found.notices
    assert "is ignored: " in notice
    assert why in notice


def test_a_model_from_here_needs_no_alias_of_its_own_but_may_use_the_persons(own: Path) -> None:
    write(own / "config.toml", '[aliases]\nfast = "groq/llama"\nhome = "local"')
    write(Path(".streamchat.toml"), 'model = "fast"')
    assert load().target() == ("groq", "llama")
    write(Path(".streamchat.toml"), 'model = "home"')
    assert load().target() == (None, None)


def test_a_directory_that_chooses_the_provider_does_not_bring_the_account_too() -> None:
    write(Path(".streamchat.toml"), 'model = "groq/x"')
    write(Path(".env"), "GROQ_API_KEY=stranger\nXAI_API_KEY=stranger\n")
    found = load()
    assert (found.target(), found.api_key("groq"), found.api_key("xai")) == (("groq", "x"), None, "stranger")
    assert any("GROQ_API_KEY of .env in the current directory is not used" in notice for notice in found.notices)
    assert load(flags={"model": "groq/y"}).api_key("groq") == "stranger", "named by the person"
    assert load(environ={**os.environ, "GROQ_API_KEY": "own"}).api_key("groq") == "own"


def huge(path: Path) -> None:
    path.write_bytes(b"A=1\n" * 100_000)


def deep(path: Path) -> None:
    path.write_text("model = " + "[" * 60_000)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path)


def bytes_(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def digits(path: Path) -> None:
    path.write_text("temperature = " + "9" * 50_000)


@pytest.mark.parametrize("make", [huge, deep, fifo, device, loop, bytes_, digits, Path.mkdir])
@pytest.mark.parametrize("name", [".env", ".streamchat.toml"])
def test_no_file_here_can_stop_or_stall_the_program(name: str, make: Callable[[Path], None]) -> None:
    make(Path(name))
    found = load(flags={"model": "echo/x"})
    assert found.target() == ("echo", "x")
    assert found.api_key("openai") is None
    assert name == ".env" or found.notices or make is huge
    assert all(notice.isprintable() for notice in found.notices)


def test_what_a_strangers_file_says_cannot_reach_the_terminal() -> None:
    names = "".join(f'"\\u001b]0;owned\\u0007{number}\\u202e" = 1\n' for number in range(20))
    write(Path(".streamchat.toml"), names + 'model = "\\u001b[2J/x"')
    write(Path(".env"), "STREAMCHAT_\x1b]0;x\x07=1\n")
    notices = load().notices
    assert len(notices) == 3
    assert all(notice.isprintable() and len(notice) < 500 for notice in notices)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_here_are_survived(env: bytes, project: bytes) -> None:
    Path(".env").write_bytes(env)
    Path(".streamchat.toml").write_bytes(project)
    assert all(notice.isprintable() for notice in load().notices)


def test_a_deleted_current_directory_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load().notices == ()


# --- the schema and what derives from it -----------------------------------------------------------------------------


def test_the_example_is_what_the_settings_say() -> None:
    text = (ROOT / "config.example.toml").read_text()
    assert text == example(), "regenerate: streamchat config init --config config.example.toml --force"


def test_the_example_changes_nothing() -> None:
    assert resolve(Sources(file=parse_config(FILE, example()))).origins == {}


def test_the_example_holds_every_setting_with_its_default() -> None:
    tables = uncommented()
    assert list(problems(ConfigFile(FILE, "", tables))) == []
    for section, table in SECTIONS.items():
        fields = {field.name: field for field in structs.fields(table)}
        assert tables[section].keys() == fields.keys()
        for name, field in fields.items():
            if field.default is not None and field.default is not NODEFAULT:
                assert tables[section][name] == field.default or tuple(tables[section][name]) == field.default, name
    assert {name: tables["providers"][name] for name in KNOWN} == KNOWN
    assert tables["providers"]["work"].keys() == set(TABLES["providers"].__struct_fields__)
    assert tables["profiles"]["work"].keys() == set(Profile.__struct_fields__)


def test_every_setting_is_explained() -> None:
    for table in (*SECTIONS.values(), *TABLES.values()):
        assert explanations(table).keys() == set(table.__struct_fields__), table
        assert table.__doc__


@given(st.recursive(st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_a_value_as_toml_reads_back(value: Any) -> None:
    written = toml(value)
    assert written.isprintable()
    assert tomllib.loads(f"value = {written}")["value"] == value


# --- where files live, and what importing costs ----------------------------------------------------------------------


def test_xdg_variables_win_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {f"XDG_{kind}_HOME": f"/x/{kind.lower()}" for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    for platform in ("linux", "darwin"):
        monkeypatch.setattr(sys, "platform", platform)
        assert tuple(files(environ)) == tuple(
            Path(f"/x/{kind}/streamchat") for kind in ("config", "data", "state", "cache")
        )


@pytest.mark.parametrize(("platform", "kinds"), [("linux", "unix.Unix"), ("darwin", "macos.MacOS")])
@pytest.mark.parametrize(
    "variables", [{}, {"XDG_CONFIG_HOME": "/x"}, {"XDG_STATE_HOME": "relative"}, {"XDG_CACHE_HOME": ""}]
)
def test_directories_are_where_the_platform_has_them(
    variables: dict[str, str], platform: str, kinds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = kinds.partition(".")
    theirs = getattr(import_module(f"platformdirs.{module}"), name)("streamchat", appauthor=False)
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.delenv(f"XDG_{kind}_HOME", raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "platform", platform)

    found = files(os.environ)

    assert tuple(found) == tuple(getattr(theirs, f"user_{kind}_path") for kind in ("config", "data", "state", "cache"))


def test_importing_and_loading_without_files_stays_light() -> None:
    heavy = [
        "dotenv",
        "typer",
        "rich",
        "openai",
        "anthropic",
        "difflib",
        "pydantic",
        "tomllib",
    ]
    program = f"import sys, streamchat.config as c; c.load(); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_read_sources_reads_and_decides_nothing(own: Path) -> None:
    write(own / "config.toml", "[nonsense]")
    assert read_sources().file.tables == {"nonsense": {}}
