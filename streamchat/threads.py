"""Who hears a signal, and when: the main thread alone, which is the one that Python runs the handlers in, at once.

The system gives a signal to whichever thread will have it, which can be one that just begins. The main thread then
learns of it when it next comes back from what it waits for, which is the next token, and not at once.
"""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP)


@contextmanager
def deaf() -> Iterator[None]:
    """A thread that is started in this block leaves the signals that end or stop the program to the others.

    What such a thread starts would be deaf to them too: it is to start no program.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def readable(descriptor: int) -> None:
    """Wait in the main thread until there is something to read there, or a signal's handler raises.

    A signal that comes just before a system call which waits is only noted by the interpreter, and would be heard of
    when the call returns. So the call waits for the interpreter's note as well.
    """
    noted, note = os.pipe()
    os.set_blocking(note, False)
    before = signal.set_wakeup_fd(note, warn_on_full_buffer=False)
    try:
        while descriptor not in select.select([descriptor, noted], [], [])[0]:
            os.read(noted, 512)
    finally:
        signal.set_wakeup_fd(before)
        os.close(noted)
        os.close(note)
