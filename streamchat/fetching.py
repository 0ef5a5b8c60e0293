"""A file at an address, fetched as one is that lies here: bounded in size and time, without any key or cookie.

Only http and https, also after a redirect. The person names the address, so one on this machine or network is fetched
too; nothing that a model says is ever fetched.
"""

import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from streamchat.errors import UsageError

LONGEST = 20_000_000
"""Bytes that are read of a file; more is refused, as it is of a file that lies here."""
PATIENCE = 20.0
"""Seconds of silence, and three times as many for all of it."""
_PIECE = 1 << 16


def fetched(address: str) -> tuple[str, bytes, str]:
    """The file's name, what is in it, and the encoding that the server gives it ("" for none); UsageError."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        raise UsageError(f"{parts.scheme}:// is not fetched", "Files are paths, http:// or https:// addresses, or -.")
    if parts.username or parts.password:
        raise UsageError("an address with a name or password in it is not fetched", "Fetch it, and pipe it in.")
    host = parts.hostname or ""
    request = urllib.request.Request(address, headers={"User-Agent": "streamchat", "Accept": "*/*"})
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=PATIENCE) as response:
            data = _whole(response, host)
            return _name(parts.path) or host, data, response.headers.get_content_charset() or ""
    except urllib.error.HTTPError as exc:
        raise UsageError(f"{host} does not give the file: {exc.code} {exc.reason}", "Is the address right?") from None
    except TimeoutError:
        raise UsageError(f"{host} sent nothing for {PATIENCE:.0f} s") from None
    except (OSError, HTTPException, ValueError) as exc:
        reason = getattr(exc, "reason", None) or getattr(exc, "strerror", None) or exc
        raise UsageError(f"the file at {host or address} cannot be fetched: {reason}") from None


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise UsageError(f"{req.host} redirects to what is not fetched")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _whole(response: Any, host: str) -> bytes:
    data, end = b"", time.monotonic() + 3 * PATIENCE
    while piece := response.read1(_PIECE):
        data += piece
        if len(data) > LONGEST:
            raise UsageError(f"the file at {host} is too large: more than {LONGEST // 1_000_000} MB")
        if time.monotonic() > end:
            raise UsageError(f"{host} is too slow: the file has not come in {3 * PATIENCE:.0f} s")
    return data


def _name(path: str) -> str:
    return unquote(path.rstrip("/").rpartition("/")[2])
