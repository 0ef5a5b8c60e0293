"""What may import what: one table of layers, one of libraries with a single home, and the start-up path."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "streamchat"

LAYERS = (
    ("compiled", "events", "errors", "paths", "prices", "threads"),
    ("chat", "firstuse", "sse", "continuation", "fences", "structured"),
    ("local",),
    ("providers",),
    ("pump", "retries"),
    ("config", "views", "history"),
    ("attachments", "fetching", "discovery", "choice", "catalogue", "diagnosis", "session", "compare", "library"),
    ("repl", "web"),
    ("cli",),
)
"""Lowest first: a module imports from its own layer and those below it."""

HOMES = {
    "openai": ("providers/openai.py",),
    "anthropic": ("providers/anthropic.py",),
    "xllamacpp": ("local/child.py",),
    "rich": ("views/",),
    "genai_prices": ("prices.py", "catalogue.py"),
    "jsonschema": ("structured.py",),
    "markdown_it": ("views/", "history/html.py"),
    "pygments": ("views/", "history/html.py"),
    "prompt_toolkit": ("repl/",),
    "typer": ("cli/",),
    "fastapi": ("web/fastapi.py",),
    "flask": ("web/flask.py",),
    "werkzeug": ("web/flask.py",),
    "gevent": ("web/background.py",),
    "gunicorn": (),
    "sqlalchemy": ("history/postgres/",),
    "redis": ("web/link.py",),
    "dotenv": ("config/",),
    "keyring": ("config/keys.py",),
}
"""Libraries that only these places import."""

KINDS = {
    "providers": ("openai", "anthropic", "local", "replay", "echo"),
    "views": ("panel", "plain", "jsonl"),
    "web": ("fastapi", "flask"),
}
"""Rooms whose kinds do not import one another."""
SPEAKS_THROUGH = {"providers/local.py": "openai"}
"""The embedded model's server speaks OpenAI's format: the one provider that stands on another."""


def imports(source: str) -> Iterator[str]:
    """The modules that a source imports, at any depth, but not those that only the type checker sees."""
    tree = ast.parse(source)
    unseen = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(path: str, source: str) -> list[str]:
    """What is wrong with the imports of the module at this path (relative to the package)."""
    found = set()
    for name in imports(source):
        top, *rest = name.split(".")
        homes = HOMES.get(top)
        if homes and not path.startswith(homes):
            found.add(f"{path} imports {top}")
        if top == "streamchat" and rest:
            found |= set(_inside(path, rest))
    return sorted(found)


def _inside(path: str, there: list[str]) -> Iterator[str]:
    here = Path(path).with_suffix("").parts
    if not there[0].startswith("__") and _rank(there[0]) > _rank(here[0]):
        yield f"{path} imports streamchat.{there[0]}, which lies above it"
    kinds = KINDS.get(here[0], ()) if here[0] == there[0] else ()
    neighbours = [kind for kind in kinds if kind not in (here[-1], SPEAKS_THROUGH.get(path))]
    if here[-1] in kinds and there[1:2] and there[1] in neighbours:
        yield f"{path} imports its neighbour {there[1]}"


def _rank(module: str) -> int:
    return next((rank for rank, names in enumerate(LAYERS) if module in names), len(LAYERS))


def sources() -> list[str]:
    return sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", sources())
def test_imports_go_downwards_and_each_library_has_one_home(path: str) -> None:
    if path in ("__init__.py", "__main__.py"):
        return
    assert violations(path, (PACKAGE / path).read_text()) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("events.py", "from streamchat.chat import Chat", "events.py imports streamchat.chat, which lies above it"),
        ("pump.py", "def f():\n    import openai", "pump.py imports openai"),
        ("views/plain.py", "from streamchat import session", "views/plain.py imports streamchat.session"),
        (
            "providers/echo.py",
            "from streamchat.providers import openai",
            "providers/echo.py imports its neighbour openai",
        ),
        ("history/index.py", "import rich.table", "history/index.py imports rich"),
    ],
)
def test_a_planted_violation_is_found(path: str, source: str, complaint: str) -> None:
    assert any(found.startswith(complaint) for found in violations(path, source))


def test_every_module_has_a_layer() -> None:
    named = {name for names in LAYERS for name in names} | {"__init__", "__main__"}

    assert {Path(path).parts[0].removesuffix(".py") for path in sources()} <= named


HEAVY = ("openai", "anthropic", "httpx2", "pydantic", "rich", "markdown_it", "pygments", "prompt_toolkit", "typer")


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("import streamchat", ()),
        ("import streamchat; streamchat.Message; streamchat.ChatError; streamchat.Stream", ()),
        ("import streamchat.config, streamchat.session, streamchat.choice", ()),
        (
            "import os, sys; os._exit = id; sys.argv = ['x', '--version']; "
            "from streamchat.__main__ import main; main()",
            (),
        ),
        ("import streamchat.web.page_view, streamchat.web.pacing", ("markdown_it", "pygments")),
        ("import streamchat.cli.app", ("typer",)),
        ("import streamchat.cli.ask, streamchat.cli.chat", ()),
    ],
)
def test_what_is_not_needed_is_not_imported(line: str, allowed: tuple[str, ...]) -> None:
    code = f"{line}\nimport sys\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(done.stdout.splitlines()[-1].split()) <= set(allowed)


def test_the_openai_provider_does_not_load_the_other_sdk(tmp_path: Path) -> None:
    code = (
        "from streamchat import stream\n"
        "try: list(stream('x', model='vllm/m', base_url='http://127.0.0.1:9/v1', retries=0))\n"
        "except Exception as exc: print(type(exc).__name__)\n"
        "import sys; print('anthropic' in sys.modules, 'openai' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["NetworkError", "False", "True"]
