"""Who is let in: the names that this server answers to, the pages that may ask it, the token that opens it.

- **Host** is compared whole, port included, before anything else: a foreign name that was made to point here (DNS
  rebinding) is not ours. 421.
- **Sec-Fetch-Site** must be `same-origin` or `none` where a browser sends it, and **Origin** must be our own Host where
  it does not: no other page, another port of this machine among them, makes requests in a person's name. 403. Programs
  send neither. What `cors` names may ask the public interfaces under /v1, and nothing else.
- Bodies are JSON by their content type, which no page can send elsewhere without asking first. 415.
- The **token** is wanted on loopback too, where other users of the machine are. A page has a cookie instead, which it
  gets for a code that is good once. Everything secret is compared in constant time. 401.

The rules for other sites are those of Go's CrossOriginProtection and of the Fetch Metadata specification (W3C).
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from streamchat.web.errors import WebError
from streamchat.web.http import JSON, Request

COOKIE = "streamchat"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_DAYS = 30
_CODE_SECONDS = 86400
_WITH_BODY = ("POST", "PUT", "PATCH")


class Guard:
    """The door of one server. `token` opens it to programs; `code()` makes what opens it to a page, once."""

    def __init__(
        self,
        token: str,
        *,
        hosts: frozenset[str],
        any_port: bool = False,
        cors: frozenset[str] = frozenset(),
        shared: bool = False,
    ) -> None:
        """`hosts`: the exact values that a Host header may have; with `any_port` their ports do not count, for who
        mounts this into an app of their own. `cors`: origins that may use /v1 from their pages. `shared`: other
        processes with the same token take the codes that this one makes, and who asks keeps account of their use."""
        self._token = token.encode()
        self._hosts = frozenset(host.lower() for host in hosts)
        self._any_port = any_port
        self._cors = cors
        self._shared = shared
        self._codes: set[bytes] = set()

    def code(self) -> str:
        """A new code for a page's address; it is good once."""
        code = secrets.token_urlsafe(24)
        if self._shared:
            code = f"{int(time.time()) + _CODE_SECONDS}.{code}"
            return f"{code}.{self._signed(code, b'code')}"
        self._codes.add(_digest(code))
        return code

    def shared_code(self, code: str) -> str | None:
        """What tells a code that is good for all processes from others, if it is one; whether it was used before is
        for who asks to find out."""
        value, _, signature = code.rpartition(".")
        signed = self._signed(value, b"code").encode()
        if not self._shared or not hmac.compare_digest(signature.encode("utf-8", "replace"), signed):
            return None
        until = value.partition(".")[0]
        return _digest(value).hex() if until.isdigit() and int(until) > time.time() else None

    def check(self, request: Request) -> None:
        """WebError for a request that comes by a foreign name, from a foreign page, or with a body that is no JSON."""
        host = request.headers.get("host", "")
        if not self._is_ours(host):
            raise WebError(
                421, "host", "this server does not go by that name", "Allow a name with --allow-host NAME:PORT."
            )
        if request.path.startswith(("/api/", "/v1/", "/stream")) and not self._is_own_page(request, host):
            raise WebError(403, "origin", "another site's page may not ask this server")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
        if request.method in _WITH_BODY and has_body and kind != JSON:
            raise WebError(415, "content_type", f"the body must be {JSON}")

    def user(self, request: Request) -> str:
        """Who asks, by token or cookie; WebError 401 for who has neither."""
        given = request.headers.get("authorization", "")
        bearer = given[7:] if given[:7].lower() == "bearer " else request.headers.get("x-api-key", "")
        if bearer and hmac.compare_digest(bearer.strip().encode("utf-8", "replace"), self._token):
            return "token"
        if session := self._session(request.headers):
            return session
        raise WebError(
            401,
            "unauthorized",
            "the token is not right" if bearer else "this server wants its token",
            "Programs send it as a bearer token; a page gets it by the address that `streamchat serve` prints.",
        )

    def entered(self, code: str, request: Request) -> str:
        """The Set-Cookie that lets a page in, for a code that was not used yet or for the token itself. Who has one
        already stays who it was: the tabs of a browser are one person's."""
        digest = _digest(code)
        known = next((kept for kept in self._codes if hmac.compare_digest(kept, digest)), None)
        if (
            known is None
            and self.shared_code(code) is None
            and not hmac.compare_digest(code.encode("utf-8", "replace"), self._token)
        ):
            raise used()
        self._codes.discard(known or b"")
        until = int(time.time()) + _DAYS * 86400
        value = f"{until}.{self._session(request.headers) or secrets.token_urlsafe(9)}"
        return _cookie(f"{value}.{self._signed(value)}", _DAYS * 86400, request)

    def left(self, request: Request) -> str:
        """The Set-Cookie that takes the cookie away."""
        return _cookie("", 0, request)

    def cors_headers(self, request: Request) -> dict[str, str]:
        """What lets a named origin's page read an answer of /v1."""
        origin = request.headers.get("origin", "")
        if origin not in self._cors or not request.path.startswith("/v1/"):
            return {}
        return {
            "access-control-allow-origin": origin,
            "access-control-allow-headers": "authorization, content-type, x-api-key, anthropic-version, anthropic-beta",
            "access-control-allow-methods": "GET, POST",
            "access-control-max-age": "600",
            "vary": "origin",
        }

    def _session(self, headers: Mapping[str, str]) -> str:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return ""
        value, _, signature = (cookie.value if cookie else "").rpartition(".")
        if not value or not hmac.compare_digest(signature.encode("utf-8", "replace"), self._signed(value).encode()):
            return ""
        until, _, name = value.partition(".")
        return name if until.isdigit() and int(until) > time.time() else ""

    def _signed(self, value: str, what: bytes = b"page") -> str:
        signed = b"streamchat %b %b" % (what, value.encode("utf-8", "replace"))
        return hmac.new(self._token, signed, hashlib.sha256).hexdigest()

    def _is_ours(self, host: str) -> bool:
        host = host.lower()
        return (_without_port(host) if self._any_port else host) in self._hosts

    def _is_own_page(self, request: Request, host: str) -> bool:
        origin = request.headers.get("origin")
        if origin in self._cors and request.path.startswith("/v1/"):
            return True
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def _cookie(value: str, age: int, request: Request) -> str:
    end = "; Secure" if request.secure else ""
    return f"{COOKIE}={value}; Path={request.root or '/'}; Max-Age={age}; HttpOnly; SameSite=Strict{end}"


def used() -> WebError:
    """The code of a page's address is no good any more."""
    return WebError(401, "unauthorized", "this address was used already, or is another server's", "Ask for a new one.")


def hosts_of(port: int, *names: str) -> frozenset[str]:
    """Every value of a Host header that means this machine at this port, or one of these names: at this port, or at
    the usual one, where a proxy is; a name with a port means that one alone."""
    usual = LOOPBACK if port in (80, 443) else ()
    own = {f"{name}:{port}" for name in LOOPBACK}
    return frozenset((*usual, *own, *(host for name in names if name for host in _with_ports(name, port))))


def _with_ports(name: str, port: int) -> tuple[str, ...]:
    if ":" in name and not name.startswith("["):
        return (name,) if name.count(":") == 1 else (f"[{name}]", f"[{name}]:{port}")
    return (name,) if "]:" in name else (name, f"{name}:{port}")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()
