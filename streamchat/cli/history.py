"""`streamchat history`: the conversations that were kept, found, shown, played, moved in and out, and deleted."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from streamchat.cli.asking import agreed, can_ask
from streamchat.cli.exits import notice, tell
from streamchat.cli.listing import branches, entry_line, fields, hit_fields, marked, role_of, show_progress, show_turn
from streamchat.config import load
from streamchat.config.settings import Settings
from streamchat.errors import ChatError, UsageError
from streamchat.history import formats, records
from streamchat.history.conversation import Conversation
from streamchat.history.draft import Draft
from streamchat.history.index import Entry
from streamchat.history.redaction import patterns
from streamchat.history.store import Store, copies
from streamchat.paths import STDOUT, expanded

HELP = """Find, show, move and delete the conversations that were kept.

\b
  streamchat history search tides role:user
  streamchat history show @-1

REF is an id or its first 4 letters, a name, or @-1 for the last conversation, @-2 for the one before.
"""

history_app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Ref = Annotated[str, typer.Argument(metavar="[REF]", help="The conversation.", show_default="the last one")]
Refs = Annotated[list[str], typer.Argument(metavar="REF...", help="The conversations.", show_default=False)]
Words = Annotated[list[str] | None, typer.Argument(metavar="[QUERY]...", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Count = Annotated[int, typer.Option("-n", "--count", metavar="N", min=1, help="How many at most.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to.", show_default=False)]
Format = Annotated[str | None, typer.Option("--format", metavar="md|html|json|jsonl|txt", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="What the copy is called.", show_default=False)]

_QUERY = """QUERY: words (all of them, in one message), "phrases", wor*, -without, model:NAME, role:user|assistant,
before:DATE, after:DATE. A DATE is 2026, 2026-11, 2026-11-22, today, yesterday, or 3d, 2w, 6m, 1y for so long ago."""


_LIST = f"""List the conversations, the last used first.

\b
  streamchat history list tides after:2w
  streamchat history list --all --json

{_QUERY}"""

_SEARCH = f"""Search what was said.

\b
  streamchat history search '"neap tide"' role:assistant
  streamchat history search model:gpt-5 before:2026-06 tide*

{_QUERY}"""


@history_app.callback()
def history(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_(None)


@history_app.command("list", help=_LIST)
def list_(
    query: Words = None,
    count: Count = 20,
    everything: Annotated[bool, typer.Option("--all", "-a", help="All of them.")] = False,
    as_json: Json = False,
) -> None:
    with store() as kept:
        entries = kept.entries(" ".join(query or []), limit=None if everything else count)
    if as_json:
        write_json([fields(entry) for entry in entries])
        return
    for entry in entries:
        typer.echo(entry_line(entry))
    if not entries:
        notice("there is no such conversation" if query else "there is no conversation yet")


@history_app.command(help=_SEARCH)
def search(query: Words = None, count: Count = 20, as_json: Json = False) -> None:
    with store() as kept:
        hits = kept.search(" ".join(query or []), limit=count)
    if as_json:
        write_json([hit_fields(hit) for hit in hits])
        return
    before = None
    for hit in hits:
        if hit.entry.id != before:
            typer.echo(("\n" if before else "") + entry_line(hit.entry))
        before = hit.entry.id
        typer.echo(f"  {role_of(hit.role)} {marked(hit)}")
    if not hits:
        notice("nothing was found; the beginning of a word is found with a star: tid*")


@history_app.command()
def show(
    ref: Ref = "@-1",
    tree: Annotated[bool, typer.Option("--tree", help="All branches, a line each.")] = False,
    as_json: Json = False,
) -> None:
    """Show a conversation: rendered on a terminal, as Markdown into a pipe.

    \b
      streamchat history show
      streamchat history show tides --tree
    """
    settings = _settings()
    with store(settings) as kept:
        conversation = _loaded(kept, ref)
    if tree:
        for line in branches(conversation):
            typer.echo(line)
    elif as_json:
        typer.echo(formats.transcript(formats.FORMATS["json"], conversation), nl=False)
    elif sys.stdout.isatty():
        for turn in conversation.turns():
            show_turn(turn, settings, speed=0)
    else:
        typer.echo(formats.transcript(formats.FORMATS["md"], conversation), nl=False)


@history_app.command()
def play(
    ref: Ref = "@-1",
    speed: Annotated[float, typer.Option("--speed", min=0, help="2 is twice as fast, 0 does not wait.")] = 1.0,
    everything: Annotated[bool, typer.Option("--all", "-a", help="All answers, not only the last.")] = False,
) -> None:
    """Show the last answer of a conversation again as it arrived, with its own timing.

    \b
      streamchat history play
      streamchat history play tides --all --speed 4
    """
    settings = _settings()
    with store(settings) as kept:
        turns = [turn for turn in _loaded(kept, ref).turns() if turn.answer is not None]
    if not turns:
        raise UsageError("there is no answer in this conversation")
    for turn in turns if everything else turns[-1:]:
        show_turn(turn, settings, speed=speed)


@history_app.command()
def export(
    refs: Annotated[list[str] | None, typer.Argument(metavar="[REF]...", show_default="the last one")] = None,
    output: Output = None,
    fmt: Format = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="All of them; FILE is a directory.")] = False,
    force: Force = False,
) -> None:
    """Write conversations as Markdown (to be read, edited and imported), HTML, JSON, JSON lines or text.

    \b
      streamchat history export @-1 -o tides.html
      streamchat history export --all -o backup
    """
    if output == STDOUT:
        output = None
    with store() as kept:
        paths = [entry.path for entry in kept.entries()] if everything else [kept.path(ref) for ref in refs or ["@-1"]]
        if output is None and len(paths) > 1:
            raise UsageError("several conversations need a directory to go to", "Name it: --output DIRECTORY")
        for path in paths:
            conversation = Conversation.load(path, redact=kept.redact)
            if output is None:
                typer.echo(formats.transcript(formats.named(fmt or "md"), conversation), nl=False)
                continue
            target = output
            if everything or len(paths) > 1 or output.is_dir():
                target = output / f"{conversation.id}.{fmt or 'md'}"
                make_directory(output)
            formats.save(target, conversation, fmt=fmt, overwrite=force)
            typer.echo(target)


@history_app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False)],
    as_json: Json = False,
) -> int:
    """Take conversations in: exported ones, the data export of ChatGPT or Claude (zip or json), llm's logs.db.

    \b
      streamchat history import conversations.json
      gunzip -c tides.md.gz | streamchat history import -
    """
    added: list[str] = []
    failed: list[ChatError] = []
    before = 0
    with store() as kept:
        for draft in _drafts(files, failed):
            conversation = kept.add(draft)
            if conversation is None:
                before += 1
                continue
            added.append(conversation.id)
            if not as_json:
                typer.echo(f"{conversation.id}  {formats.title(conversation)}")
    if as_json:
        write_json(added)
    if added or before or not failed:
        notice(f"{len(added)} imported" + (f", {before} were there already" if before else ""))
    return failed[0].exit_code if failed else 0


def _drafts(files: list[Path], failed: list[ChatError]) -> Iterator[Draft]:
    """The conversations in all files; one that cannot be read is said, and the others are no worse for it."""
    from streamchat.history.imports import read

    for file in files:
        try:
            yield from read(file)
        except ChatError as exc:
            failed.append(exc)
            tell(exc)


@history_app.command()
def rename(
    ref: Annotated[str, typer.Argument(metavar="REF", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help='"" takes the name away.', show_default=False)],
) -> None:
    """Give a conversation a name, which can be used as REF from then on.

    \b
      streamchat history rename @-1 tides
      streamchat history rename tides ""
    """
    with store() as kept:
        for line in kept.rename(ref, name).notices:
            notice(line)


@history_app.command()
def fork(ref: Ref = "@-1", name: Name = "") -> None:
    """Copy a conversation, to go on with the copy; prints its id.

    \b
      streamchat history fork tides
      streamchat history fork @-1 --name "another way"
    """
    with store() as kept:
        copy = kept.fork(ref, name=name)
    if copy.trouble:
        raise UsageError(copy.trouble)
    typer.echo(copy.id)


@history_app.command()
def delete(refs: Refs, yes: Yes = False) -> None:
    """Delete conversations, from the index too.

    \b
      streamchat history delete tides
      streamchat history delete @-1 @-2 --yes
    """
    settings = _settings()
    with store(settings) as kept:
        entries = list({entry.path: entry for entry in map(kept.find, refs)}.values())
        _delete(kept, entries, settings, yes=yes)


@history_app.command()
def prune(
    older_than: Annotated[str, typer.Option("--older-than", metavar="AGE", help="90d, 6m, 1y, or a date.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list them.")] = False,
    yes: Yes = False,
) -> None:
    """Delete the conversations that were last used longer ago than AGE.

    \b
      streamchat history prune --older-than 6m --dry-run
      streamchat history prune --older-than 2025-01-01
    """
    settings = _settings()
    with store(settings) as kept:
        entries = kept.old(older_than)
        if dry_run:
            for entry in entries:
                typer.echo(entry_line(entry))
        elif entries:
            _delete(kept, entries, settings, yes=yes)
        else:
            notice("there is none that old")


@history_app.command()
def path(ref: Annotated[str | None, typer.Argument(metavar="[REF]", show_default=False)] = None) -> None:
    """Print the file of a conversation, or the directory of them all.

    \b
      streamchat history path
      less "$(streamchat history path @-1)"
    """
    if ref is None:
        typer.echo(directory(_settings()))
        return
    with store() as kept:
        typer.echo(kept.path(ref))


def directory(settings: Settings) -> Path:
    """Where conversations are kept."""
    return expanded(settings.history.dir) if settings.history.dir else settings.files.data / "conversations"


def store(settings: Settings | None = None) -> Store:
    """The person's conversations."""
    settings = settings or _settings()
    redact = patterns(settings.history.redact)
    return Store(directory(settings), settings.files.cache, redact=redact, progress=show_progress)


def write_json(value: Any) -> None:
    """One JSON value, fit for a terminal too."""
    typer.echo(msgspec.json.format(records.json_bytes(value), indent=2))


def make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{path} cannot be made: {exc.strerror}") from exc


def _settings() -> Settings:
    settings = load()
    for line in settings.notices:
        notice(line)
    return settings


def _loaded(kept: Store, ref: str) -> Conversation:
    conversation = kept.load(ref)
    for line in conversation.notices:
        notice(line)
    return conversation


def _delete(kept: Store, entries: list[Entry], settings: Settings, *, yes: bool) -> None:
    """Delete these once the person has agreed, and say what is left of them."""
    for entry in entries:
        typer.echo(entry_line(entry))
    if not yes:
        if not can_ask():
            raise UsageError("deleting wants a yes, and there is nobody to ask", "To delete without being asked: --yes")
        if not agreed(f"Delete {_count(len(entries))}?", otherwise=False):
            raise ChatError("nothing was deleted")
    busy = kept.delete(entries)
    if settings.history.transcript_dir:
        copied = expanded(settings.history.transcript_dir)
        for file in (file for entry in entries if entry.path not in busy for file in copies(entry, copied)):
            notice(f"its transcript stays: {file}")
    notice(f"{_count(len(entries) - len(busy))} deleted; files that you saved or exported stay")
    if busy:
        raise UsageError(f"{_count(len(busy))} in use and not deleted", "End the chat that uses it first")


def _count(number: int) -> str:
    return f"{number} conversation" if number == 1 else f"{number} conversations"
