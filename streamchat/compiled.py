"""Keeps what Python compiles anew at every start, though it is the same each time.

Python keeps the modules that it has compiled, but not what these compile while they are loaded: the methods of
dataclasses, named tuples, the annotations of typed dictionaries, regular expressions. With an SDK that is a fifth of
the start. While `remember` is in force, it is looked up by its whole text first.

The standard library's own functions do the compiling, and are asked under the names by which its modules call them.
Where a Python calls others, nothing is gained and nothing is lost. Only what is compiled during an import is kept: what
a person searches for is no module's. The file is private to one user and one build of Python; a damaged one, or one
that somebody else may write, counts for nothing.
"""

import collections
import dataclasses
import marshal
import os
import re
import stat
import sys
import typing
import zlib
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any, Final, TypeVar

OFF: Final = "STREAMCHAT_PLAIN_IMPORTS"
"""The variable that turns this off, and loading on first use with it."""

_MOST: Final = 10_000
"""Entries; a file of more has outlived several releases of what is in it, and begins anew."""

_HEAD: Final = f"streamchat 1 {sys.flags.optimize} {sys.version}\n".encode()
"""Code of another build of Python is no code here."""

_IMPORTING: Final = "importlib._bootstrap"

Made = TypeVar("Made")


class Kept:
    """What was compiled, here or in an earlier process, by what it was compiled from."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)
        self._more = False

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was kept for this key, or what `make` makes: something that `marshal` knows how to write."""
        try:
            return self._known[key]  # type: ignore[no-any-return]
        except KeyError:
            made = make()
        if _importing():
            self._known[key] = made
            self._more = True
        return made

    def write(self) -> None:
        """Keep it for the next process, if there is something new; where that cannot be, it is compiled again."""
        if self._more and not sys.dont_write_bytecode:
            self._more = False
            with suppress(OSError, ValueError):
                _write(self._path, {} if len(self._known) > _MOST else self._known)


_kept: Kept | None = None


def remember(path: Path) -> Kept:
    """From now on, look into this file before anything is compiled by text."""
    global _kept  # one process has one standard library, too
    if _kept is None:
        _kept = Kept(path)
        _ask(_kept)
    return _kept


def kept(key: Hashable, make: Callable[[], Made]) -> Made:
    """What was made of this key in an earlier process, where `remember` is in force; else what `make` makes."""
    return _kept.get(key, make) if _kept else make()


def _ask(kept: Kept) -> None:
    """Put the question before the standard library's compiling."""

    def compiled(text: Any, name: str, mode: str, *rest: Any, **more: Any) -> Any:
        if type(text) is not str or name != "<string>" or rest or more:
            return compile(text, name, mode, *rest, **more)
        return kept.get((mode, text), lambda: compile(text, name, mode, dont_inherit=True))

    def running(run: Callable[..., Any], mode: str) -> Callable[..., Any]:
        def ran(code: str | CodeType, *scopes: Any, **more: Any) -> Any:
            if type(code) is str:
                code = compiled(code, "<string>", mode)
            caller = sys._getframe(1)
            return run(code, *(scopes or (caller.f_globals, caller.f_locals)), **more)

        return ran

    # Their modules have no such names: they mean the built-in functions, until these are there.
    vars(typing)["compile"] = compiled
    vars(dataclasses)["exec"] = running(exec, "exec")
    vars(collections)["eval"] = running(eval, "eval")
    with suppress(AttributeError):
        _ask_for_patterns(kept, re._compiler)  # type: ignore[attr-defined]


def _ask_for_patterns(kept: Kept, compiler: Any) -> None:
    """The same for regular expressions. What is kept is what `re` hands to its engine, which makes a pattern of it."""
    plain, engine = compiler.compile, compiler._sre
    handing = SimpleNamespace(compile=lambda pattern, flags, code, *rest: (pattern, flags, list(map(int, code)), *rest))
    handed = FunctionType(plain.__code__, {**vars(compiler), "_sre": handing}, argdefs=plain.__defaults__)

    def compiled(pattern: Any, flags: int = 0) -> Any:
        if type(pattern) not in (str, bytes) or flags & re.DEBUG:
            return plain(pattern, flags)
        flags = int(flags)
        return engine.compile(*kept.get((pattern, flags), lambda: handed(pattern, flags)))

    compiler.compile = compiled


def _importing() -> bool:
    """Whether this thread is in the middle of an import."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_globals.get("__name__") != _IMPORTING:
        frame = frame.f_back
    return frame.f_globals.get("__name__") == _IMPORTING


def _read(path: Path) -> dict[Hashable, Any]:
    """What the file has; nothing where it is not whole, not ours alone to write, or another Python's."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o022 or status.st_uid != os.geteuid():
                return {}
            head, checksum, data = file.read(len(_HEAD)), file.read(4), file.read()
    except OSError:
        return {}
    if head != _HEAD or checksum != _checksum(data):
        return {}
    found: dict[Hashable, Any] = marshal.loads(data)
    return found


def _write(path: Path, known: dict[Hashable, Any]) -> None:
    data = marshal.dumps(known)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:  # a Ctrl+C may come as soon as the file is there
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.writelines((_HEAD, _checksum(data), data))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4)
