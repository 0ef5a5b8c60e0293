"""The child process: loads the model, serves it on loopback, and is gone when its parent is.

It is started by its path and imports nothing of streamchat. The first line of JSON on stdin says what to do, one line
on stdout says where it listens or what went wrong; stdin stays open as long as the parent lives. In a process of its
own the engine can abort, miss an instruction or be killed, and the conversation goes on with one line of error.
"""

import _thread
import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from typing import Any, NoReturn


def main() -> None:
    """Serve until stdin ends."""
    # A terminal's Ctrl-C is for the parent, which stops the answer by closing its connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The engine, and a debugger that an abort may start, print wherever they like: stdout is ours alone.
    ours = os.dup(1)
    os.dup2(2, 1)
    want = json.loads(sys.stdin.buffer.readline() or b"null")
    if want is None:
        return
    # From now on in a thread of its own, so that a parent that goes away is noticed while the model loads, too.
    coming: SimpleQueue[bytes] = SimpleQueue()
    _thread.start_new_thread(_listen, (coming,))
    server = _serve(want, ours)
    _say(ours, {"url": server.listening_address})
    os.close(ours)
    while True:
        # A prompt that will be asked for: read it into the cache while the parent still gets ready to ask.
        with suppress(Exception):  # if anything is wrong with it, the request will say so
            server.handle_chat_completions({"messages": json.loads(coming.get()), "max_tokens": 0})


def _serve(want: dict[str, Any], ours: int) -> Any:
    """The running server; it returns when the model is loaded."""
    try:
        xllamacpp = import_module("xllamacpp")  # which has no types
    except ImportError as exc:
        _give_up(ours, "engine", exc)
    params = xllamacpp.CommonParams()
    try:
        params.model.path, params.model_alias = want["path"], {want["name"]}
        params.n_ctx, params.n_parallel = want["context"], want["parallel"]
        params.kv_unified = want["parallel"] > 1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = want["threads"]
        params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [want["key"]]
        params.cors_origins, params.ui = "", False  # any web page could use the port otherwise
        params.endpoint_slots = want["inspect"]
        params.cache_ram_mib = 256
        params.warmup = params.fit_params = False  # a second of start-up each, for nothing that a small model has
        params.verbosity = -1
        return xllamacpp.Server(params)
    except (RuntimeError, ValueError, TypeError, OverflowError) as exc:
        _give_up(ours, "weights", exc)


def _give_up(ours: int, error: str, exc: Exception) -> NoReturn:
    _say(ours, {"error": error, "detail": str(exc)})
    os._exit(1)


def _say(ours: int, line: dict[str, str]) -> None:
    os.write(ours, json.dumps(line).encode() + b"\n")


def _listen(coming: "SimpleQueue[bytes]") -> None:
    while line := sys.stdin.buffer.readline():
        coming.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
