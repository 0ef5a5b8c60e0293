"""The program's entry. Until the command line is loaded, Ctrl-C ends it as it ends any Unix program: at once, silently.

`--version` is answered before anything else is imported.
"""

# Built in: importing `signal` itself would leave a moment in which Ctrl-C prints a traceback.
import _signal  # type: ignore[import-not-found]  # it has no stub

_signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os  # noqa: E402  # which Python itself has loaded
import sys  # noqa: E402


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from streamchat import __version__

        try:
            sys.stdout.write(f"streamchat {__version__}\n")
            sys.stdout.flush()
            os._exit(0)  # taking the interpreter apart would take a sixth of the time
            return
        except OSError:  # stdout cannot take it: the command line knows how to end then
            pass
    from streamchat.cli.front import run

    run(sys.argv[1:])


if __name__ == "__main__":
    main()
