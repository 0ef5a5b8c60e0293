"""A real browser for the tests: Debian's Chromium, one for each worker, a context of its own for each test.

What a page does is kept: every request, every error, every breach of its content security policy. A request to
another place than the test's own is never sent. `tab.until(...)` polls `evaluate`: Playwright's own waiting needs
`eval`, which the policy forbids.
"""

import asyncio
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, sync_playwright

import streamchat

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The policy of the chat page."""

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_STRANGE = re.compile(r"^(?!http://(127\.0\.0\.1|localhost|\[::1\]):|data:)")
"""What is not on loopback. All else goes past Playwright: a page has dozens of files."""
_WATCH = """
addEventListener("securitypolicyviolation", event => {
  (window.__breaches ??= []).push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


@contextmanager
def chromium(home: str) -> Iterator[Browser]:
    """The browser of one worker; what it keeps goes below `home`."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*_ARGUMENTS], env={**os.environ, "HOME": home}
        )
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        browser.__dict__["loop"] = loop
        yield browser
        asyncio._set_running_loop(loop)
        browser.close()


@contextmanager
def playwright_loop(browser: Browser) -> Iterator[None]:
    """Playwright leaves its event loop marked as running, so `asyncio.run` of other tests would refuse to start."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(browser.__dict__["loop"])
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


class Tab:
    """One page in a context of its own, and what it did."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        """Every address that was asked for, also what was not let through."""
        self.strangers: list[str] = []
        """Of them, those outside of loopback: none was sent."""
        self.errors: list[str] = []
        """Exceptions that nobody caught, and errors on the console (breaches of the policy are among them)."""
        page.add_init_script(_WATCH)
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._said)
        page.context.route(_STRANGE, self._refuse)

    def until(self, expression: str, expected: Any = True, *, argument: Any = None, seconds: float = 10) -> Any:
        """Poll an expression of the page until it has this value; or, given a function, until that says yes."""
        fits: Callable[[Any], Any] = expected if callable(expected) else lambda value: value == expected
        deadline = time.monotonic() + seconds
        while True:
            value = self.page.evaluate(expression, argument)
            if fits(value):
                return value
            assert time.monotonic() < deadline, f"{expression} is {value!r}; errors: {self.errors}"
            self.page.wait_for_timeout(10)

    @property
    def breaches(self) -> list[str]:
        """What the page's policy has refused."""
        return self.page.evaluate("window.__breaches ?? []")  # type: ignore[no-any-return]

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _refuse(self, route: Route) -> None:
        self.strangers.append(route.request.url)
        route.abort()


@contextmanager
def tab(browser: Browser, **options: Any) -> Iterator[Tab]:
    """A tab for one test; the options are those of a browser context (viewport, color_scheme...)."""
    with playwright_loop(browser):
        context = browser.new_context(**options)
        try:
            yield Tab(context.new_page())
        finally:
            context.close()


PAGE = Path(streamchat.__file__).parent / "web" / "page"


def modules(names: Iterable[str]) -> "Site":
    """A page with nothing but modules of the chat page, each under its name in `window`.

    At `/` under the chat page's policy, at `/bare` under one that allows whatever can be allowed.
    """
    head = '<!doctype html><meta charset="utf-8"><title>t</title>'
    body = '<main id="answer"></main><script type="module" src="/boot.js"></script>'
    boot = "".join(f'import * as {name} from "/{name}.js"; window.{name} = {name};\n' for name in names)
    html, script = "text/html; charset=utf-8", "text/javascript; charset=utf-8"
    files = {path: (html, f"{head}{body}".encode()) for path in ("/", "/bare")}
    files["/boot.js"] = script, boot.encode() + b"window.ready = true;"
    files |= {f"/{name}.js": (script, (PAGE / f"{name}.js").read_bytes()) for name in names}
    return Site(files, {"/bare": "default-src * data: blob: 'unsafe-inline' 'unsafe-eval'"})


class Site:
    """Files on loopback under a policy, for modules of the page that need no more."""

    def __init__(self, files: dict[str, tuple[str, bytes]], policy: dict[str, str]) -> None:
        site = self
        self.asked: list[str] = []

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append(self.path)
                kind, body = files.get(self.path.partition("?")[0], ("", b""))
                self.send_response(200 if kind else 404)
                for name, value in {
                    "Content-Type": kind or "text/plain",
                    "Content-Length": str(len(body)),
                    "Content-Security-Policy": policy.get(self.path, CSP),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Site":
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()
