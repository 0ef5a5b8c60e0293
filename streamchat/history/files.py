"""Files that are written whole: beside their target, synced, then renamed; never over something unasked.

A reader sees the old file or the new one, never half of one, and a crash leaves at most a `.part` beside it.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path

from streamchat.errors import UsageError
from streamchat.paths import STDOUT


def check(path: Path, *, overwrite: bool = False) -> None:
    """Whether `write` has a chance: to be asked before an answer is paid for. Raises UsageError."""
    if path == STDOUT:
        raise UsageError("- is no name of a file", "stdout has the answer; name a file.")
    if path.is_dir():
        raise UsageError(f"{path} is a directory", "Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"there is no directory {path.parent}")
    if not overwrite and os.path.lexists(path) and not _is_special(path):
        raise UsageError(f"{path} exists already", "Choose another name, or let it be replaced: --force")
    if not os.access(path if _is_special(path) else path.parent, os.W_OK):
        raise UsageError(f"there is no permission to write {path}")


def write(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write the file, 0600 if it is new; a device or a pipe gets the bytes as they are. Raises UsageError."""
    check(path, overwrite=overwrite)
    try:
        if _is_special(path):
            path.write_bytes(data)
        else:
            _write_beside(path, data, overwrite=overwrite)
    except FileExistsError:
        raise UsageError(f"{path} exists already", "Choose another name, or let it be replaced: --force") from None
    except OSError as exc:
        raise UsageError(f"{path} could not be written: {exc.strerror}") from exc


def _write_beside(path: Path, data: bytes, *, overwrite: bool) -> None:
    part = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}.part")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, _mode(path) if overwrite else 0o600)
            file.write(data)
            file.flush()
            os.fsync(fd)
        if overwrite:
            part.replace(path)
        else:
            _rename_to_new(part, path)
        sync_directory(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _rename_to_new(part: Path, path: Path) -> None:
    """A rename that fails where there is something: a link does, on every file system that has links."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        part.rename(path)


def sync_directory(path: Path) -> None:
    """Make a new name in this directory survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as exc:
        if exc.errno != errno.EINVAL:  # not every file system syncs directories
            raise
    finally:
        os.close(fd)


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced; its owner chose them."""
    with contextlib.suppress(OSError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            return stat.S_IMODE(status.st_mode)
    return 0o600


def _is_special(path: Path) -> bool:
    """/dev/stdout, a named pipe: something that takes bytes and keeps no file."""
    with contextlib.suppress(OSError):
        kind = path.stat().st_mode
        return not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)
    return False
