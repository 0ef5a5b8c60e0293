"""The browser, for those tests that ask for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web import browser
from tests.web.browser import Tab
from tests.web.cutting import Cutting
from tests.web.providing import Served, served
from tests.web.reader import Reader, reader
from tests.web.serving import Serving
from tests.web.site import Site
from tests.wire.server import Server


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


@pytest.fixture
def site(tmp_path: Path, server: Server) -> Iterator[Site]:
    """The web side, with the loopback server as its provider `wire`."""
    with Site(
        config=f'[providers.wire]\nkind = "openai"\nbase_url = "{server.v1}"\nretries = 0\n', home=tmp_path
    ) as started:
        yield started


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The web side over a provider of every format, for a whole module."""
    with served(tmp_path_factory.mktemp("public")) as started:
        yield started


@pytest.fixture(scope="session")
def cutting() -> Iterator[Cutting]:
    """A proxy in front of `serving`, which knows its name."""
    proxy = Cutting()
    yield proxy
    proxy.close()


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory, cutting: Cutting) -> Iterator[Serving]:
    """One server for all tests of a worker."""
    started = Serving(tmp_path_factory.mktemp("serving"), names=[cutting.host])
    cutting.port = int(started.origin.rpartition(":")[2])
    yield started
    started.close()


@pytest.fixture(scope="session")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that stops at once what nobody reads."""
    started = Serving(tmp_path_factory.mktemp("impatient"), grace=0.1)
    yield started
    started.close()


@pytest.fixture
def chat(chromium: Browser, serving: Serving) -> Iterator[Reader]:
    """The page, open and let in; at the end nothing may have gone wrong unseen."""
    with reader(chromium, serving) as opened:
        yield opened.enter()
        opened.check()
