"""How the chat page is seen and heard: narrow and wide, light and dark, by a screen reader, under load."""

import json
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.reader import SEEN, Reader, reader
from tests.web.serving import Serving, answer, held
from tests.web.test_page import MARKDOWN

PAGE = Path(str(files("streamchat.web"))) / "page"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE = MARKDOWN + "```\n" + "wide " * 60 + "\n```\n\n" + "|" + " column of a table |" * 12 + "\n|" + " - |" * 12 + "\n"


def violations(page: Page) -> list[Any]:
    """What axe-core finds, run past the page's policy as only a debugger can."""
    debugger = page.context.new_cdp_session(page)
    debugger.send("Runtime.evaluate", {"expression": f"{AXE};0"})
    run = f"""axe.run(document, {{runOnly: {RULES}}}).then(found => JSON.stringify(
      found.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 200) + node.failureSummary)])))"""
    found = debugger.send("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
    debugger.detach()
    return json.loads(found["result"]["value"])  # type: ignore[no-any-return]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 320)])
def test_nothing_stands_in_the_way_of_anybody(chromium: Browser, serving: Serving, scheme: Any, width: int) -> None:
    with reader(chromium, serving, color_scheme=scheme, viewport={"width": width, "height": 700}) as chat:
        chat.enter()
        assert violations(chat.page) == []
        chat.asked.plan(answer(WIDE, finish="length"), answer("x", done=False, finish=None, usage=None))
        chat.ask("Show everything")
        chat.done()
        chat.ask("And fail")
        expect(chat.page.locator(".problem:visible")).to_have_count(1, timeout=SEEN)
        chat.done()
        chat.button("More for this conversation").click()
        assert violations(chat.page) == []
        chat.page.keyboard.press("Escape")
        for name in ("Model:", "Options"):
            chat.button(name).click()
            assert violations(chat.page) == []
            chat.page.keyboard.press("Escape")
        if width < 800:
            chat.button("Conversations").click()
            assert violations(chat.page) == []
        chat.check()


@pytest.mark.parametrize("size", [(320, 568), (640, 360)])
def test_a_narrow_or_doubled_page_scrolls_down_only(chromium: Browser, serving: Serving, size: tuple[int, int]) -> None:
    width, height = size
    with reader(chromium, serving, viewport={"width": width, "height": height}) as chat:
        chat.enter()
        chat.asked.plan(answer(WIDE + "\n" + "unbroken" * 60))
        chat.ask("A long question without " + "spaces" * 60)
        chat.done()
        beyond = (
            "[...document.querySelectorAll('.bar, .thread, .body, .body > *, .composer, .composer *, .question *')]"
        )
        beyond += (
            ".filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 90))"
        )
        assert chat.page.evaluate(beyond) == []
        assert chat.page.evaluate("document.documentElement.scrollWidth") <= width
        expect(chat.prompt).to_be_in_viewport()
        chat.button("Conversations").click()
        expect(chat.button("New chat")).to_be_in_viewport()
        chat.page.keyboard.press("Escape")
        expect(chat.button("New chat")).to_be_hidden()


def test_the_page_follows_what_is_written_only_for_who_is_at_the_end(chat: Reader) -> None:
    gate = Event()
    more = "".join(f"\n\nParagraph {number}." for number in range(80))
    chat.asked.plan(held(more, gate, more + "\n\nThe end."))
    chat.ask("Scroll")
    chat.see("Paragraph 79.")
    end = "(({scrollHeight, scrollTop, clientHeight}) => scrollHeight - scrollTop - clientHeight)(scroller)"
    chat.tab.until(end, lambda below: below < 2)
    chat.page.mouse.move(700, 300)
    chat.page.mouse.wheel(0, -900)
    expect(chat.button("Jump to end")).to_be_visible()
    chat.tab.until(end, lambda below: below > 850)
    top = chat.page.evaluate("scroller.scrollTop")
    gate.set()
    chat.see("The end.")
    chat.done()
    assert abs(chat.page.evaluate("scroller.scrollTop") - top) < 2, "who reads above is left there"
    chat.button("Jump to end").click()
    chat.tab.until(end, lambda below: below < 2)
    expect(chat.button("Jump to end")).to_be_hidden()


def test_who_goes_up_by_little_from_the_end_is_not_brought_back(chat: Reader) -> None:
    gate = Event()
    more = "".join(f"\n\nParagraph {number}." for number in range(80))
    chat.asked.plan(held(more, gate, "\n\nThe end."))
    chat.ask("Scroll a little")
    chat.see("Paragraph 79.")
    below = "(({scrollHeight, scrollTop, clientHeight}) => scrollHeight - scrollTop - clientHeight)(scroller)"
    chat.tab.until(below, lambda pixels: pixels < 2)
    chat.page.mouse.move(700, 300)
    chat.page.mouse.wheel(0, -20)  # a touchpad's, less than what counts as near the end
    chat.tab.until(below, lambda pixels: pixels > 15)
    top = chat.page.evaluate("scroller.scrollTop")
    gate.set()
    chat.see("The end.")
    chat.done()
    assert abs(chat.page.evaluate("scroller.scrollTop") - top) < 2


def test_a_finger_that_opens_a_chat_brings_up_no_keyboard(chromium: Browser, serving: Serving) -> None:
    with reader(chromium, serving, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 700}) as phone:
        phone.enter()
        expect(phone.page.locator("#scroller")).to_be_focused()
        phone.asked.plan(answer("On a phone."))
        phone.ask("By hand")
        phone.see("On a phone.")
        phone.done()
        phone.button("Conversations").tap()
        phone.button("New chat").tap()
        expect(phone.page.locator("#scroller")).to_be_focused()
        phone.check()


def test_a_screen_reader_hears_whole_sentences_once(chat: Reader) -> None:
    heard = """
    window.heard = [];
    new MutationObserver(all => all.forEach(one => one.addedNodes.forEach(node => heard.push(node.textContent))))
      .observe(document.getElementById("spoken"), {childList: true});
    """
    chat.page.evaluate(heard)
    gate = Event()
    chat.asked.plan(
        held("The first sentence. The second is", gate, " long. A third.\n\n```python\nx = 1\n```\n\nLast one.")
    )
    chat.ask("Speak")
    chat.see("The second is")
    said = chat.tab.until("heard.join('|')", lambda text: "The first sentence." in text)
    assert "second" not in said
    gate.set()
    said = chat.tab.until("heard.join(' ')", lambda text: "complete" in text)
    words = " ".join(said.split())
    assert words.endswith("The second is long. A third. Code in python. Last one. The answer is complete.")
    assert words.count("The first sentence.") == 1


def test_what_is_written_from_the_right_stands_at_the_right_and_code_never_does(chat: Reader) -> None:
    text = "שלום `f(x)` עולם.\n\n- אחת\n\n  ```\n  one()\n  ```\n- two\n\n> ציטוט\n\nLatin: שלום.\n\n```\ntwo()\n```\n"
    chat.asked.plan(answer(text))
    chat.ask("שאלה?")
    chat.see("Latin")
    chat.done()
    directions = """selector => [...document.querySelectorAll(selector)].map(one => getComputedStyle(one).direction)"""
    for selector, expected in {
        ".body > p": ["rtl", "ltr"],
        ".body > :is(ul, blockquote)": ["rtl", "rtl"],
        ".body li > p": ["rtl", "rtl"],
        ".body :is(pre, code)": ["ltr"] * 5,
    }.items():
        assert (selector, chat.page.evaluate(directions, selector)) == (selector, expected)
    assert chat.page.evaluate(directions, "#prompt") == ["ltr"]
    chat.prompt.fill("עוד")
    assert chat.page.evaluate(directions, "#prompt") == ["rtl"]
    marks = chat.page.evaluate("getComputedStyle(document.querySelector('.body > ul')).paddingRight")
    assert marks == "25.6px", "the marks of a list have their place at its beginning"


LONG = """() => {
  const words = document.createElement("div");
  for (let number = 0; number < 4000; number += 1) {
    words.append(Object.assign(document.createElement("p"), { textContent: `Some words that go on ${number}` }));
  }
  document.body.append(words);
  const height = words.offsetHeight;
  words.remove();
  return height;
}"""
"""A task that is too long, 60 ms on an idle machine: how long tasks are is compared with it, for machines differ."""


def too_long(page: Page) -> float:
    """Milliseconds of processor time that are too long for a task here and now."""
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["toplevel"])
    page.evaluate(LONG)
    return tasks(browser.stop_tracing())[-1]


def test_a_long_answer_holds_up_nothing(chat: Reader) -> None:
    """No task of the page is a long one, while 32 kB come and while they are read back at once."""
    prose = "Some **words** that go on, with `code` in them and a [link](https://example.org). " * 12
    part = f"## A heading\n\n{prose}\n\n- one\n- two\n\n```python\n" + "x = [1, 'two']\n" * 8 + "```\n\n"
    text = part * (32_000 // len(part) + 1)
    browser, blocks = chat.page.context.browser, chat.page.locator(".body pre")
    assert browser is not None
    limit = too_long(chat.page)
    chat.asked.plan(answer(text))
    browser.start_tracing(page=chat.page, categories=["toplevel"])
    chat.ask("At length")
    expect(blocks).to_have_count(text.count("```python"), timeout=60_000)
    chat.done()
    while_it_came = tasks(browser.stop_tracing())[-2]
    address = chat.page.url
    chat.page.goto("about:blank")
    browser.start_tracing(page=chat.page, categories=["toplevel"])
    chat.page.goto(address)
    expect(blocks).to_have_count(text.count("```python"), timeout=SEEN)
    read_back = tasks(browser.stop_tracing())[-2]
    assert max(while_it_came, read_back) < max(limit, too_long(chat.page))


def tasks(trace: bytes) -> list[float]:
    """Milliseconds of processor time of each task of the page's own thread, the longest last: what others do meanwhile
    does not count. The longest may be the browser's own: a debugger that comes or goes has it style everything anew."""
    events = json.loads(trace)["traceEvents"]
    pages = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    return sorted(
        each.get("tdur", 0) / 1000
        for each in events
        if each["name"] == "ThreadControllerImpl::RunTask" and (each["pid"], each["tid"]) in pages
    )


def test_the_theme_is_chosen_kept_and_there_from_the_first_frame(chat: Reader) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert chat.page.evaluate(ground) == "rgb(253, 252, 251)"
    chat.page.get_by_label("Theme").select_option("dark")
    assert chat.page.evaluate(ground) == "rgb(25, 26, 27)"
    chat.page.reload()
    assert chat.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_every_module_is_loaded_at_once_and_none_comes_from_elsewhere() -> None:
    index = (PAGE / "index.html").read_text()
    for file in PAGE.iterdir():
        if file.suffix in (".js", ".css"):
            assert f'"assets/{file.name}"' in index, f"{file.name} is not in index.html"
    for file in PAGE.iterdir():
        text = file.read_text()
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            'style="',
            'onclick="',
        ):
            assert word not in text, f"{file.name} has {word}"
        if file.suffix != ".html":
            assert "https://" not in text.replace("https?:", "").replace('"http:", "https:"', ""), file.name
