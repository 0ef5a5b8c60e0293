"""Every fault of the wire through the real program, and a table of what each does.

python -m tests.faults [WORDS]      only the cases that have all of these words in their names
"""

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.program import Result, run
from tests.providers.test_faults import place_of
from tests.wire.answers import MESSAGES, RESPONSES
from tests.wire.case import Case
from tests.wire.cases import CASES
from tests.wire.server import Server

KEY = "sk-fault-1234567890abcdef"


def asked(case: Case, server: Server, home: Path) -> tuple[Result, str]:
    """What `streamchat ask` does with one case, and the host that its error has to name."""
    server.play(*case.scenarios)
    host, url = place_of(case, server)
    config = home / "config.toml"
    config.write_text(
        f"[providers.wire]\nkind = {'anthropic' if case.form is MESSAGES else 'openai'!r}\nbase_url = {url!r}\n"
        f"api = {'responses' if case.form is RESPONSES else 'chat'!r}\napi_key_env = 'WIRE_KEY'\n"
    )
    done = run(
        *("ask", "-m", "wire/m", "--config", str(config), "--idle-timeout", str(case.timeout)),
        *("--retries", str(max(case.tries, 1) - 1), "hello"),
        env={"HOME": str(home), "WIRE_KEY": KEY, **{f"XDG_{kind}_HOME": str(home / kind) for kind in XDG}},
        timeout=60,
    )
    return done, host


XDG = ("CONFIG", "DATA", "STATE", "CACHE")


def wrongs(case: Case, done: Result, host: str) -> list[str]:
    """What is not as the case has it."""
    found = []
    errors = [line for line in done.err.splitlines() if line.startswith("streamchat: ")]
    expected = 2 if case.place == "no scheme" else case.exit_code  # a configuration refuses that by itself
    if done.status != expected:
        found.append(f"exit code {done.status} for {expected}")
    if done.stdout.rstrip(b"\n") != case.text.encode("utf-8", "replace").rstrip(b"\n"):
        found.append("not the text that came")
    words = [word.format(host=host) for word in (*case.words, "{host}" if case.place != "no scheme" else "")]
    if case.error and not any(all(word in line for word in words) for line in errors):
        found.append(f"no line on stderr has {words}")
    if "Traceback" in done.err or KEY in done.err or "\x1b" in done.err:
        found.append("stderr has what it must not")
    return found


def main(words: list[str]) -> int:
    cases = [case for case in CASES if all(word in str(case) for word in words)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(_row, cases))
    for row in rows:
        print(" | ".join(row))
    bad = sum(bool(row[-1]) for row in rows)
    print(f"{len(rows)} cases, {bad} not as they should be")
    return bool(bad)


def _row(case: Case) -> tuple[str, ...]:
    with Server() as server, tempfile.TemporaryDirectory() as home:
        done, host = asked(case, server, Path(home))
    line = next((line for line in done.err.splitlines() if line.startswith("streamchat: ")), "")
    said = line.removeprefix("streamchat: ").replace(host, "HOST")[:100]
    return str(case), f"exit {done.status}", f"{len(done.stdout)} bytes", said, "; ".join(wrongs(case, done, host))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
