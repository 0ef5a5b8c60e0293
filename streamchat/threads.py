"""Who hears a signal: the main thread alone, which is the one that Python runs the handlers in.

The system gives a signal to whichever thread will have it, which can be one that just begins. The main thread then
learns of it when it next comes back from what it waits for, which is the next token, and not at once.
"""

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
