"""One conversation's file on disk, open for appending: who may write, what happens when the disk does not let us.

The rules, with what they cost here (`tests/bench/history.py`):

- A record is one write() to a descriptor opened with O_APPEND, at once: 1 us, and what was written survives any
  death of this process. fdatasync follows at most once a second and at the end: power loss takes a second at most.
- The file is 0600 in 0700 directories whatever the umask, and never reached through a symbolic link.
- Who writes holds a flock, which ends with the process however it ends: no lock is ever left behind.
- Trouble with the disk is kept as a sentence and never raised into an answer. What could not be written waits in
  memory and is tried again when a turn begins and ends: a disk that comes back gets everything.
"""

import errno
import fcntl
import os
import stat
import threading
import time
from pathlib import Path

from streamchat.history.files import sync_directory
from streamchat.history.keeping import Busy
from streamchat.history.records import Record, encode
from streamchat.history.tree import now

SYNC_SECONDS = 1.0


class Folder:
    """The folder `conversations`, with a file for each of them at YYYY/MM/ID.jsonl."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def journal(self, id: str, created: str) -> "Journal":  # noqa: A002
        """The journal of a new conversation."""
        year, month = created[:4], created[5:7]
        if not (year.isdigit() and month.isdigit()):  # it becomes a path, and the head may be from a stranger's file
            year, month = now()[:4], now()[5:7]
        return Journal(self._directory / year / month / f"{id}.jsonl", new=True)

    def refuse(self, id: str) -> None:  # noqa: A002
        """Who writes at another terminal is not in the way of who asks here: this goes on as a fork."""


class Journal:
    """Appends records to one file; `trouble` says why it does not, when it does not."""

    def __init__(self, path: Path, *, new: bool, alone: bool = True, size: int = 0) -> None:
        """`alone`: nobody else may write meanwhile; a single line that stands for itself needs no such claim.
        `size`: how much of the file was read."""
        self.path = path
        self.trouble: str | None = None
        self.size = size
        """The file's size when it was last opened, closed or read."""
        self._new = new
        self._alone = alone
        self._fd: int | None = None
        self._waiting: list[bytes] = []
        self._torn = False
        self._unsynced = False
        self._directory_synced = not new
        self._synced = time.monotonic()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Take hold of the file; raises Busy, and only that."""
        if self._fd is not None:
            return
        try:
            self._fd = _opened(self.path, new=self._new, alone=self._alone)
            self.size = os.fstat(self._fd).st_size
            self._torn = self.size > 0 and os.pread(self._fd, 1, self.size - 1) != b"\n"
            self._new = False
        except OSError as exc:
            self._failed(exc)

    def write(self, record: Record) -> None:
        """Append; while there is trouble, keep for the next `settle`."""
        with self._lock:
            self._waiting.append(encode(record))
            if self.trouble is not None or self._fd is None:
                return
            try:
                self._drain(self._fd)
                if time.monotonic() - self._synced >= SYNC_SECONDS:
                    self._sync(self._fd)
            except OSError as exc:
                self._failed(exc)

    def append(self, record: Record) -> str | None:
        """Add a line that stands for itself, whoever else writes; gives the trouble with it, if any."""
        if self._fd is not None or self._new:
            self.write(record)
            self.settle()
            return None
        single = Journal(self.path, new=False, alone=False)
        single.write(record)
        single.settle()
        single.close()
        return single.trouble

    def flush(self) -> None:
        """Nothing waits: every line goes to the file at once."""

    def settle(self) -> None:
        """See everything safely on disk, with a second try after trouble."""
        try:
            self.open()
        except Busy:
            self.trouble = f"this conversation is not being saved: another process writes {self.path}"
        with self._lock:
            if self._fd is None:
                return
            try:
                self._drain(self._fd)
                self._sync(self._fd)
                self.trouble = None
            except OSError as exc:
                self._failed(exc)

    def close(self) -> None:
        """Let go of the file; another process may write it now."""
        if self._fd is not None:
            self.size = os.fstat(self._fd).st_size
            os.close(self._fd)
            self._fd = None

    def _drain(self, fd: int) -> None:
        while self._waiting:
            start = b"\n" if self._torn else b""
            written = os.write(fd, start + b"".join(self._waiting)) - len(start)
            self._unsynced = True
            while self._waiting and written >= len(self._waiting[0]):
                written -= len(self._waiting.pop(0))
            self._torn = written != 0  # a record of which only a part fitted is written once more, on its own line

    def _sync(self, fd: int) -> None:
        if os.fstat(fd).st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, "it was deleted while it was in use")
        if self._unsynced:
            _fdatasync(fd)
            self._unsynced = False
            self._synced = time.monotonic()
        if not self._directory_synced:
            sync_directory(self.path.parent)
            self._directory_synced = True

    def _failed(self, exc: OSError) -> None:
        reason = "it is a symbolic link" if exc.errno == errno.ELOOP else exc.strerror or type(exc).__name__
        self.trouble = f"this conversation is not being saved to {self.path}: {reason[:1].lower()}{reason[1:]}"


def _opened(path: Path, *, new: bool, alone: bool) -> int:
    if new:
        make_private(path.parent)
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    fd = os.open(path, flags | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if stat.S_IMODE(status.st_mode) != 0o600:
            os.fchmod(fd, 0o600)
        if alone:
            lock(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def lock(fd: int) -> None:
    """Be the only writer, or raise Busy; where the file system knows no locks, go on without."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy from None
    except OSError as exc:
        if exc.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            raise


def make_private(directory: Path) -> None:
    """Make the directory and its missing parents, each of them 0700."""
    if directory.is_dir():
        return
    make_private(directory.parent)
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        return
    os.chmod(directory, 0o700)  # the umask cannot widen 0700, but it can close it to ourselves


def _fdatasync(fd: int) -> None:
    if hasattr(os, "fdatasync"):  # macOS has none
        os.fdatasync(fd)
    else:
        os.fsync(fd)
