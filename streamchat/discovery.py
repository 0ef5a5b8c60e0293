"""Finds servers on this machine that answer a models list, quickly enough to do it before every question."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

BUDGET = 0.15
"""Seconds that all of them together may take."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST = 1 << 20


def local_servers(urls: Mapping[str, str], *, budget: float = BUDGET) -> dict[str, list[str]]:
    """Which of these providers (name to base URL) are on this machine and answer, each with its models, in order.

    An open port is not enough, for other things listen on 8000 and 8080 too: the answer must be a list of models.
    """
    near = {name: url for name, url in urls.items() if is_local(url)}
    if not near:
        return {}
    with ThreadPoolExecutor(len(near)) as pool:
        found = dict(zip(near, pool.map(lambda url: models_at(url, timeout=budget), near.values()), strict=True))
    return {name: models for name, models in found.items() if models}


def is_local(url: str) -> bool:
    """Whether the URL is plain HTTP to this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def models_at(url: str, *, timeout: float) -> list[str]:
    """The ids in the models list of a server on this machine; empty when it gives none within the time."""
    return [entry["id"] for entry in entries_at(url, timeout=timeout)]


def entries_at(url: str, *, timeout: float) -> list[dict[str, Any]]:
    """The entries of that list as the server describes them, each with its `id`."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", parts.path.rstrip("/") + "/models", headers={"Accept": "application/json"})
        response = connection.getresponse()
        listing = json.loads(response.read(_LONGEST)) if response.status == 200 else None
    except (OSError, HTTPException, ValueError):
        return []
    finally:
        connection.close()
    entries = listing.get("data") if isinstance(listing, dict) else None
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
