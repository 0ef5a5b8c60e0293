"""How the program ends: the one place where an error becomes a line on stderr and an exit code.

0 done · 1 the provider or the program failed · 2 usage or configuration · 3 authentication · 4 rate limit or overload ·
5 network · 6 incomplete with --strict. What a signal ends dies of that signal, so that a shell sees 130 (Ctrl-C),
141 (the reader has gone) or 143 (terminated), and a loop around the program stops with it.
"""

import _thread
import contextlib
import errno
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from streamchat.errors import ChatError

DEBUG = "STREAMCHAT_DEBUG"
"""The variable that asks for the traceback of an error in the program itself."""


class Signalled(BaseException):
    """A signal that ends the program, on its way through everything that has something to put in order."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def settled() -> None:
    """Everything is imported: what is there will stay, and need not be looked through for garbage again."""
    gc.freeze()
    gc.enable()


def guarded(work: Callable[[], int | None]) -> NoReturn:
    """Do the work and leave, whatever happens in it."""
    code = 1
    arrived: list[int] = []
    _open_descriptors()
    gc.disable()  # until everything is imported: looking for garbage among classes is a tenth of the start
    try:
        with _signals(arrived):
            code = work() or 0
            sys.stdout.flush() if sys.stdout else None
    except KeyboardInterrupt:
        die(signal.SIGINT)
    except Signalled as exc:
        die(exc.number)
    except Exception as exc:
        if arrived:  # what fails on the way out, at a terminal that has gone, is no news
            die(arrived[0])
        code = _told(exc)
    leave(code)


def _told(exc: Exception) -> int:
    """The error in a line; its exit code."""
    match exc:
        case ChatError():
            tell(exc)
            return exc.exit_code
        case OSError():
            complain(f"{exc.strerror or exc}" + (f": {exc.filename}" if exc.filename else ""), _hint(exc))
        case _:  # the last line of defence: a bug is one line too, and its traceback on request
            _bug(exc)
    return 1


def _hint(exc: OSError) -> str | None:
    """Files are written under their names; what has none and no room is where the output leads."""
    if exc.filename is None and exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The output cannot take more. An answer is kept all the same: streamchat history show"
    return None


def tell(error: ChatError) -> None:
    """The error's line and its hint."""
    complain(error.message, error.hint)


def complain(message: str, hint: str | None = None) -> None:
    """One line of what, one of what next, on stderr; foreign text in them cannot steer the terminal."""
    from streamchat.views.safe import one_line

    say(f"streamchat: {one_line(message)}")
    if hint:
        say(f"  {one_line(hint)}")


def notice(line: str) -> None:
    """Something that a person should know and that is no error."""
    from streamchat.views.safe import one_line

    say(f"streamchat: {one_line(line)}")


def silence(line: str) -> None:
    """`notice` for --quiet."""


def say(line: str) -> None:
    """A line on stderr, wherever that leads: a closed or full stderr must not change how the program ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stderr.flush()


def leave(code: int) -> NoReturn:
    """End now. What is buffered is written; a stdout that cannot take it has been reported where it was written."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def die(number: int) -> NoReturn:
    """End by this signal, silently."""
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(128 + number)


def _open_descriptors() -> None:
    """Put the empty device where stdin, stdout or stderr is closed: the next file to be opened would take its place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # for as long as the program runs
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


@contextlib.contextmanager
def _signals(arrived: list[int]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP as exceptions in the main thread, so that every `finally` on the way runs. The last
    two are noted too: an exception can be lost to another one."""
    thread = _thread.get_ident()

    def raise_it(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough: the way out is not to be interrupted
        arrived.append(number)
        raise Signalled(number)

    def send_again(lost: "sys.UnraisableHookArgs") -> None:
        number = lost.exc_value.number if isinstance(lost.exc_value, Signalled) else int(signal.SIGINT)
        if not isinstance(lost.exc_value, Signalled | KeyboardInterrupt):
            sys.__unraisablehook__(lost)
            return
        if number != signal.SIGINT:
            signal.signal(number, raise_it)
        _thread.start_new_thread(_send, (thread, number))

    # One that comes in a callback of the interpreter's own, of which every import has one, would be lost there.
    sys.unraisablehook = send_again
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, raise_it)
    yield


def _send(thread: int, number: int) -> None:
    time.sleep(0.005)  # until who was told that it was lost is through, or it would be lost there too
    signal.pthread_kill(thread, number)


def _bug(exc: Exception) -> None:
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exception(exc)
    complain(
        f"an error in streamchat itself: {type(exc).__name__}: {exc}",
        f"What had come is kept. Please report it; {DEBUG}=1 shows where it happened.",
    )
