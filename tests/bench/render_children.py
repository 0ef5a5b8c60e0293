"""The children of the benchmark: each shows what comes through its standard input, in its own way."""

import asyncio
import os
import sys
from collections.abc import Iterator


def chunks() -> Iterator[str]:
    """What comes, as it comes."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    while data := os.read(0, 4096):
        yield decoder.decode(data)


def one_shot_rich() -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console(force_terminal=True).print(Markdown("".join(chunks())))


def one_shot() -> None:
    from streamchat.views.live import print_markdown

    print_markdown("".join(chunks()))


def streamchat() -> None:
    from streamchat.views import LiveMarkdown

    LiveMarkdown().show(chunks())


def panel() -> None:
    """As `ask` shows it: with the line below it and the one at the end."""
    from streamchat.chat import Reply
    from streamchat.events import Text
    from streamchat.views.panel import LiveView

    reply, view = Reply(), LiveView(title="provider · model")
    view.begin(reply)
    for chunk in chunks():
        reply.add(Text(chunk))
        view.take(Text(chunk))
    reply.stop("stop")
    view.end()


def plain_print() -> None:
    for chunk in chunks():
        print(chunk, end="", flush=True)


def rich_live() -> None:
    from rich.live import Live
    from rich.markdown import Markdown

    text = ""
    with Live(vertical_overflow="visible", refresh_per_second=10) as live:
        for chunk in chunks():
            text += chunk
            live.update(Markdown(text))


def aider() -> None:
    from aider.mdstream import MarkdownStream

    stream, text = MarkdownStream(), ""
    for chunk in chunks():
        text += chunk
        stream.update(text, final=False)
    stream.update(text, final=True)


def sgpt() -> None:
    from sgpt.printer import MarkdownPrinter

    MarkdownPrinter(theme="monokai").live_print(chunks())


def clai() -> None:
    """Its way of streaming: the whole answer as Markdown in a Rich Live, for every chunk."""
    import pydantic_ai._cli  # the renderer's own additions to Rich
    from rich.console import Console
    from rich.live import Live
    from rich.markdown import Markdown

    assert pydantic_ai._cli
    text = ""
    with Live("", refresh_per_second=15, console=Console(), vertical_overflow="ellipsis") as live:
        for chunk in chunks():
            text += chunk
            live.update(Markdown(text, code_theme="monokai"))


def streamdown() -> None:
    os.execv(sys.executable, [sys.executable, "-m", "streamdown.sd"])


def textual() -> None:
    from textual.app import App, ComposeResult
    from textual.widgets import Markdown

    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield Markdown()

        async def on_mount(self) -> None:
            self.run_worker(self.take())

        async def take(self) -> None:
            shown = self.query_one(Markdown)
            stream = Markdown.get_stream(shown)
            loop = asyncio.get_running_loop()
            while data := await loop.run_in_executor(None, os.read, source, 4096):
                await stream.write(data.decode("utf-8", "replace"))
                self.screen.scroll_end(animate=False)
            await stream.stop()
            self.exit()

    source = os.dup(0)
    os.dup2(1, 0)  # it reads its keys from the terminal,
    os.dup2(1, 2)  # and writes to what should be its standard error
    Shown().run()


CHILDREN = {
    "one-shot Rich": one_shot_rich,
    "one-shot": one_shot,
    "streamchat": streamchat,
    "with the panel": panel,
    "print": plain_print,
    "Rich Live": rich_live,
    "aider": aider,
    "sgpt": sgpt,
    "clai": clai,
    "streamdown": streamdown,
    "textual": textual,
}

if __name__ == "__main__":
    CHILDREN[sys.argv[1]]()
