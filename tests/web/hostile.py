"""What a model, or a server that is not ours, may write to make a page run, load or open something."""

from itertools import product
from typing import Any

JUMPS = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
    "java\nscript:alert(1)", "\u0001javascript:alert(1)", "javascript&colon;alert(1)", "&#106;avascript:alert(1)",
    "javascript%3Aalert(1)", "javascript://example.org/%0aalert(1)", "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>", "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+",
    "blob:http://127.0.0.1/1", "file:///etc/passwd", "view-source:http://a", "ws://example.org", "ftp://example.org",
    "//example.org/x", "/api/session", "?a", "#token=x", "http:alert(1)", "http://[", "http:///example.org",
    "https://user@example.org", "http://a\u202egpj.exe", "http://a\u200b.b", "mailto:a@b?body=<script>",
    "intent://x#Intent;end", "about:blank", "chrome://quit", "http\u017f://a", "\uff4aavascript:alert(1)",
)  # fmt: skip
"""Addresses that run something, or lead where no link may lead."""

FORMS = (
    "[x]({})", "![x]({})", "<{}>", "[x][r]\n\n[r]: {}", "[![i]({})](http://a)", "[{0}]({0} \"t\")",
)  # fmt: skip

MARKUP = (
    "<script>alert(1)</script>", "<script src=http://example.org/x.js></script>", "<img src=x onerror=alert(1)>",
    "<img src=http://example.org/p.png>", "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>", "<svg><use href=data:image/svg+xml,x#y></svg>",
    "<iframe src=javascript:alert(1)>", "<iframe srcdoc='<script>alert(1)</script>'>", "<object data=x></object>",
    "<embed src=http://example.org/x.swf>", "<a href=javascript:alert(1)>x</a>", "<base href=http://example.org/>",
    "<meta http-equiv=refresh content='0;url=http://example.org'>",
    "<link rel=stylesheet href=http://example.org/x.css>", "<style>@import 'http://example.org/x.css';</style>",
    "<form action=http://example.org><input autofocus onfocus=alert(1)>", "<details open ontoggle=alert(1)>",
    "<video src=x onerror=alert(1)>", "<audio src=http://example.org/x autoplay>",
    "<math><mi xlink:href=javascript:alert(1)>", "<body onload=alert(1)>", "<marquee onstart=alert(1)>x</marquee>",
    "<template><script>alert(1)</script></template>", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<kbd onclick=alert(1)>x</kbd>", "<kbd><img src=x onerror=alert(1)></kbd>", "<br onclick=alert(1)>",
    "<br/onload=alert(1)>", "```html\n<script>alert(1)</script>\n```", "```\"><img src=x onerror=alert(1)>\nx\n```",
    "```js onload=alert(1)\nx\n```", "`<img src=x onerror=alert(1)>`", "    <script>alert(1)</script>",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <svg onload=alert(1)> |", "> <script>alert(1)</script>",
    "- <img src=x onerror=alert(1)>", "# <svg onload=alert(1)>", "<![CDATA[<script>alert(1)</script>]]>",
    "<!-- --><script>alert(1)</script>", "<?xml-stylesheet href='http://example.org/x.css'?>",
    "<!DOCTYPE html [<!ENTITY x 'y'>]>", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;", "\\<script>alert(1)\\</script>", "<scr\u0000ipt>alert(1)</script>",
    "<scr\u200bipt>alert(1)</script>", "\ufeff<script>alert(1)</script>", "\u202e<script>alert(1)",
    "<\u017fcript>alert(1)</\u017fcript>", "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e", "<custom-element is=x>",
    "<slot name=x>", "<dialog open><button autofocus>",
)  # fmt: skip
"""Elements that run or load something, where Markdown lets them through."""

MARKDOWN = (*(form.format(url) for form, url in product(FORMS, JUMPS)), *MARKUP)

_FOREIGN = (
    "script", "img", "iframe", "object", "embed", "svg", "style", "link", "meta", "base", "form", "input", "template",
    "video", "audio", "math", "portal", "SCRIPT", "svg:script", "a b", "", "__proto__", "constructor", "IMG", "x-y",
)  # fmt: skip
_OURS = ("p", "a", "ol", "li", "pre", "span", "td", "blockquote", "br", "code", "kbd", "div", "table")
_ATTRIBUTES = {
    "onclick": "alert(1)",
    "onload": "alert(1)",
    "style": "background:url(http://example.org/x)",
    "id": "answer",
    "name": "x",
    "srcdoc": "<script>",
    "class": "x onclick=alert(1)",
    "lang": '" onload="alert(1)',
    "is": "x",
    "start": "1 onload",
    "href": "javascript:alert(1)",
    "formaction": "javascript:alert(1)",
    "xlink:href": "x",
}
_LOADING = {"src": "x", "href": "http://example.org/", "onerror": "alert(1)", "data": "x"}
_ODD: tuple[Any, ...] = (
    ["a", {"href": ["javascript:alert(1)"]}, ["x"]],
    ["a", {"href": {"toString": "x"}}, ["x"]],
    ["a", ["href"], ["x"]],
    [["script"], {}, ["alert(1)"]],
    [{"toString": "script"}, {}, []],
    [None, None, None],
    [1, 2, 3],
    [],
    {},
    None,
    7,
    True,
    "",
    ["p"],
    ["p", "onclick=alert(1)"],
    ["p", {}, "alert(1)"],
    ["p", {}, {"length": 3}],
    ["p", {"+": 1}, [["p", {"+": 1}, ["x"]]]],
    ["br", {}, ["x", ["script", {}, ["alert(1)"]]]],
    ["ol", {"start": 1e308}, []],
    ["ol", {"start": -1}, []],
    ["p", {"__proto__": {"class": "task"}}, []],
    ["pre", {"lang": "x" * 5000}, []],
    ["span", {"class": "hidden"}, ["x"]],
    ["li", {"class": "removed"}, ["x"]],
)

TREES: tuple[Any, ...] = (
    *(["a", {"href": url}, ["x"]] for url in JUMPS),
    *([tag, _LOADING, ["alert(1)"]] for tag in _FOREIGN),
    *([tag, _ATTRIBUTES, ["x"]] for tag in _OURS),
    *_ODD,
)
"""Trees that no server of ours sends."""
