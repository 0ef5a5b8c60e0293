"""kill -9 at any instant: how much of what a person saw is not on disk. STREAMCHAT_TEST_KILLS says how often."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from streamchat.history.conversation import Conversation
from tests.history.conversations import texts

KILLS = int(os.environ.get("STREAMCHAT_TEST_KILLS", "5"))
WORDS = 2_000_000
PYTHON = [sys.executable, "-m", "tests.history.streaming"]
ROOT = Path(__file__).parent.parent.parent


def _seen(directory: Path, seconds: float) -> tuple[Path, str]:
    """The file and what a process had shown when it was killed."""
    with subprocess.Popen(
        [*PYTHON, str(directory), str(WORDS)], cwd=ROOT, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdout is not None
        path = process.stdout.readline().decode().strip()
        end = time.monotonic() + seconds
        seen = b""
        while time.monotonic() < end:
            seen += os.read(process.stdout.fileno(), 65536)
        process.send_signal(signal.SIGKILL)
        seen += process.stdout.read()
    return Path(path), seen.decode()


def test_kill_9_loses_nothing_that_was_shown(tmp_path: Path) -> None:
    chance = random.Random(5)
    lost = []
    for _ in range(KILLS):
        path, seen = _seen(tmp_path, chance.uniform(0, 0.2))
        conversation = Conversation.load(path)
        ((question, kept),) = texts(conversation.turns())
        assert question == "Count."
        assert kept.startswith(seen) or seen.startswith(kept)
        lost.append(max(0, len(seen) - len(kept)))
        assert conversation.turns()[0].ending == "unfinished"
        conversation.begin("Go on.")  # no lock is left behind
        assert conversation.notices == []
        conversation.close()
    print(f"\n{KILLS} kills: lost {max(lost)} characters at worst, {sorted(lost)[len(lost) // 2]} in the median")

    assert max(lost) == 0


def test_eight_processes_at_once(tmp_path: Path) -> None:
    words = 300
    running = [
        subprocess.Popen([*PYTHON, str(tmp_path), str(words)], cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(8)
    ]
    assert [process.wait() for process in running] == [0] * 8
    expected = "".join(f"{number} " for number in range(words))
    loaded = [Conversation.load(path) for path in sorted(tmp_path.rglob("*.jsonl"))]

    assert len(loaded) == 8
    assert all(texts(conversation.turns()) == [("Count.", expected)] for conversation in loaded)
    assert all(not conversation.notices for conversation in loaded)
