"""The browser, for those tests that ask for it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web import browser
from tests.web.browser import Tab


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    with browser.chromium(str(tmp_path_factory.mktemp("chromium"))) as started:
        yield started


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Tab]:
    """A tab with nothing in it."""
    with browser.tab(chromium) as opened:
        yield opened
