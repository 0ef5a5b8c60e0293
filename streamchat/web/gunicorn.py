"""What gunicorn keeps from its applications: how many requests a worker answers at once, and that it is to end.

It hands no part of itself to an application, so its worker is looked for among the objects of this process. Where
there is none, another server runs and nothing is known of it.
"""

import gc
import os
import sys
from typing import Any


def worker() -> Any | None:
    """gunicorn's worker in this process."""
    base = sys.modules.get("gunicorn.workers.base")
    if base is None:
        return None
    return next((it for it in gc.get_objects() if isinstance(it, base.Worker) and it.pid == os.getpid()), None)


def threads(of: Any | None) -> int | None:
    """How many threads answer requests; None where they are not counted."""
    gthread = sys.modules.get("gunicorn.workers.gthread")
    return int(of.cfg.threads) if gthread is not None and isinstance(of, gthread.ThreadWorker) else None
