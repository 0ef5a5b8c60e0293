"""The page and its files: read once, named by what is in them, under a policy that lets nothing else in."""

import hashlib
from functools import cache
from importlib.resources import files

from streamchat.web.app import App
from streamchat.web.errors import WebError
from streamchat.web.http import Answer, Request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}


async def page(app: App, request: Request) -> Answer:
    """The page; it is asked for anew each time, its files never again."""
    return Answer(200, _page(), {**HEADERS, "content-type": _TYPES["html"], "cache-control": "no-store"})


async def asset(app: App, request: Request, version: str, name: str) -> Answer:
    """One of the page's files."""
    body = _files().get(name)
    if body is None or name == "index.html":
        raise WebError(404, "not_found", "there is no such file")
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    lasting = "public, max-age=31536000, immutable" if version == _version() else "no-store"
    return Answer(200, body, {**HEADERS, "content-type": kind, "cache-control": lasting})


@cache
def _files() -> dict[str, bytes]:
    return {
        each.name: each.read_bytes() for each in files("streamchat.web").joinpath("page").iterdir() if each.is_file()
    }


@cache
def _version() -> str:
    return hashlib.sha256(b"".join(name.encode() + body for name, body in sorted(_files().items()))).hexdigest()[:12]


@cache
def _page() -> bytes:
    return _files()["index.html"].replace(b'"assets/', b'"assets/%b/' % _version().encode())
