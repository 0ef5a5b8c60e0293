"""`streamchat usage`: what the kept answers used and cost, as a table with bars."""

import json
import shutil
import sys
from typing import Annotated, Any, Literal

import typer

from streamchat.cli.exits import notice
from streamchat.cli.starting import kept_in
from streamchat.config import load
from streamchat.config.settings import Settings
from streamchat.history.query import moment
from streamchat.history.spending import Sum, sums, total
from streamchat.views.safe import one_line

HELP = """Sum what the kept answers used and cost.

\b
  streamchat usage --since 30d
  streamchat usage --by day --json

Tokens are the providers' own figures. A cost with ~ is list prices times tokens; models without a price have none.
"""

usage_app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_WIDEST, _NARROWEST = 60, 8
"""Columns of the longest bar, and of one that is still worth its place."""
_SHORTEST = 10
"""Columns of a name, at least."""


@usage_app.command(help=HELP)
def usage(
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="30d, 2w, 6m, 1y, today, or a date.", show_default=False)
    ] = "",
    by: Annotated[Literal["model", "day"], typer.Option("--by", metavar="model|day", help="What is summed.")] = "model",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    settings = load()
    rows = sums(kept_in(settings), by=by, since=moment(since) if since else "")
    whole = total(rows)
    if as_json:
        document = {"since": since or None, "by": by, "rows": list(map(_fields, rows)), "total": _fields(whole)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    if not whole.answers:
        notice("no answer is kept" + (" since then" if since else ""))
        return
    for line in table(rows, whole, settings):
        sys.stdout.write(line + "\n")
    for line in _caveats(whole):
        notice(line)


def table(rows: list[Sum], whole: Sum, settings: Settings) -> list[str]:
    """The lines: a heading, a row each, the total.

    On a terminal they fit its width: there is a bar behind each row where there is room, and there are fewer columns
    where there is none.
    """
    cells = [("", "answers", "in", "out", "cost"), *(_cells(row, coarse=_is_much(whole)) for row in [*rows, whole])]
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns - 1 if terminal else 10_000
    for least in (2, 1):
        if _width(cells) > width:
            cells = [(*row[:least], *row[least + 1 :]) for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    widths[0] = max(_SHORTEST, min(widths[0], width - _width(cells) + _SHORTEST))
    lines = [_line(row, widths) for row in cells]
    room = min(_WIDEST, width - len(lines[0]) - 2)
    if not terminal or settings.ui.accessible or room < _NARROWEST:
        return [line.rstrip() for line in lines]
    return [lines[0].rstrip(), *map(_with, lines[1:-1], _bars(rows, room, settings)), lines[-1].rstrip()]


def _width(cells: list[tuple[str, ...]]) -> int:
    """The least width of these columns, the first of which may be cut."""
    _, *numbers = (max(map(len, column)) for column in zip(*cells, strict=True))
    return _SHORTEST + sum(2 + each for each in numbers)


def _is_much(whole: Sum) -> bool:
    return whole.cost is not None and whole.cost.dollars >= 0.1


def _cells(row: Sum, *, coarse: bool) -> tuple[str, ...]:
    tokens = f"{row.input_tokens:,}", f"{row.output_tokens:,}"
    paid = "" if row.cost is None else str(row.cost)
    if row.cost is not None and coarse:
        paid = f"{'~' if row.cost.estimated else ''}${row.cost.dollars:,.2f}"
    return one_line(row.name) or "unknown", f"{row.answers:,}", *tokens, paid


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers = cells
    if len(name) > widths[0]:
        name = name[: widths[0] - 1] + "…"
    return "  ".join([name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])])


def _with(line: str, bar: str) -> str:
    return f"{line}  {bar}".rstrip()


def _bars(rows: list[Sum], room: int, settings: Settings) -> list[str]:
    """A bar for each row: of its cost where any is known, else of the tokens it wrote."""
    priced = any(row.cost for row in rows)
    sizes = [row.cost.dollars if row.cost else 0.0 for row in rows] if priced else [row.output_tokens for row in rows]
    most = max(sizes) or 1
    block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    bars = [block * (max(1, round(room * size / most)) if size else 0) for size in sizes]
    colored = settings.ui.color != "never"
    return [typer.style(bar, fg="cyan") if bar and colored else bar for bar in bars]


def _caveats(whole: Sum) -> list[str]:
    lines = []
    if whole.uncounted:
        lines.append(f"{_answers(whole.uncounted)} without figures from the provider: only counted")
    if whole.unpriced and whole.cost is not None:
        lines.append(f"{_answers(whole.unpriced)} of models without a known price: not in the cost")
    return lines


def _answers(number: int) -> str:
    return f"{number:,} answer" if number == 1 else f"{number:,} answers"


def _fields(row: Sum) -> dict[str, Any]:
    paid = row.cost
    return {
        **{name: getattr(row, name) for name in row.__struct_fields__ if name != "cost"},
        "cost": None if paid is None else round(paid.dollars, 8),
        "estimated": bool(paid and paid.estimated),
    }
