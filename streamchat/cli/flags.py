"""What a question can be asked with: the flags of `ask` and `chat`, each said once, whoever reads the words.

To add a flag, add a field; `words` and `options` read them off here.
"""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

from streamchat.errors import UsageError

_ASK, _SHOW, _KEEP, _REACH = "What is asked", "What is shown", "What is kept", "How it is reached"


class Flag(NamedTuple):
    """How a flag is spelled, and what its line in the help says; `panel` is the heading that it stands under."""

    names: tuple[str, ...]
    help: str
    panel: str | None
    metavar: str | None = None


def _flag(*names: str, help: str, panel: str, metavar: str | None = None) -> Flag:  # noqa: A002  # the help's own word
    return Flag(names, help, panel, metavar)


class Flags(NamedTuple):
    """The flags as they were given; None and False mean: not given."""

    model: Annotated[
        list[str] | None,
        _flag(
            *("-m", "--model"),
            help="PROVIDER/MODEL or an alias; repeated: compare.",
            panel=_ASK,
            metavar="MODEL",
        ),
    ] = None
    provider: Annotated[str | None, _flag("--provider", help="Whom to ask.", panel=_ASK, metavar="NAME")] = None
    system: Annotated[
        str | None, _flag("-s", "--system", help="The system prompt.", panel=_ASK, metavar="TEXT|@FILE")
    ] = None
    profile: Annotated[
        str | None, _flag("-P", "--profile", help="A profile of the configuration.", panel=_ASK, metavar="NAME")
    ] = None
    temperature: Annotated[
        float | None, _flag("-t", "--temperature", help="How freely it chooses its words.", panel=_ASK, metavar="0..2")
    ] = None
    max_tokens: Annotated[
        int | None, _flag("--max-tokens", help="The longest answer, in tokens.", panel=_ASK, metavar="N")
    ] = None
    think: Annotated[
        str | None, _flag("--think", help="How much it thinks first.", panel=_ASK, metavar="off|low|medium|high|N")
    ] = None
    schema: Annotated[
        str | None,
        _flag("--schema", help="The answer as JSON of this JSON schema's shape.", panel=_ASK, metavar="FILE|JSON"),
    ] = None
    extra: Annotated[
        list[str] | None,
        _flag("--opt", help="One more field of the request; repeatable.", panel=_ASK, metavar="KEY=VALUE"),
    ] = None
    file: Annotated[
        list[str] | None,
        _flag("-f", "--file", help="Send a file too: text, image, PDF; repeatable.", panel=_ASK, metavar="FILE|URL|-"),
    ] = None
    editor: Annotated[bool, _flag("-e", "--editor", help="Write the question in $EDITOR.", panel=_ASK)] = False
    stdin: Annotated[
        bool | None,
        Flag(("--stdin/--no-stdin",), "Wait for the end of stdin, or ignore it.", None),
    ] = None
    format: Annotated[
        str | None,
        _flag("--format", help="How the answer is written.", panel=_SHOW, metavar="text|markdown|json|jsonl"),
    ] = None
    extract: Annotated[
        str | None,
        _flag(
            *("-x", "--extract"),
            help="The code alone: block N, the last, or in LANG.",
            panel=_SHOW,
            metavar="[N|last|LANG]",
        ),
    ] = None
    json: Annotated[bool, _flag("--json", help="The same as --format json.", panel=_SHOW)] = False
    raw: Annotated[bool, _flag("--raw", help="The text exactly as sent, on a terminal too.", panel=_SHOW)] = False
    plain: Annotated[bool, _flag("--plain", help="On a terminal: wrapped, not rendered.", panel=_SHOW)] = False
    safe: Annotated[bool, _flag("--safe", help="Into a pipe: nothing that steers a terminal.", panel=_SHOW)] = False
    color: Annotated[str | None, _flag("--color", help="Colours.", panel=_SHOW, metavar="auto|always|never")] = None
    hide_reasoning: Annotated[
        bool, _flag("-R", "--hide-reasoning", help="Show nothing of the thinking.", panel=_SHOW)
    ] = False
    no_stream: Annotated[bool, _flag("-S", "--no-stream", help="Show the answer when it is whole.", panel=_SHOW)] = (
        False
    )
    usage: Annotated[bool, _flag("-u", "--usage", help="Tokens and times, on stderr.", panel=_SHOW)] = False
    verbose: Annotated[
        bool, _flag("-v", "--verbose", help="Say whom, where and with which key, on stderr.", panel=_SHOW)
    ] = False
    quiet: Annotated[bool, _flag("-q", "--quiet", help="The answer and errors, nothing else.", panel=_SHOW)] = False
    accessible: Annotated[
        bool, _flag("--accessible", help="For screen readers: no redrawing, no animation.", panel=_SHOW)
    ] = False
    output: Annotated[
        Path | None, _flag("-o", "--output", help="Write the answer to FILE too.", panel=_KEEP, metavar="FILE")
    ] = None
    save: Annotated[
        Path | None,
        _flag("--save", help="Write the transcript: .md .json .jsonl .txt .html", panel=_KEEP, metavar="FILE"),
    ] = None
    record: Annotated[
        Path | None,
        _flag("--record", help="Keep the raw stream, for replay/FILE.", panel=_KEEP, metavar="FILE"),
    ] = None
    force: Annotated[bool, _flag("--force", help="Let -o, --save and --record replace a file.", panel=_KEEP)] = False
    no_save: Annotated[bool, _flag("-n", "--no-save", help="Keep no conversation.", panel=_KEEP)] = False
    continue_: Annotated[bool, _flag("-c", "--continue", help="Go on with the last conversation.", panel=_KEEP)] = False
    resume: Annotated[
        str | None,
        _flag(
            "-r",
            "--resume",
            help="Go on with this one (id, name, @-2), or choose.",
            panel=_KEEP,
            metavar="[REF]",
        ),
    ] = None
    fork: Annotated[bool, _flag("--fork", help="With -c or -r: go on in a copy.", panel=_KEEP)] = False
    name: Annotated[str | None, _flag("--name", help="Call the conversation this.", panel=_KEEP, metavar="NAME")] = None
    base_url: Annotated[str | None, _flag("--base-url", help="The server's address.", panel=_REACH, metavar="URL")] = (
        None
    )
    proxy: Annotated[str | None, _flag("--proxy", help="The proxy's address.", panel=_REACH, metavar="URL")] = None
    idle_timeout: Annotated[
        float | None, _flag("--idle-timeout", "--timeout", help="The longest silence.", panel=_REACH, metavar="SECONDS")
    ] = None
    retries: Annotated[int | None, _flag("--retries", help="Tries after the first.", panel=_REACH, metavar="N")] = None
    speed: Annotated[
        float | None, _flag("--speed", help="A replay's speed; 0 is without waiting.", panel=_REACH, metavar="X")
    ] = None
    strict: Annotated[bool, _flag("--strict", help="Exit code 6 for an answer cut short.", panel=_SHOW)] = False
    dry_run: Annotated[bool, _flag("--dry-run", help="Show the request, send nothing.", panel=_REACH)] = False
    config: Annotated[
        Path | None, _flag("--config", help="Another configuration file.", panel=_REACH, metavar="FILE")
    ] = None
    env_file: Annotated[
        Path | None, _flag("--env-file", help="A .env file with variables.", panel=_REACH, metavar="FILE")
    ] = None

    def settings(self) -> dict[str, Any]:
        """The settings that these flags set, by their names; None for those that were not given."""
        return {
            "model": self.model[0] if self.model else None,
            "provider": self.provider,
            "system": self.system,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "think": self.think,
            "base_url": self.base_url,
            "speed": self.speed,
            "proxy": self.proxy,
            "idle_timeout": self.idle_timeout,
            "retries": self.retries,
            "strict": self.strict or None,
            "stream": False if self.no_stream else None,
            "ui.color": self.color,
            "ui.reasoning": "hide" if self.hide_reasoning else None,
            "ui.footer": False if self.quiet else None,
            "ui.accessible": self.accessible or None,
            "history.save": False if self.no_save else None,
        }

    def request_fields(self) -> dict[str, Any]:
        """`--opt` as fields of the request, each value JSON where it is JSON and text where it is not."""
        named: dict[str, Any] = {}
        for given in self.extra or ():
            key, equals, value = given.partition("=")
            if not (key and equals):
                raise UsageError(f"--opt wants KEY=VALUE, not {given!r}")
            named[key] = _json_or_text(value)
        return named


def _json_or_text(value: str) -> Any:
    import json

    try:
        return json.loads(value)
    except ValueError:
        return value
