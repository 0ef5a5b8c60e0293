"""The message in the person's own editor, and what is said of one that cannot be started."""

from pathlib import Path

import pytest

from tests.repl.person import ANSWERED, Person
from tests.repl.test_chat import leave

WRITES = "sh -c 'echo edited > \"$0\"'"


@pytest.mark.parametrize("keys", ["\x07", "\x18\x05"])
def test_the_editor_writes_the_message_which_is_not_sent_by_that(keys: str) -> None:
    with Person("-m", "echo", env={"EDITOR": WRITES}) as person:
        person.prompted()
        person.press(f"draft{keys}")
        person.sees("> edited")
        person.press(" once\r")
        person.prompted('"edited once"', ANSWERED)
        assert leave(person) == 0


def test_in_vi_mode_v_opens_it_and_the_keys_are_those_of_vi(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[ui]\nkeymap = "vi"\n')
    with Person("-m", "echo", "--config", str(config), env={"EDITOR": WRITES}) as person:
        person.prompted()
        person.press("one two\x1b")
        person.press("bd")
        person.press("w")
        person.prompted(draft="one")
        person.press("v")
        person.prompted(draft="edited")
        person.press("\r")
        person.prompted('"edited"', ANSWERED)
        assert leave(person) == 0


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"EDITOR": "no-such-editor --wait"}, "no editor no-such-editor: set $EDITOR to one"),
        ({"VISUAL": "no-such-editor", "EDITOR": WRITES}, "no editor no-such-editor: set $VISUAL to one"),
        ({"EDITOR": "vi 'x"}, "$EDITOR cannot be read as a command: vi 'x"),
    ],
)
def test_one_that_is_not_there_is_said_and_the_draft_stays(environment: dict[str, str], said: str) -> None:
    with Person("-m", "echo", env=environment) as person:
        person.prompted()
        person.press("draft\x07")
        person.prompted(said, draft="draft")
        person.press("\x15again")
        person.prompted(draft="again", gone=said)
        person.press("\x15")
        assert leave(person) == 0
