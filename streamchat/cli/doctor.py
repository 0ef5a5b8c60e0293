"""`streamchat doctor`: what is set up, what is not, and what to do about it."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins

from streamchat.diagnosis import Finding, diagnosis
from streamchat.views.safe import one_line

HELP = """Look at terminal, configuration, keys, addresses, proxy, certificates, files, store and embedded model.

\b
  streamchat doctor
  streamchat doctor --online --json > report.json

Nothing is sent anywhere without --online, and no key is ever in it. Exit code 2 when something needs you.
"""

doctor_app = typer.Typer(
    rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@doctor_app.command(help=HELP)
def doctor(
    online: Annotated[
        bool, typer.Option("--online", help="Ask each provider that can be asked for its models, 10 s at most.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="This configuration file.", show_default=False)
    ] = None,
    env_file: Annotated[
        Path | None, typer.Option("--env-file", metavar="FILE", help="This .env file too.", show_default=False)
    ] = None,
) -> int:
    """Say what is found."""
    found = list(diagnosis(config=config, env_file=env_file, online=online, background=_background()))
    if as_json:
        sys.stdout.write(json.dumps([to_builtins(finding) for finding in found], indent=2) + "\n")
    else:
        _show(found)
    return 2 if any(finding.state == "bad" for finding in found) else 0


def _show(found: list[Finding]) -> None:
    """A line for each; what it is about stands before the first of several."""
    last = ""
    for finding in found:
        about = finding.about if finding.about != last else ""
        sys.stdout.write(f"{about:<9} {finding.state:<5} {one_line(finding.text)}\n")
        if finding.hint:
            sys.stdout.write(f"{'':15} {one_line(finding.hint)}\n")
        last = finding.about
    count = sum(finding.state == "bad" for finding in found)
    sys.stdout.write(f"\n{count or 'nothing'} need{'s' if count < 2 else ''} you\n")


def _background() -> str:
    if not sys.stdout.isatty():
        return ""
    from streamchat.views.background import background

    return background()
