"""Changes to a configuration file's text: what is asked for is changed, and nothing else."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.config.editing import assigned, key_of, removed, value_of
from streamchat.config.example import example, toml
from streamchat.config.file import Key
from streamchat.config.writing import rewrite
from streamchat.errors import ConfigError, UsageError

FILE = """\
# about all
[defaults] # of mine
model = 'a' # keep
redact = [
  "x", # one
]

# about ui
[ui]
color = "never"
  # at the end
"""


def comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


def test_a_value_is_replaced_in_its_place_and_its_comment_stays() -> None:
    assert assigned(FILE, ("defaults", "model"), "b") == FILE.replace("'a'", '"b"')


def test_a_new_setting_stands_below_the_last_one_of_its_table() -> None:
    assert assigned(FILE, ("defaults", "retries"), 3) == FILE.replace("]\n\n", "]\nretries = 3\n\n")


def test_a_new_table_stands_at_the_end() -> None:
    changed = assigned(FILE, ("providers", "my.server", "kind"), "openai")
    assert changed == FILE + '\n[providers."my.server"]\nkind = "openai"\n'
    assert assigned("", ("aliases", "fast"), "groq/x") == '[aliases]\nfast = "groq/x"\n'


def test_in_the_file_that_init_writes_the_commented_line_becomes_the_setting() -> None:
    changed = assigned(example(), ("ui", "width"), 100)
    assert changed == example().replace("#width = 0", "width = 100")


def test_what_is_taken_out_leaves_the_comments() -> None:
    text = assigned(FILE, ("profiles", "p", "model"), "x") + "# the last word\n"
    assert removed(text, ("profiles", "p")) == FILE + "\n# the last word\n"
    assert removed(FILE, ("defaults", "model")) == FILE.replace("model = 'a' # keep\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "aliases = {a = 'b'}\n",
        "aliases.a = 'b'\n",
        "[aliases]\r\na = 'b'\r\n",
        "aliases = {a = 'b'} # '}'",
        'aliases . \'a\'="""b"""\n[ui]\n',
    ],
)
def test_every_layout_can_be_changed(text: str) -> None:
    both = assigned(text, ("aliases", "c"), "d")
    assert tomllib.loads(both)["aliases"] == {"a": "b", "c": "d"}
    assert tomllib.loads(removed(both, ("aliases", "a")))["aliases"] == {"c": "d"}
    assert tomllib.loads(assigned(text, ("aliases", "a"), "e"))["aliases"] == {"a": "e"}
    assert comments(both) == comments(text)
    assert both.count("\r\n") == both.count("\n") or "\r" not in text


names = st.text("abcxyz.-_ é\"'\\", min_size=1, max_size=6)
values = st.one_of(st.text(max_size=20), st.integers(-9, 99), st.booleans(), st.lists(st.text(max_size=5), max_size=3))


@given(st.lists(st.tuples(names, values), max_size=6), st.data())
def test_one_change_changes_one_thing_and_no_comment(pairs: list[tuple[str, Any]], data: st.DataObject) -> None:
    text, expected = "# first\n[x] # own\n# in it\n\n# of y\n[y]\nz = '''\n#a = 1\n[x]\n''' # late\n", {}
    for name, value in pairs:
        text = assigned(text, ("x", name), value)
        expected[name] = value
        assert tomllib.loads(text) == {"x": expected, "y": {"z": "#a = 1\n[x]\n"}}
    for name in data.draw(st.permutations(sorted(expected))):
        del expected[name]
        text = removed(text, ("x", name))
        assert tomllib.loads(text)["x"] == expected
    for comment in ("# first", "# own", "# in it", "# of y", "# late"):
        assert comment in text


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("model", "groq/x", ("defaults", "model"), "groq/x"),
        ("ui.footer", "false", ("ui", "footer"), False),
        ("think", "2048", ("defaults", "think"), 2048),
        ("history.redact", '["a+"]', ("history", "redact"), ["a+"]),
        ("providers.a.b.headers.X-Y", "1", ("providers", "a.b", "headers", "X-Y"), "1"),
        ("providers.openai.options.top_k", "5", ("providers", "openai", "options", "top_k"), 5),
        ("providers.openai.options.tier", "flex", ("providers", "openai", "options", "tier"), "flex"),
        ("profiles.p.strict", "true", ("profiles", "p", "strict"), True),
        ("aliases.a.b", "groq/x", ("aliases", "a.b"), "groq/x"),
    ],
)
def test_names_and_values_of_the_command_line(name: str, text: str, key: Key, value: object) -> None:
    assert (key_of(name), value_of(key, text)) == (key, value)
    assert toml(value_of(key, text)) == toml(value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("modle", "model"), ("ui.colour", "ui.color"), ("providers.x.base_ulr", "providers.x.base_url"), ("a b", "see")],
)
def test_a_name_that_is_none_is_answered_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="there is no setting") as error:
        key_of(name)
    assert hint in (error.value.hint or "")


def test_a_key_is_sent_to_the_keyring() -> None:
    with pytest.raises(UsageError) as error:
        key_of("providers.openai.api_key")
    assert "streamchat keys set" in (error.value.hint or "")


def test_what_was_wrong_before_does_not_stop_a_change_and_what_would_be_wrong_does(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[defaults]\nmodle = 1\n")
    assert rewrite(file, lambda text: assigned(text, ("ui", "width"), 90))
    with pytest.raises(ConfigError, match="there is no profile `none`"):
        rewrite(file, lambda text: assigned(text, ("defaults", "profile"), "none"))
    assert file.read_text() == "[defaults]\nmodle = 1\n\n[ui]\nwidth = 90\n"


def test_a_link_into_a_directory_of_dotfiles_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "streamchat.toml"
    real.write_text("")
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    rewrite(link, lambda text: assigned(text, ("ui", "width"), 90))
    assert link.is_symlink()
    assert real.read_text() == "[ui]\nwidth = 90\n"
