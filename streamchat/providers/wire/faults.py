"""Names what went wrong between us and a provider, the same way for every vendor.

The SDKs say "Connection error." for everything and keep the cause in the exception's chain; a provider reports its
errors by HTTP status, in an event, or in a JSON body. All of it ends here as one of our errors with a line that
names host and cause.
"""

import errno
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from streamchat.errors import (
    AuthError,
    BusyError,
    ChatError,
    NetworkError,
    ProviderError,
    StalledError,
    UnknownModelError,
)

_LONGEST = 500
"""Characters of a foreign message that are shown: some gateways answer with a whole page."""

_BUSY_WORDS = (
    "overloaded",
    "rate_limit",
    "rate limit",
    "too many requests",
    "unavailable",
    "capacity",
    "engine_busy",
)
_AUTH_WORDS = ("authentication", "invalid_api_key", "permission", "unauthorized", "forbidden")
_BROKEN = {
    *("RemoteProtocolError", "ReadError", "DecodingError", "IncompleteRead"),
    *("ServerDisconnectedError", "ClientPayloadError", "ClientResponseError"),
    *("HttpProcessingError", "TransferEncodingError", "ClientConnectionError"),
    "error",
}
"""What the libraries call a connection that was there and did not hold: httpx's names, aiohttp's, zlib's."""
_OUT_OF_MONEY = ("insufficient_quota", "billing", "credit", "payment", "spend_limit", "spend limit")


def one_line(text: object, *, longest: int = _LONGEST) -> str:
    """A foreign message as one line of bounded length, without the characters that steer a terminal."""
    line = " ".join(
        "".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in str(text)[: 4 * longest]).split()
    )
    return line if len(line) <= longest else line[: longest - 1] + "…"


def host_of(url: object) -> str:
    """`host:port` of a URL, as far as it has them; never its user part, path or query."""
    parts = urlsplit(str(url))
    if not parts.hostname:
        return one_line(url, longest=80)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.hostname if port is None else f"{parts.hostname}:{port}"


def api_error(
    name: str,
    message: object,
    *,
    kind: str = "",
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> ChatError:
    """The provider's own error as ours: `kind` is its type or code, `status` the HTTP status where there is one."""
    said = one_line(message) or "no message"
    tags = f"{kind} {said}".lower()
    if any(word in tags for word in _OUT_OF_MONEY) and status in (None, 200, 402, 403, 429):
        refused = BusyError(
            f"{name} refused: {said}", "The account's quota or credit is used up; see its billing page."
        )
        refused.transient = False
        return refused
    if status in (401, 403) or (status in (None, 200) and any(word in kind.lower() for word in _AUTH_WORDS)):
        return AuthError(f"{name} refused the request: {said}", "Check the API key: streamchat config show --origin")
    if status in (408, 429, 503, 529) or (status in (None, 200, 500) and any(word in tags for word in _BUSY_WORDS)):
        return _busy(name, said, headers or {})
    if status == 404 or "model_not_found" in kind:
        return UnknownModelError(f"{name} does not know it: {said}", f"See what it has: streamchat models list {name}")
    shown = f" (HTTP {status})" if status not in (None, 200) else ""
    error = ProviderError(f"{name} answered with an error{shown}: {said}")
    error.transient = status == 409 or (status or 0) >= 500
    error.status = status
    return error


def body_error(
    name: str, body: Any, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> ChatError:
    """The error in a decoded JSON body, in any of the shapes in use."""
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, dict) and isinstance(body.get("error"), dict | str):
        body = body["error"]
    if isinstance(body, dict):
        kind = " ".join(str(body[key]) for key in ("type", "code", "status") if body.get(key))
        message = body.get("message") or body.get("detail") or kind or "no message"
        return api_error(name, message, kind=kind, status=status, headers=headers)
    return api_error(name, body, status=status, headers=headers)


def network_error(
    name: str, url: object, exc: BaseException, *, timeout: float, proxy: str | None = None
) -> NetworkError:
    """What the chain of causes below `exc` says about the connection to `url`, by way of the proxy if there is one."""
    host = host_of(url)
    chain = _told(list(_causes(exc)))
    names = {type(link).__name__ for link in chain}
    for link in reversed(chain):
        if isinstance(link, ssl.SSLError):
            why = one_line(getattr(link, "verify_message", "") or getattr(link, "reason", "") or link)
            return NetworkError(
                f"{name}: no secure connection to {host}: {why}",
                "A company proxy's certificate can be named with SSL_CERT_FILE.",
            )
        if proxy and isinstance(link, socket.gaierror | ConnectionRefusedError):
            why = "was not found" if isinstance(link, socket.gaierror) else "refused the connection"
            return NetworkError(f"{name}: the proxy {host_of(proxy)} {why}", "Check the proxy's address: --proxy URL")
        if isinstance(link, socket.gaierror):
            return NetworkError(f"{name}: the name {host} was not found", "Check the network and the base URL.")
        if isinstance(link, ConnectionRefusedError):
            return NetworkError(f"{name}: {host} refused the connection", "Is the server running? Check the base URL.")
    if names & {"ConnectTimeout", "ConnectionTimeoutError"}:
        return _passing(
            StalledError(f"{name}: {host} did not take the connection in time", "Check the network and the proxy.")
        )
    if any("Timeout" in each for each in names):
        return StalledError(
            f"{name}: {host} sent nothing for {timeout:g} s", "Wait longer with --idle-timeout SECONDS."
        )
    if names & {"UnsupportedProtocol", "InvalidUrlClientError", "NonHttpUrlClientError"}:
        return NetworkError(f"{name}: the base URL has no http:// or https:// in front: {host}", "Correct base_url.")
    if "ProxyError" in names:
        return NetworkError(f"{name}: the proxy did not let us through to {host}: {_innermost(chain)}")
    if names & _BROKEN or _was_reset(chain):
        return _passing(
            NetworkError(
                f"{name}: the connection to {host} broke: {_innermost(chain)}", "What came is kept. Ask again."
            )
        )
    return _passing(
        NetworkError(f"{name}: no connection to {host}: {_innermost(chain)}", "Check the network and the base URL.")
    )


def _passing(error: NetworkError) -> NetworkError:
    error.transient = True
    return error


def _busy(name: str, said: str, headers: Mapping[str, str]) -> BusyError:
    seconds = _seconds(headers)
    when = "in a while" if seconds is None else f"in {seconds:.0f} s"
    return BusyError(f"{name} is busy: {said}", f"Ask again {when}.", retry_after=seconds)


def _seconds(headers: Mapping[str, str]) -> float | None:
    """The provider's wish: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110, 10.2.3)."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        value = headers.get(name, "")
        try:
            return max(0.0, float(value) / unit)
        except ValueError:
            pass
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except ValueError:
        return None


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and what caused it, outermost first; a chain that bites its tail ends."""
    seen: set[int] = set()
    link: BaseException | None = exc
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _told(chain: list[BaseException]) -> list[BaseException]:
    """Without the names that aiohttp's errors are given on their way through the SDK: a connection that was closed, or
    has a wrong certificate, is a time-out among them."""
    own = (number for number, link in enumerate(chain) if type(link).__module__.startswith("aiohttp."))
    return chain[next(own, 0) :]


def _innermost(chain: list[BaseException]) -> str:
    spoken = [one_line(link, longest=200) for link in chain if str(link)]
    return spoken[-1].rstrip(".") if spoken else type(chain[-1]).__name__


def _was_reset(chain: list[BaseException]) -> bool:
    return any(isinstance(link, OSError) and link.errno in (errno.ECONNRESET, errno.EPIPE) for link in chain)
