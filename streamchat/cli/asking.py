"""A question to the person at the terminal that is answered with yes or no."""

import sys

from streamchat.threads import readable


def can_ask() -> bool:
    """Whether there is somebody who sees a question and can answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str, *, otherwise: bool) -> bool:
    """Whether the person says yes; `otherwise` is what Enter alone means. Ctrl+D is a no."""
    sys.stderr.write(f"{question} {'[Y/n]' if otherwise else '[y/N]'} ")
    sys.stderr.flush()
    readable(sys.stdin.fileno())
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):  # Ctrl+D leaves the cursor where it was
        sys.stderr.write("\n")
        return False
    answer = answer.strip().lower()
    return not answer.startswith("n") if otherwise else answer in ("y", "yes")
