"""What the sanitiser costs: megabytes of text made safe, beside printing them as they are. Run by hand:

python -m tests.bench.safe
"""

import statistics
import sys
import time
from collections.abc import Callable

from streamchat.views.safe import safe
from tests.bench.render import corpus

TEXTS = {
    "answers": corpus(1_000_000),
    "ASCII": "Words of plain prose, and more of them. " * 25_000,
    "Chinese": "漢字かな交じり文。" * 60_000,
    "nothing but controls": "\x1b\x07\x9b\u202e" * 250_000,
    "every character": "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000)))),
}
ROUNDS = 9


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    print(f"{'':24}{'safe, ms/MB':>14}{'write, ms/MB':>14}{'ratio':>8}")
    for name, text in TEXTS.items():
        size = len(text.encode()) / 1e6
        with open("/dev/null", "w", encoding="utf-8") as out:
            pairs = [(timed(lambda: safe(text)), timed(lambda: (out.write(text), out.flush()))) for _ in range(ROUNDS)]  # noqa: B023
        ours, raw = (statistics.median(side) * 1000 / size for side in zip(*pairs, strict=True))
        print(f"{name:24}{ours:14.2f}{raw:14.2f}{ours / raw:8.1f}")


if __name__ == "__main__":
    sys.exit(main())
