"""From a key to its echo while everything is loaded behind the prompt: the editor, the SDK, the embedded model.

Part of `tests.bench.speed`. Keys are typed from the moment the prompt stands there, for about two seconds.
"""

import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from string import ascii_letters

GAP = 0.025
"""Seconds between a key's echo and the next key: faster than anybody types."""
LONGEST = 5.0


def echoes(command: list[str], environment: dict[str, str]) -> Iterator[float]:
    """Seconds from each key to the first byte that shows it."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(master, (24, 80))
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    try:
        _until(master, b"> ")
        for key in ascii_letters:
            begun = time.monotonic()
            os.write(master, key.encode())
            _until(master, key.encode())
            yield time.monotonic() - begun
            _until(master, b"\0", GAP)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _until(screen: int, text: bytes, longest: float = LONGEST) -> None:
    """Read, as a terminal does, which says where its cursor is when it is asked."""
    end = time.monotonic() + longest
    came = b""
    while text not in came and (left := end - time.monotonic()) > 0:
        if select.select([screen], [], [], left)[0]:
            came += (more := os.read(screen, 65536))
            if b"\x1b[6n" in more:
                os.write(screen, b"\x1b[1;1R")
