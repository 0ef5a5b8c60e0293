"""The manual page, from the help of the commands and the topics; `python -m streamchat.cli.manual` writes it.

It is kept beside this module and goes into the wheel as share/man/man1/streamchat.1; a test holds it to the help.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

import typer

from streamchat import __version__
from streamchat.cli.app import app
from streamchat.cli.help import TOPICS, topic, tree
from streamchat.cli.pages import paragraphs, sections, usage

_CODE = re.compile(r"`([^`]+)`")
_TABLE = re.compile(r"^\| (.+) \|$")


def manual() -> str:
    """The whole page, roff."""
    top = typer.main.get_command(app)
    context = typer.Context(top, info_name="streamchat")
    lines = [
        '.\\" Written by python -m streamchat.cli.manual from the help of the commands; not by hand.',
        f'.TH STREAMCHAT 1 "" "streamchat {__version__}" "User Commands"',
        ".nh",
        ".ad l",
        ".SH NAME",
        "streamchat \\- ask a language model from the terminal",
    ]
    pages = list(tree(top, context))
    lines += [".SH SYNOPSIS"]
    for command, inner in pages:
        if not getattr(command, "commands", None):
            name, _, rest = usage(command, inner).partition(" [OPTIONS]")
            lines += [f".B {_plain(name)}", f"[OPTIONS]{_plain(rest)}", ".br"]
    lines += [".SH DESCRIPTION", *_told(top)]
    for command, inner in pages[1:]:
        lines += [f".SH {_plain(inner.command_path.upper())}", *_told(command), *_parameters(command, inner)]
    for name in TOPICS:
        lines += [f".SH {name.upper()}", *_markdown(topic(name))]
    return "\n".join(lines) + "\n"


def _told(command: Any) -> Iterator[str]:
    for text, as_it_is in paragraphs(command):
        yield ".PP"
        if as_it_is:
            yield from _examples(text)
        else:
            yield _plain(text)


def _examples(text: str) -> Iterator[str]:
    yield ".RS 2"
    yield ".nf"
    yield from (_plain(line.strip()) for line in text.split("\n"))
    yield ".fi"
    yield ".RE"


def _parameters(command: Any, context: Any) -> Iterator[str]:
    for heading, rows in sections(command, context):
        if heading == "Commands":
            continue
        yield f".SS {_plain(heading)}"
        for name, text in rows:
            yield ".TP"
            yield f".B {_plain(name)}"
            yield _plain(text)


def _markdown(text: str) -> Iterator[str]:
    """The Markdown of the topics, which is headings, paragraphs, numbered lists, indented code and plain tables."""
    for part in re.split(r"\n{2,}", text.strip()):
        lines = part.split("\n")
        if part.startswith("# "):
            continue
        if part.startswith("    "):
            yield ".PP"
            yield from _examples(part)
        elif _TABLE.match(lines[0]):
            for line in lines[2:]:
                left, _, right = line.strip("| ").partition(" | ")
                yield ".TP"
                yield f".B {_inline(left)}"
                yield _inline(right)
        elif re.match(r"\d+\. ", part):
            for item in re.split(r"\n(?=\d+\. )", part):
                number, _, rest = item.partition(" ")
                yield f".IP {number} 4"
                yield _inline(" ".join(rest.split()))
        else:
            yield ".PP"
            yield _inline(" ".join(part.split()))


def _inline(text: str) -> str:
    """A paragraph with `code` in bold."""
    parts = _CODE.split(text)
    return "".join(
        f"\\fB{_escaped(part)}\\fR" if index % 2 else _escaped(part) for index, part in enumerate(parts)
    ).strip()


def _plain(text: str) -> str:
    escaped = _escaped(text)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escaped(text: str) -> str:
    return (
        text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha").replace("`", "\\(ga")
    )


if __name__ == "__main__":
    sys.stdout.write(manual())
