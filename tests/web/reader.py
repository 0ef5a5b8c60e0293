"""A person at the page: what they do and what they see, in the page's own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.browser import Tab, tab
from tests.web.serving import Asked, Serving

SEEN = 10_000


class Reader:
    """One tab with the page in it."""

    def __init__(self, opened: Tab, serving: Serving) -> None:
        self.tab, self.serving = opened, serving
        self.page: Page = opened.page
        self.asked = Asked(serving.provider)

    def enter(self, address: str = "") -> "Reader":
        """Open the page, from the printed address."""
        self.page.goto(address or self.serving.address)
        expect(self.prompt).to_be_visible(timeout=SEEN)
        return self

    def ask(self, text: str) -> None:
        self.prompt.fill(text)
        self.prompt.press("Enter")

    def see(self, text: str, *, last: bool = True) -> None:
        """This stands in an answer."""
        answers = self.page.locator(".answer .body")
        expect(answers.last if last else answers).to_contain_text(text, timeout=SEEN)

    def done(self) -> None:
        """No answer is under way."""
        expect(self.page.locator(".answer.is-live")).to_have_count(0, timeout=SEEN)
        expect(self.page.get_by_role("button", name="Send", exact=True)).to_be_attached(timeout=SEEN)

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_label("Message", exact=True)

    def has(self, *questions: str) -> None:
        """These are the questions of the conversation, as they were written; the last is on the page first."""
        self.tab.until("[...document.querySelectorAll('.asked')].map(one => one.innerText)", [*questions])

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def row(self, title: str) -> Locator:
        """A conversation in the list."""
        return self.page.locator(".row", has_text=title).first

    def check(self) -> None:
        """Nothing was refused by the page's policy, nothing went wrong unseen, nobody else was asked."""
        assert self.tab.breaches == []
        assert self.tab.strangers == []
        unexpected = [error for error in self.tab.errors if "Failed to load resource" not in error]
        assert unexpected == []


@contextmanager
def reader(browser: Browser, serving: Serving, **options: Any) -> Iterator[Reader]:
    """A tab at the server, let in."""
    with tab(browser, **{"viewport": {"width": 1100, "height": 760}, "reduced_motion": "reduce", **options}) as opened:
        yield Reader(opened, serving)
