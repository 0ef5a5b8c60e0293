"""What gunicorn serves in the tests: the whole server, opened by a token that they know."""

import asyncio
import gc

from flask import Flask

from streamchat.config import load
from streamchat.web.app import App
from streamchat.web.flask import application
from streamchat.web.guard import LOOPBACK, Guard

TOKEN = "a-token-that-the-tests-know"
CORS = "https://pages.example"


def ours(**environ: str) -> App:
    settings = load(environ=environ, nearby=False) if environ else load(nearby=False)
    return App(settings, guard=Guard(TOKEN, hosts=frozenset(LOOPBACK), any_port=True, cors=frozenset((CORS,))))


def whole() -> Flask:
    gc.disable()  # nothing may be left to it
    app = application(ours())
    app.add_url_rule("/own", view_func=lambda: asyncio.run(own()))
    return app


async def own() -> str:
    """What somebody's own view does with a loop of its own."""
    await asyncio.sleep(0.001)
    return type(asyncio.get_running_loop()).__name__
