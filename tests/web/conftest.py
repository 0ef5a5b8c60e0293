"""The browser, the database and the other servers, for those tests that ask for them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.engines import Postgres, Redis
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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests of a worker."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    pytest.importorskip("sqlalchemy", reason="the extra `postgres` is not installed")
    with Postgres() as started:
        yield started


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """One Redis for all tests of a worker."""
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    with Redis() as started:
        yield started
