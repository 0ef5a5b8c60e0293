"""What the answers of all formats are made of."""

import json
from typing import Any

Packets = list[bytes]
"""An answer: one event in each packet."""

CREATED = 1_790_000_000
OPENAI_MODEL = "gpt-5.1-2026-08-07"
ANTHROPIC_MODEL = "claude-sonnet-5-20260901"
REQUEST_ID = "req_011CWireServer"


def event(data: Any, name: str | None = None) -> bytes:
    """One event with JSON data; a name puts an `event:` line in front."""
    return (f"event: {name}\n" if name else "").encode() + b"data: " + dump(data) + b"\n\n"


def dump(data: Any) -> bytes:
    """JSON as the services write it: compact and UTF-8; half a surrogate pair only as an escape."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(data, separators=(",", ":")).encode()
