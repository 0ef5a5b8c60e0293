"""Loading on first use: whatever one asks of a deferred package is what the plain import would have given."""

import importlib
import json
import os
import pickle
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.firstuse import LOGS, OFF, _among_others, defer, imported, passed_on, withdraw
from tests.program import run
from tests.wire.answers import chat_answer, messages_answer, responses_answer
from tests.wire.scenario import stream
from tests.wire.server import Server

Package = Callable[..., ModuleType]

# What is understood


@pytest.mark.parametrize(
    ("source", "names", "pure"),
    [
        ("", [], True),
        ("from .a import B\n", ["B"], True),
        ("from .a import B as B, C as D\n\n# yes\n", ["B", "D"], True),
        ("from __future__ import annotations\n\nfrom .a.b import (\n    B as B,\n    C,\n)\n", ["B", "C"], True),
        ("from .a import B\n__all__ = ['B']\n", ["B"], False),
        ('from .a import B\n__all__ = ["B"]\n', ["B"], True),
        ("from .a import B\nlog()\n", ["B"], False),
        ("from .a import B  # why\n", ["B"], False),
        ("from .a import *\nfrom .b import C\n", ["C"], False),
        ("from . import a\nfrom ..a import B\nfrom a import C\nimport d\n", [], False),
        ("if True:\n    from .a import B\n", [], False),
        ("def f():\n    from .a import B\n", [], False),
        ('"""\nfrom .a import B\n"""\n', [], False),
        ("from .a import B\nB = wrapped(B)\n", [], False),
        ("from .a import B\nfrom .b import B, C\nB.d = C.e = 1\n", ["C"], False),
        ("from .a import B, C\nfor B in x:\n    pass\ndef C(): ...\n", [], False),
        ("from .a import B, C\ntry:\n    import B\nexcept ImportError as C:\n    pass\n", [], False),
        ("from .a import B, C\nwith x as (B, C): pass\ndel D\n", [], False),
        ("from .a import B\nthis is no Python\n", [], False),
    ],
)  # fmt: skip
def test_only_what_is_merely_passed_on_is_taken_over(source: str, names: list[str], pure: bool) -> None:
    found, alone = passed_on(source)

    assert (list(found), alone) == (names, pure)


WORDS = st.from_regex(re.compile(r"[a-z_]\w{0,4}", re.ASCII), fullmatch=True).filter(str.isidentifier)
NAMES = WORDS.filter(lambda word: word not in __import__("keyword").kwlist)


@st.composite
def reexports(draw: st.DrawFn) -> str:
    """Sources of the kind that the SDKs' packages are, each name once."""
    lines = []
    for names in draw(st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=4)):
        items = [draw(st.sampled_from((name, f"{name} as {name}", f"X as {name}"))) for name in names]
        inside = draw(
            st.sampled_from((", ".join(items), f"({', '.join(items)})", "(\n    " + ",\n    ".join(items) + ",\n)"))
        )
        lines.append(f"from .{draw(NAMES)} import {inside}\n{draw(st.sampled_from(('', '# why', '    ')))}\n")
    return "".join(lines)  # fmt: skip


@given(reexports())
def test_the_pattern_reads_what_python_reads(source: str) -> None:
    names, pure = passed_on(source)

    # The careful reader leaves out what is bound twice; which of two is meant, both settle as Python does: the last.
    careful = _among_others(source)
    assert pure
    assert names | careful == names


# What a deferred package gives


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Makes a package `planted` of these modules, deferred, and imports it."""

    def make(*, deferred: bool = True, **modules: str) -> ModuleType:
        for name, source in modules.items():
            path = tmp_path / "planted" / Path(*name.split("__")).with_suffix(".py")
            path = path.parent / "__init__.py" if path.stem == "init" else path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        if deferred:
            defer("planted")
        return importlib.import_module("planted")

    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield make
    withdraw()
    for name in [name for name in sys.modules if name.partition(".")[0] == "planted"]:
        del sys.modules[name]


def loaded(name: str) -> bool:
    return f"planted.{name}" in sys.modules


def test_a_module_below_is_imported_when_its_name_is_used(package: Package) -> None:
    planted = package(init="from .a import A as A\nfrom .b import B\n", a="class A: ...\n", b="class B: ...\n")

    assert not loaded("a") and not loaded("b")
    assert planted.A.__module__ == "planted.a" and loaded("a") and not loaded("b")


def test_a_star_gives_all_that_is_public(package: Package) -> None:
    package(init="from .a import A, _hidden\nfrom .b import B\n", a="A = _hidden = 1\n", b="B = 2\n")
    found: dict[str, Any] = {}
    exec("from planted import *", found)

    assert {"A", "B", "a", "b"} == set(found) - {"__builtins__"}


def test_a_star_keeps_to_all(package: Package) -> None:
    package(init='from .a import A, B\n__all__ = ["A"]\n', a="A = B = 1\n")
    found: dict[str, Any] = {}
    exec("from planted import *", found)

    assert set(found) - {"__builtins__"} == {"A"}


def test_dir_is_whole(package: Package) -> None:
    planted = package(init="from .a import A\nfrom .b import B\nC = 1\n", a="A = 1\n", b="B = 1\n")

    assert {"A", "B", "C", "a", "b"} <= set(dir(planted))
    assert not {"__getattr__", "__dir__"} & set(vars(planted))


def test_a_name_that_is_not_there_is_an_attribute_error(package: Package) -> None:
    planted = package(init="from .a import A\n", a="A = 1\n")

    assert not hasattr(planted, "Z")
    with pytest.raises(ImportError, match="Z"):
        exec("from planted import Z")
    with pytest.raises(ImportError, match="gone"):
        exec("import planted.gone")


def test_modules_below_can_be_had_as_attributes(package: Package) -> None:
    planted = package(init="from .a import A\n", a="A = 1\n", sub__init="from .c import C\n", sub__c="C = 3\n")

    assert planted.a.A == 1
    assert planted.sub.c.C == planted.sub.C == 3


def test_a_name_that_is_also_a_module_is_what_the_package_says(package: Package) -> None:
    planted = package(init="from .thing import thing\n", thing="def thing(): return 7\n")

    assert planted.thing() == 7


def test_a_body_with_more_in_it_is_executed_when_it_is_asked_for_that(package: Package) -> None:
    planted = package(
        init="from .a import A\nimport planted.b\nplanted.b.seen.append(1)\nsetting = 1\n", a="A = 1\n", b="seen = []\n"
    )

    assert planted.A == 1 and not loaded("b")
    assert planted.setting == 1 and planted.b.seen == [1]
    assert planted.setting == 1 and planted.b.seen == [1]


def test_what_was_set_before_the_body_was_executed_stays(package: Package) -> None:
    planted = package(init="from .a import A\nkey = None\nother = 2\n", a="A = 1\n")
    planted.key = "mine"

    assert planted.other == 2 and planted.key == "mine"


def test_a_package_with_a_way_of_its_own_keeps_it(package: Package) -> None:
    planted = package(
        init="from .a import A\nB = 2\ndef __getattr__(name):\n    return name.upper()\n", a="A = 1\n"
    )  # fmt: skip

    assert (planted.A, planted.other, planted.B, planted.another) == (1, "OTHER", 2, "ANOTHER")


def test_modules_that_import_one_another_in_one_order_only(package: Package) -> None:
    """`b` first cannot be imported; the package as written imports `a` first and works."""
    package(
        init="from .a import A\nfrom .b import B\n",
        a="class A: ...\nfrom .b import B\n",
        b="from .a import A\nclass B(A): ...\n",
    )
    found: dict[str, Any] = {}
    exec("from planted import B, A", found)

    assert issubclass(found["B"], found["A"])


def test_isinstance_and_pickle_see_one_class(package: Package) -> None:
    planted = package(init="from .a import A\n", a="class A:\n    x = 1\n")
    found: dict[str, Any] = {}
    exec("from planted.a import A\nvalue = A()", found)

    assert isinstance(found["value"], planted.A)
    assert type(pickle.loads(pickle.dumps(found["value"]))) is planted.A


def test_forward_references_are_resolved(package: Package) -> None:
    """By pydantic while a class is made, and by typing afterwards."""
    planted = package(
        init="from .a import A\nfrom .b import B\n",
        a="from __future__ import annotations\nfrom pydantic import BaseModel\nfrom . import b\nfrom .b import B\n"
        "class A(BaseModel):\n    one: B\n    many: list[b.B] = []\n    me: A | None = None\n",
        b="from typing_extensions import TypedDict\nclass B(TypedDict):\n    y: 'int'\n",
    )

    assert planted.A(one={"y": "3"}, me={"one": {"y": 4}}).model_dump()["one"] == {"y": 3}
    assert __import__("typing").get_type_hints(planted.B) == {"y": int}


def test_of_threads_that_ask_at_the_same_time_one_executes_the_package(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other gets what it has made, and not what is there half way."""
    planted = package(init="from .a import A\nimport builtins\nbuiltins.planted_runs()\nother = A\n", a="A = 1\n")
    runs, told = [], []
    second = threading.Thread(target=lambda: told.append(planted.other))

    def run() -> None:
        runs.append(threading.get_ident())
        if len(runs) == 1:
            second.start()
            end = time.monotonic() + 10
            while len(runs) == 1 and sys._current_frames()[second.ident or 0].f_code.co_name != "_execute":
                assert time.monotonic() < end

    monkeypatch.setattr("builtins.planted_runs", run, raising=False)
    monkeypatch.setattr(
        "streamchat.firstuse._PATIENCE", 20
    )  # the first may need longer than a second on a busy machine
    told.append(planted.other)
    second.join(20)

    assert (runs, told) == ([threading.get_ident()], [1, 1])


def test_many_threads_get_the_same(package: Package) -> None:
    names = [f"n{number}" for number in range(20)]
    modules = {f"m{name}": f"class {name}: ...\n" for name in names}
    planted = package(init="".join(f"from .m{name} import {name}\n" for name in names), **modules)
    found: list[list[type]] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        found.append([getattr(planted, name) for name in names])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(found) == 4 and all(each == found[0] for each in found)


# Falling back

ORDERED = {
    "init": "from .a import A\nfrom .b import B\n",
    "a": "import planted\nplanted.ready = True\nA = 1\n",
    "b": "import planted\nB = planted.ready and 2\n",
}
"""`b` needs what `a`, imported before it by the package as written, has left behind."""


def test_a_package_that_surprises_is_executed_as_written(package: Package) -> None:
    planted = package(**ORDERED)

    assert planted.B == 2 and planted.A == 1


def test_where_that_does_not_help_everything_is_imported_plainly(package: Package) -> None:
    """Here the surprise is caught and made worse by a module between."""
    package(
        init="from .sub import B\nimport planted.seen\nplanted.seen.count += 1\n",
        seen="count = 0\n",
        user="import sys\nif 'planted.seen' not in sys.modules:\n    raise NameError('out of order')\nvalue = 1\n",
        sub__init="B = 2\n",
    )

    def load() -> Any:
        return importlib.import_module("planted"), importlib.import_module("planted.user").value

    planted, value = imported(load)

    assert (planted.B, planted.seen.count, value) == (2, 1, 1)
    assert "__getattr__" not in vars(planted)
    assert not withdraw()


def test_an_error_that_is_not_ours_comes_out_as_it_is(package: Package) -> None:
    package(init="from .a import A\n", a="A = 1\n")

    def load() -> None:
        raise ImportError("socksio is not installed")

    with pytest.raises(ImportError, match="socksio"):
        imported(load)
    with pytest.raises(ImportError, match="socksio"):
        imported(load)


@pytest.mark.parametrize("variable", [OFF, *LOGS])
def test_it_can_be_turned_off(package: Package, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    package(init="from .a import A\n", a="A = 1\n")

    assert loaded("a")


# The installed SDKs

COMPARE = """
import importlib, sys
from streamchat.firstuse import PACKAGES, defer
defer({sdk!r})
sdk = importlib.import_module({sdk!r})
client = getattr(sdk, {client!r})(api_key="k")
{use}
below = [module for name, module in sys.modules.items() if name.partition(".")[0] == {sdk!r}]
packages = [module for module in below if hasattr(module.__spec__.loader, "_names")]
compared = 0
for module in packages:
    passed = module.__spec__.loader
    names = getattr(passed, "_names", {{}})
    plain = {{"__name__": module.__name__, "__package__": module.__package__, "__path__": module.__path__}}
    try:
        ours = {{name: getattr(module, name) for name in names}}
    except ModuleNotFoundError as exc:
        assert "aiohttp" in str(exc), exc  # an extra of the SDK: it cannot be imported plainly either
        continue
    exec(module.__spec__.loader.get_code(module.__name__), plain)
    wrong = [name for name in names if ours[name] is not plain[name]]
    assert not wrong, (module.__name__, wrong)
    compared += len(names)
print(len(packages), compared)
"""
SDKS = {
    "openai": ("OpenAI", "client.chat.completions.create, client.responses.create", 8, 600),
    "anthropic": ("Anthropic", "client.messages.create", 8, 1500),
}


@pytest.mark.parametrize("sdk", SDKS)
def test_the_installed_sdk_gives_the_same_either_way(sdk: str) -> None:
    """The very objects, for every name that a package on the way of a chat passes on."""
    client, use, packages, names = SDKS[sdk]
    code = COMPARE.format(sdk=sdk, client=client, use=use)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    some, many = map(int, done.stdout.split())
    assert some >= packages and many >= names  # else nothing was deferred, and nothing gained


LOOP = """
import json, sys
from streamchat.firstuse import PACKAGES, defer, withdraw
if sys.argv[1]:
    defer(*PACKAGES)
import asyncio, asyncio.log
bare = "asyncio.events" not in sys.modules
names = {name: str(getattr(asyncio, name)).split(" at ")[0] for name in sorted(dir(asyncio)) if name != "__loader__"}
names |= {"__spec__": asyncio.__spec__.name}
events = asyncio.events
assert not sys.argv[1] or withdraw()
assert asyncio.run(asyncio.sleep(0, "slept")) == "slept" and sys.modules["asyncio.events"] is asyncio.events is events
print(json.dumps([bare, names]))
"""


def test_asyncio_is_what_it_is_and_loaded_when_it_is_asked_for_something() -> None:
    """It is the same for everybody, so it is not forgotten where the SDKs have to be."""
    (bare, deferred), (_, plain) = (
        json.loads(
            subprocess.run([sys.executable, "-c", LOOP, way], capture_output=True, check=True, timeout=60).stdout
        )
        for way in ("deferred", "")
    )

    assert bare and deferred == plain and len(plain) > 100


ASKING = """
import asyncio, json, sys
from streamchat.firstuse import PACKAGES, defer
import streamchat
defer(*PACKAGES)
model, url, *ways = sys.argv[1:]
how = {"model": model, "base_url": url}
def told(answer):
    reply = answer.reply
    return [reply.text, reply.stop_reason, reply.usage.output_tokens]
async def main():
    async with streamchat.astream("x", **how) as answer:
        return [token async for token in answer], told(answer)
for way in ways:
    if way == "async":
        print(json.dumps(asyncio.run(main())))
    else:
        answer = streamchat.stream("x", **how)
        print(json.dumps([list(answer), told(answer)]))
below = [module for name, module in sys.modules.items() if name.startswith(("openai", "anthropic"))]
print(any(hasattr(module.__spec__.loader, "_names") and "__getattr__" in vars(module) for module in below))
"""


@pytest.mark.parametrize(
    ("model", "path", "answer"),
    [("vllm/m", "/v1", chat_answer), ("anthropic/m", "", messages_answer)],
    ids=["openai", "anthropic"],
)
def test_one_stream_with_it_and_one_without(server: Server, model: str, path: str, answer: Any) -> None:
    """With it, each way in a process of its own: what the one has loaded would be there for the other."""
    server.play(*[stream(answer(["Spring ", "and ", "neap."]))] * 4)
    told = []
    for off, ways in (("", ["sync"]), ("", ["async"]), ("1", ["sync", "async"])):
        done = subprocess.run(
            [sys.executable, "-c", ASKING, model, server.url + path, *ways],
            capture_output=True, text=True, timeout=60, env={**os.environ, OFF: off, "ANTHROPIC_API_KEY": "k"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        *results, deferred = done.stdout.splitlines()
        told += map(json.loads, results)
        assert deferred == str(off == "")

    assert told == [told[0]] * 4
    assert told[0][0] == ["Spring ", "and ", "neap."]
    assert [exchange.json for exchange in server.exchanges] == [server.exchanges[0].json] * 4


def test_the_program_asks_the_same_with_it_and_without(server: Server, tmp_path: Path) -> None:
    """Responses too, by the program itself; the same request, header for header."""
    scenario = stream(responses_answer(["Spring ", "and ", "neap."]))
    server.play(scenario, scenario)
    table = tmp_path / "config.toml"
    table.write_text(f'[providers.there]\nkind = "openai"\nbase_url = "{server.v1}"\napi = "responses"\n')
    results = [
        run("ask", "--config", str(table), "-m", "there/m", "x", env={OFF: off}, fresh=True) for off in ("", "1")
    ]

    assert [(result.out, result.status) for result in results] == [("Spring and neap.\n", 0)] * 2, results
    first, second = (dict(exchange.headers) for exchange in server.exchanges)
    assert first == second
