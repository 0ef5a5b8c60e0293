"""`-f` with an address and with stdin: bounded, without keys, said before anything is asked."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.program import run

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
FILES: dict[str, tuple[int, str, bytes]] = {
    "/notes/tides.md": (200, "text/markdown; charset=utf-8", "# Größe\n```\ncode\n```\n".encode()),
    "/latin": (200, "text/plain; charset=iso-8859-1", "Größe".encode("latin-1")),
    "/picture": (200, "application/octet-stream", PNG),
    "/gone": (404, "text/html", b"<html>nothing</html>"),
    "/binary": (200, "text/plain", b"\x7fELF\0\0"),
    "/moved": (302, "/notes/tides.md", b""),
    "/elsewhere": (302, "ftp://127.0.0.1/x", b""),
    "/endless": (200, "text/plain", b"words " * 4_000_000),
}
ASKED: list[dict[str, str]] = []


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ASKED.append({name.lower(): value for name, value in self.headers.items()})
        status, kind, body = FILES[self.path]
        self.send_response(status)
        self.send_header("Location" if status == 302 else "Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's own word
        """Nothing."""


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def asked(*files: str, stdin: bytes | None = None) -> str:
    flags = [part for file in files for part in ("-f", file)]
    return run("ask", "-m", "echo", "What is this?", *flags, stdin=stdin).out


def test_an_address_is_a_file_with_its_name(place: str) -> None:
    shown = asked(f"{place}/notes/tides.md", f"{place}/latin")

    assert "tides.md:\\n````\\n# Größe" in shown
    assert "latin:\\n```\\nGröße" in shown
    assert "tides.md:" in asked(f"{place}/moved") or "moved:" in asked(f"{place}/moved")


def test_what_it_is_is_seen_from_what_is_in_it(place: str) -> None:
    result = run("ask", "-m", "echo", "What is this?", "-f", f"{place}/picture")

    assert "image/png" in result.out or "cannot take an image: picture" in result.err


def test_no_key_and_no_cookie_goes_there(place: str) -> None:
    ASKED.clear()
    run("ask", "-m", "echo", "?", "-f", f"{place}/latin", env={"OPENAI_API_KEY": "sk-1234567890"})

    assert len(ASKED) == 1
    assert set(ASKED[0]) <= {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert "sk-" not in str(ASKED)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gone", "does not give the file: 404"),
        ("/binary", "neither text nor an image"),
        ("/elsewhere", "redirects to what is not fetched"),
        ("/endless", "too large"),
    ],
)
def test_what_cannot_be_sent_is_said_in_a_line_and_nothing_is_asked(place: str, path: str, words: str) -> None:
    result = run("ask", "-m", "echo", "?", "-f", place + path)

    assert (result.status, result.out) == (2, "")
    assert words in result.err
    assert len(result.err.splitlines()) <= 2


@pytest.mark.parametrize("address", ["ftp://host/file", "http://me:secret-9@127.0.0.1:1/x", "http://127.0.0.1:1/x"])
def test_what_is_not_fetched(address: str) -> None:
    result = run("ask", "-m", "echo", "?", "-f", address)

    assert (result.status, result.out) == (2, "")
    assert "secret-9" not in result.err
    assert "Traceback" not in result.err


def test_a_dash_is_what_is_piped_in_under_that_name() -> None:
    assert "stdin:\\n```\\nsome words\\n```\\n\\nWhat is this?" in asked("-", stdin=b"some words\n")


def test_a_dash_without_a_pipe_says_so() -> None:
    result = run("ask", "-m", "echo", "?", "-f", "-", terminal=(80, 24))

    assert result.status == 2
    assert b"nothing is" in result.screen


def test_a_name_that_is_empty_is_said_to_be_empty() -> None:
    """As a script's variable that was never set."""
    result = run("ask", "-m", "echo", "?", "-f", "")

    assert (result.status, result.out) == (2, "")
    assert result.err == "streamchat: a file without a name cannot be sent\n"


def test_files_that_a_pattern_of_the_shell_made_words_of_the_question_are_said() -> None:
    """`-f *.txt` gives the first to -f and the rest to the question."""
    for name in ("a.txt", "b.txt"):
        Path(name).write_text(f"in {name}")
    spread = run("ask", "-m", "echo", "-f", "a.txt", "b.txt", "Compare", "them")
    said = "streamchat: b.txt is a word of the question and is not sent: -f takes one file, and may be repeated\n"

    assert (spread.status, spread.err) == (0, said)
    assert run("ask", "-m", "echo", "-q", "-f", "a.txt", "b.txt", "Compare").err == ""
    assert run("ask", "-m", "echo", "-f", "a.txt", "Is", "it", "in", "b.txt?").err == ""
    assert run("ask", "-m", "echo", "b.txt", "and", "what", "it", "is").err == "", "no file was to be sent"
