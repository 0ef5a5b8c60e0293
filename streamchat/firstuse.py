"""Loads the parts of a vendor's SDK when they are first used: nearly all of its start builds classes no chat touches.

The SDKs' packages pass thousands of names on from the modules below them (`from .message import Message as Message`).
While `defer` is in force, importing such a package executes none of that: a module `__getattr__` (PEP 562) imports each
name from where it comes when it is asked for. Only plain `from .module import name` at the top level of a package's
`__init__` is understood. Everything else is executed as written: a package that does nothing else is never executed,
any other as soon as it is asked for something that it does not merely pass on. Where a name cannot be had this way, its
package is executed as written; where that does not help either, `imported` puts everything back and imports plainly.

Only the program uses this, never the library in somebody else's process. STREAMCHAT_PLAIN_IMPORTS=1 turns it off.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from threading import Lock, get_ident
from types import ModuleType
from typing import Any, TypeVar

from streamchat.compiled import OFF, kept

PACKAGES = ("openai", "anthropic", "httpcore2", "anyio", "asyncio")
"""What the program defers."""

_WHOLE = ("asyncio",)
"""Those that are deferred though nothing in them is understood: the SDKs import it, and a chat without an event loop
asks it for nothing."""

LOGS = ("OPENAI_LOG", "ANTHROPIC_LOG")
"""The SDKs set up their logging while they are imported; whoever asks for that gets the plain import."""

_SURPRISES = (ImportError, AttributeError, NameError, TypeError)
"""What a module raises that does not find what it expects."""

Passed = dict[str, tuple[str, str]]
"""Name to the module below that it comes from, and its name there."""

Loaded = TypeVar("Loaded")

_STATEMENT = re.compile(
    r"""(?:[ ]*(?:\#.*)?\n
    |from[ ]__future__[ ]import[ ]annotations\n
    |__all__[ ]=[ ]\[[\w\s",]*\]\n
    |from[ ]\.(?P<module>\w[\w.]*)[ ]import[ ](?:\((?P<many>[\w\s,]+)\)|(?P<one>[\w ,]+))\n)""",
    re.VERBOSE,
)
_PATIENCE = 1.0
"""Seconds for which a thread waits for another that executes the package, as long as they may wait for each other: for
a module that the one imports, and whose source asks the package. Then both execute it."""

_PLAIN = re.compile(r"^from \.\w", re.MULTILINE)
_finder: "_Finder | None" = None


def defer(*packages: str) -> None:
    """From now on, load these top-level packages (and what is below them) on first use."""
    global _finder  # one process has one list of finders, too
    if _finder is None and not any(os.environ.get(name) for name in (OFF, *LOGS)):
        _finder = _Finder(packages)
        sys.meta_path.insert(0, _finder)


def imported(load: Callable[[], Loaded]) -> Loaded:
    """What `load` makes with the help of a deferred package; by plain imports, from then on, if it cannot."""
    try:
        return load()
    except _SURPRISES:
        if not withdraw():
            raise
        return load()


def withdraw() -> bool:
    """Defer nothing any more, and forget what was loaded of the deferred packages; False if nothing was deferred."""
    global _finder
    if _finder is None:
        return False
    _finder.withdraw()
    _finder = None
    return True


def passed_on(source: str) -> tuple[Passed, bool]:
    """The names that the source of an `__init__` merely passes on, and whether it does nothing else.

    No names for a source that has its own way of finding them, or that is no Python.
    """
    names: Passed = {}
    place = 0
    while found := _STATEMENT.match(source, place):
        place = found.end()
        if module := found["module"]:
            for name in (found["many"] or found["one"]).split(","):
                if words := name.split():
                    names[words[-1]] = (module, words[0])
    if place == len(source):
        return names, True
    return kept(("passed on", source), lambda: _among_others(source)), False


def _among_others(source: str) -> Passed:
    """The names that are passed on by a source that does other things too, and are bound nowhere else in it."""
    if not _PLAIN.search(source):
        return {}
    import ast  # not for the many that the pattern understands: parsing all of them takes ten times as long

    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}
    names: Passed = {}
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.level == 1 and statement.module:
            names |= {alias.asname or alias.name: (statement.module, alias.name) for alias in statement.names}
    bound = Counter(_bound(tree.body))
    return {name: origin for name, origin in names.items() if name != "*" and bound[name] == 1}


def _bound(statements: Sequence[Any]) -> Iterator[str]:
    """The names that these statements of a syntax tree give a meaning, once for each time that they do."""
    import ast

    for statement in statements:
        match statement:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Expr():
                pass
            case _:
                for name, part in ast.iter_fields(statement):
                    if name in ("body", "orelse", "finalbody", "handlers", "cases"):
                        yield from _bound(part)
                    elif name in ("targets", "target", "items", "name", "pattern"):
                        yield from _stored(part)


def _stored(part: Any) -> Iterator[str]:
    """The names in a target: of an assignment, a loop, a `with`, an `except`, a `case`."""
    import ast

    if isinstance(part, str):
        yield part
    for node in part if isinstance(part, list) else [part]:
        for inner in ast.walk(node) if isinstance(node, ast.AST) else ():
            match inner:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    yield name
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    yield name


class _Finder(MetaPathFinder):
    """Finds the packages that can be deferred; everything else is left to the finders behind it."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._packages:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not spec.submodule_search_locations or type(spec.loader) is not SourceFileLoader:
            return spec
        try:
            names, pure = passed_on(spec.loader.get_source(fullname) or "")
            below = {entry.removesuffix(".py") for entry in os.listdir(spec.submodule_search_locations[0])}
        except (OSError, ImportError):
            return spec
        # A name that is also a module's below would mean the one or the other, by the order of imports.
        names = {name: origin for name, origin in names.items() if name not in below}
        if names or fullname in _WHOLE:
            spec.loader = _Deferred(spec.loader, names, frozenset(below), pure=pure)
        return spec

    def withdraw(self) -> None:
        """Forget what was loaded, and find nothing any more."""
        sys.meta_path.remove(self)
        forgotten = self._packages - sys.stdlib_module_names  # of those, everybody has to have the same
        for name in [name for name in sys.modules if name.partition(".")[0] in forgotten]:
            del sys.modules[name]


class _Deferred(Loader):
    """Loads a package without executing it, until that is needed."""

    def __init__(self, plain: SourceFileLoader, names: Passed, below: frozenset[str], *, pure: bool) -> None:
        self._plain, self._names, self._below, self._pure = plain, names, below, pure
        self._executing: set[int] = set()
        self._turn, self._done = Lock(), False
        self._own: dict[str, Any] = {}

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._plain.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def get(name: str) -> Any:
            return self._get(module, name)

        def names() -> list[str]:
            self._execute(module)
            return sorted(vars(module))

        self._own = {"__getattr__": get, "__dir__": names}
        vars(module).update(self._own)

    def __getattr__(self, name: str) -> Any:
        """Source, resources and all else that a loader can be asked for: as the plain loader has it."""
        return getattr(self._plain, name)

    def _get(self, module: ModuleType, name: str) -> Any:
        if name in self._names:
            try:
                vars(module)[name] = found = self._origin(module, name)
                return found
            except _SURPRISES:
                executed = self._execute(module)
        elif name in self._below and not name.startswith("__"):
            return import_module(f"{module.__name__}.{name}")
        else:
            executed = (name == "__all__" or not (self._pure or name.startswith("__"))) and self._execute(module)
        if executed:
            return getattr(module, name)  # of the module as written, which may have a way of its own
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)

    def _origin(self, module: ModuleType, name: str) -> Any:
        where, there = self._names[name]
        return getattr(import_module(f"{module.__name__}.{where}"), there)

    def _execute(self, module: ModuleType) -> bool:
        """Execute the package as written. What it was given meanwhile stays: the names it passed on, a setting.

        False when this very thread is at it: a module below that asks gets what there is by then, as it would plainly.
        """
        if get_ident() in self._executing:
            return False
        taken = self._turn.acquire(timeout=_PATIENCE)
        try:
            if not self._done:
                self._execute_now(module)
        finally:
            if taken:
                self._turn.release()
        return True

    def _execute_now(self, module: ModuleType) -> None:
        unset = (*self._own, "__doc__")
        before = {name: value for name, value in vars(module).copy().items() if name not in unset}
        self._executing.add(get_ident())
        try:
            self._plain.exec_module(module)
        finally:
            self._executing.discard(get_ident())
        vars(module).update(before)
        for name, function in self._own.items():
            if vars(module).get(name) is function:
                del vars(module)[name]
        self._done = True
