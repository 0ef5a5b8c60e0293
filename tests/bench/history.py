"""What history costs: a turn's journal, a store of 20,000 conversations, and 200 kills of a streaming `ask`.

    python -m tests.bench.history journal
    python -m tests.bench.history kills
    python -m tests.bench.history store [--conversations 20000] [--at DIRECTORY] [--llm PYTHON]

The store is made in a temporary directory and deleted, or kept in DIRECTORY. PYTHON is an interpreter that has `llm`
installed: then the same turns go into an llm `logs.db` and `llm logs` is measured beside ours, whole commands both.
"""

import argparse
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from streamchat.chat import Reply
from streamchat.events import Text
from streamchat.history import records
from streamchat.history.conversation import Conversation
from streamchat.history.query import parse
from streamchat.history.records import Answer, End, Head, Question, TextLine
from streamchat.history.store import Store

WORDS = [
    f"{a}{b}{c}"
    for a in ("sal", "ter", "min", "vor", "qua", "lin")
    for b in ("o", "a", "ist", "eri")
    for c in ("n", "ta", "mus", "del", "x", "")
]
TURNS = 10
DELTAS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["journal", "store", "kills"])
    parser.add_argument("--conversations", type=int, default=20_000)
    parser.add_argument("--at", type=Path)
    parser.add_argument("--llm", metavar="PYTHON")
    chosen = parser.parse_args()
    if chosen.what != "store":
        journal() if chosen.what == "journal" else kills(200)
        return
    place = chosen.at or Path(tempfile.mkdtemp(prefix="streamchat-bench-"))
    try:
        store(place, chosen.conversations, chosen.llm)
    finally:
        if chosen.at is None:
            shutil.rmtree(place, ignore_errors=True)


def journal() -> None:
    """A delta through the journal, beside a bare loop over the same events."""
    with tempfile.TemporaryDirectory() as place:
        conversation = Conversation.new(Path(place))
        events = [Text(f" word{number}") for number in range(200_000)]
        begun = time.perf_counter()
        turn = conversation.begin("Count.")
        opened = time.perf_counter()
        for _ in turn.record(events):
            pass
        recorded = time.perf_counter()
        turn.end(Reply())
        ended = time.perf_counter()
        conversation.close()
    print(f"begin a turn    {(opened - begun) * 1e3:8.2f} ms")
    print(f"each delta      {(recorded - opened) * 1e6 / len(events):8.2f} us")
    print(f"end, on disk    {(ended - recorded) * 1e3:8.2f} ms")


def store(place: Path, count: int, llm: str | None) -> None:
    data = place / "data" / "streamchat" / "conversations"
    if not data.is_dir():
        generate(data, count)
    size = sum(path.stat().st_size for path in data.rglob("*.jsonl"))
    print(f"{count} conversations, {count * TURNS} turns, {size / 1e6:.0f} MB")
    cache = place / "cache" / "streamchat"
    shutil.rmtree(cache, ignore_errors=True)
    kept = Store(data, cache)
    once("cold build of the index", lambda: kept.index)
    index = kept.index
    print(f"  {'its file':32} {sum(file.stat().st_size for file in cache.iterdir()) / 1e6:9.0f} MB")
    often("nothing changed: catch up", index.refresh)
    changing = list(data.rglob("*.jsonl"))
    often("one file changed: catch up", index.refresh, before=lambda: touched(random.choice(changing)))
    often("list 20", lambda: index.entries(limit=20))
    often("find @-1 and load it", lambda: Conversation.load(index.entries(limit=1)[0].path))
    for query in (
        "salon",
        "term*",
        "salon vorta quax",
        '"salon minta"',
        "needle",
        "model:m-3 linx",
        "after:2026-06 salon",
        "role:user teron",
    ):
        often(f"search {query}", partial(index.search, parse(query), limit=20))
    index.close()
    environ = os.environ | {
        "XDG_DATA_HOME": str(place / "data"),
        "XDG_CACHE_HOME": str(place / "cache"),
        "HOME": str(place),
    }
    ours = [sys.executable, "-m", "streamchat", "history"]
    print("whole commands")
    for name, command in {
        "streamchat history list": [*ours, "list"],
        "streamchat history show @-1": [*ours, "show", "@-1"],
        "streamchat history search salon": [*ours, "search", "salon"],
        "streamchat history search needle": [*ours, "search", "needle"],
    }.items():
        often(name, partial(run, command, environ), times=5)
    if llm:
        beside_llm(place, data, llm, environ)


def beside_llm(place: Path, data: Path, llm: str, environ: dict[str, str]) -> None:
    home = place / "llm"
    environ = environ | {"LLM_USER_PATH": str(home)}
    theirs = [llm, "-m", "llm", "logs"]
    if not (home / "logs.db").exists():
        home.mkdir(exist_ok=True)
        migrate = (
            "import sqlite_utils, sys; from llm.migrations import migrate; migrate(sqlite_utils.Database(sys.argv[1]))"
        )
        run([llm, "-c", migrate, str(home / "logs.db")], environ)
        fill(home / "logs.db", data)
    print(f"  {'llm logs.db':32} {(home / 'logs.db').stat().st_size / 1e6:9.0f} MB")
    for name, command in {
        "llm logs list -n 20": [*theirs, "list", "-n", "20", "--short"],
        "llm logs -c (last conversation)": [*theirs, "-c"],
        "llm logs -q salon": [*theirs, "-q", "salon", "-n", "20", "--short"],
        "llm logs -q needle": [*theirs, "-q", "needle", "-n", "20", "--short"],
    }.items():
        often(name, partial(run, command, environ), times=5)


def run(command: list[str], environ: dict[str, str]) -> None:
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)


def once(name: str, work: Callable[[], object]) -> None:
    begun = time.perf_counter()
    work()
    print(f"  {name:32} {time.perf_counter() - begun:9.2f} s", flush=True)


def often(
    name: str, work: Callable[[], object], *, times: int = 9, before: Callable[[], object] = lambda: None
) -> None:
    took = []
    for _ in range(times):
        before()
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1e3)
    print(f"  {name:32} {statistics.median(took):9.1f} ms  (worst {max(took):.1f})", flush=True)


def touched(path: Path) -> None:
    with path.open("ab") as file:
        file.write(records.encode(records.Named(f"changed {time.time_ns()}")))


def generate(data: Path, count: int) -> None:
    """Conversations over two years, with answers of 100 deltas in nearly random words."""
    chance = random.Random(7)
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(count):
        moment = begin + timedelta(minutes=number * 50)
        head = Head(f"{number:06d}" + "".join(chance.choices("abcdefgh", k=4)), records.VERSION, stamp(moment))
        lines: list[records.Record] = [head]
        before = None
        for turn in range(TURNS):
            moment += timedelta(minutes=2)
            question, answer = f"q{turn}", f"a{turn}"
            asked = " ".join(chance.choices(WORDS, k=12)) + (" needle" if chance.random() < 0.00005 else "")
            lines.append(Question(question, before, content=asked, time=stamp(moment)))
            lines.append(Answer(answer, question, "bench", f"m-{number % 9}", None, time=stamp(moment)))
            lines += [TextLine(f"{word} ", place / 50) for place, word in enumerate(chance.choices(WORDS, k=DELTAS))]
            lines.append(End("stop", elapsed=2.0))
            before = answer
        path = data / stamp(moment)[:4] / stamp(moment)[5:7] / f"{head.id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(map(records.encode, lines)))
        os.utime(path, (moment.timestamp(), moment.timestamp()))


def fill(logs: Path, data: Path) -> None:
    """The same turns in llm's tables, as its version 0.36 keeps them."""
    db = sqlite3.connect(logs)
    with db:
        for path in sorted(data.rglob("*.jsonl")):
            conversation = Conversation.load(path, save=False)
            tip = None
            for number, turn in enumerate(conversation.turns()):
                key = f"{conversation.id}-{number}"
                asked, answered = f"{key}-q", f"{key}-a"
                db.execute("INSERT INTO messages (hash, parent_hash, role) VALUES (?, ?, 'user')", (asked, tip))
                db.execute(
                    "INSERT INTO messages (hash, parent_hash, role) VALUES (?, ?, 'assistant')", (answered, asked)
                )
                for message, text in ((asked, turn.question.content), (answered, turn.text)):
                    part = "INSERT INTO parts (message_hash, position, type, text) VALUES (?, 0, 'text', ?)"
                    db.execute(part, (message, text))
                columns = "id, thread_id, parent_message_hash, tip_message_hash, model, options_json, datetime_utc"
                values = key, conversation.id, asked, answered, "m", "{}", turn.time.rstrip("Z")
                db.execute(f"INSERT INTO turns ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)
                found = "INSERT INTO turn_search (turn_id, prompt, response) VALUES (?, ?, ?)"
                db.execute(found, (key, turn.question.content, turn.text))
                tip = answered
            thread = "INSERT INTO threads (id, name, tip_message_hash, datetime_utc) VALUES (?, ?, ?, ?)"
            db.execute(thread, (conversation.id, path.stem, tip, conversation.created.rstrip("Z")))
    db.close()


def kills(times: int) -> None:
    """Kills a real `ask` at random instants after its first word; what was shown and is not on disk."""
    chance = random.Random(11)
    lost = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as place:
            environ = os.environ | {"XDG_DATA_HOME": place, "XDG_CACHE_HOME": place, "HOME": place}
            command = [sys.executable, "-m", "streamchat", "ask", "-q", "-m", "replay/showcase", "tides"]
            with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, bufsize=0) as asking:
                assert asking.stdout is not None
                seen = os.read(asking.stdout.fileno(), 65536)
                end = time.monotonic() + chance.uniform(0, 2)
                while time.monotonic() < end and (more := os.read(asking.stdout.fileno(), 65536)):
                    seen += more
                asking.kill()
                seen += asking.stdout.read()
            (path,) = Path(place).rglob("*.jsonl")
            text = Conversation.load(path, save=False).turns()[0].text
            shown = seen.decode(errors="ignore")
            assert text.startswith(shown.rstrip("\n")) or shown.startswith(text)
            lost.append(max(0, len(shown.rstrip("\n")) - len(text)))
    print(f"{times} kills: {max(lost)} characters lost at worst, {statistics.median(lost):.0f} in the median")


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    main()
