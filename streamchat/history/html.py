"""A conversation as one HTML page: self-contained, readable in light and dark, and safe whatever the model wrote.

HTML in the text is text, an image is shown as a link to it (a page that loads nothing tells nobody that it was
opened), and the page's own policy forbids scripts and every request.
"""

from collections.abc import MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from streamchat.history.formats import asker, speaker, title
from streamchat.history.tree import Tree
from streamchat.history.turn import Turn
from streamchat.views.safe import safe

LONGEST_CODE = 200_000
"""Characters; longer code is shown without colours, which take a second for each megabyte."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fff; --soft: #6b7075; --line: #d9dce0; --box: #f5f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6e9; --paper: #16181b; --soft: #9aa0a6; --line: #34383d; --box: #1f2226; }
}
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.2rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
header { border-bottom: 1px solid var(--line); margin-bottom: 2rem; }
h1 { font-size: 1.4rem; margin: 0; }
header p, article > h2, footer { color: var(--soft); font-size: .85rem; }
article > h2 { font-weight: 600; margin: 2rem 0 .3rem; }
article.user { background: var(--box); border-radius: .6rem; padding: .1rem 1rem; margin-top: 2rem; }
article.user > h2 { margin-top: .8rem; }
pre, code { font: .9em/1.5 ui-monospace, monospace; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; overflow-x: auto;
  overflow-wrap: normal; }
:not(pre) > code { background: var(--box); border-radius: .25rem; padding: .1em .3em; }
blockquote { border-left: 3px solid var(--line); color: var(--soft); margin-left: 0; padding-left: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid var(--line); padding: .3rem .6rem; }
.asked { white-space: pre-wrap; }
.cut { border-left: 3px solid #c77700; padding-left: .6rem; }
details { color: var(--soft); }
"""


def render(tree: Tree, turns: Sequence[Turn]) -> str:
    """The turns as a page."""
    name = escape(title(tree))
    body = "".join(_turn(turn) for turn in turns)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{_STYLE}{_colours()}</style>\n</head>\n<body>\n"
        f"<header><h1>{name}</h1><p>{escape(tree.head.created[:16].replace('T', ' '))} UTC</p></header>\n"
        f"<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _turn(turn: Turn) -> str:
    who, question = escape(asker(turn)), safe(turn.question.content)
    if turn.question.role == "user":
        parts = [f'<article class="user"><h2>{who}</h2><p class="asked">{escape(question)}</p></article>\n']
    else:
        parts = [f"<article><h2>{who}</h2>{_rendered(question)}</article>\n"]
    if turn.answer is not None:
        thought = f"<details><summary>Reasoning</summary>{_rendered(safe(turn.reasoning))}</details>"
        parts.append(
            f"<article><h2>{escape(speaker(turn))}</h2>{thought if turn.reasoning else ''}"
            f"{_rendered(safe(turn.text))}"
            + (f'<p class="cut">This answer is {escape(turn.ending)}.</p>' if turn.ending else "")
            + "</article>\n"
        )
    return "".join(parts)


def _highlight(code: str, language: str, _attrs: str) -> str:
    """Code with its colours; an empty string lets markdown-it escape it as it is."""
    if not language or len(code) > LONGEST_CODE:
        return ""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    coloured: str = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return coloured


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """An image is a request to a stranger: a link says where it is and leaves the choice."""
    token = tokens[index]
    text = renderer.renderInlineAsText(token.children, options, env) or "image"
    return f'<a href="{escape(str(token.attrs.get("src", "")))}" rel="noopener noreferrer">{escape(text)}</a>'


def _link(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer")
    tokens[index].attrSet("title", str(tokens[index].attrs.get("href", "")))
    return renderer.renderToken(tokens, index, options, env)


def _colours() -> str:
    light, dark = (
        HtmlFormatter(style=style).get_style_defs("pre")  # type: ignore[no-untyped-call]  # its stub says nothing
        for style in ("default", "github-dark")
    )
    plain = "pre { background: var(--box) }"
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{plain}"


def _rendered(text: str) -> str:
    """Markdown as HTML; the parser looks behind the end of some texts whose last line has none."""
    return str(_markdown.render(f"{text}\n"))


_markdown = MarkdownIt("commonmark", {"html": False, "highlight": _highlight}).enable(["table", "strikethrough"])
_markdown.add_render_rule("image", _image)
_markdown.add_render_rule("link_open", _link)
