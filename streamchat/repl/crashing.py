"""An error of the editor's own comes out of it: left to itself it prints a traceback and waits for Enter."""

import asyncio
from collections.abc import Callable
from typing import Any

from prompt_toolkit.application import Application


def ends_by_errors(app: Application[Any]) -> Callable[[], None]:
    """To be called when the application has begun: what fails in its keys, drawing or threads comes out of `run`."""

    def failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        future = app.future
        if error is not None and future is not None and not future.done():
            app.exit(exception=error)

    return lambda: asyncio.get_running_loop().set_exception_handler(failed)
