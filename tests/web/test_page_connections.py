"""The chat page and its connections: cut, left, given back, taken up again; and a server that was killed meanwhile."""

from pathlib import Path
from threading import Event

from playwright.sync_api import Browser, Page, expect

from tests.web.browser import Tab
from tests.web.cutting import Cutting
from tests.web.reader import SEEN, Reader, reader
from tests.web.serving import TOKEN, Serving, answer, endless, held
from tests.web.test_page import WAITING

VISIBILITY = """
window.hidden_ = false;
Object.defineProperty(document, "visibilityState", { get: () => (window.hidden_ ? "hidden" : "visible") });
Object.defineProperty(document, "hidden", { get: () => window.hidden_ });
"""
SEE = "hidden => { window.hidden_ = hidden; document.dispatchEvent(new Event('visibilitychange')); }"


def test_a_reload_in_the_middle_goes_on_where_the_answer_is(chat: Reader) -> None:
    gate = Event()
    chat.asked.plan(held("# Begun\n\nIn the middle ", gate, "and the end.", reasoning=["Let me see."]))
    chat.ask("Reload")
    chat.see("In the middle")
    chat.page.reload()
    chat.see("In the middle")
    expect(chat.button("Stop")).to_be_visible()
    gate.set()
    chat.see("In the middle and the end.")
    chat.done()
    expect(chat.page.locator(".body h1")).to_have_count(1)
    assert chat.page.locator(".thoughts").text_content() == "Let me see."
    assert len(chat.asked.all) == 1


def test_who_closes_the_page_or_goes_elsewhere_stops_what_nobody_reads(chromium: Browser, impatient: Serving) -> None:
    for go in (lambda page: page.close(), lambda page: page.goto("about:blank")):
        with reader(chromium, impatient) as chat:
            chat.enter()
            chat.asked.plan(endless("Nobody will read this"))
            chat.ask("Leave")
            chat.see("Nobody will read")
            assert not chat.asked.exchange().closed.is_set()
            go(chat.page)
            assert chat.asked.exchange().closed.wait(5)


def test_a_hidden_tab_gives_its_connection_back_and_loses_nothing(chromium: Browser, impatient: Serving) -> None:
    with reader(chromium, impatient) as chat:
        chat.page.add_init_script(VISIBILITY)
        chat.page.clock.install()
        chat.enter()
        gate = Event()
        chat.asked.plan(held("Seen, ", gate, "unseen."))
        chat.ask("Hide")
        chat.see("Seen,")
        left: list[str] = []
        chat.page.on("requestfailed", lambda request: left.append(request.url))
        chat.page.evaluate(SEE, True)
        chat.page.clock.fast_forward(11_000)
        chat.tab.until("1", lambda _: bool(left))
        assert left == [f"{impatient.origin}/api/chat"]
        assert not chat.asked.exchange().closed.wait(0.5), "the answer goes on without its reader"
        gate.set()
        assert chat.asked.exchange().played.wait(5)
        chat.tab.until("fetch('api/runs?active=1').then(answer => answer.json())", [])
        chat.page.clock.fast_forward(31_000)
        chat.tab.until("document.title", "● Hide – streamchat")
        chat.page.evaluate(SEE, False)
        chat.see("Seen, unseen.")
        chat.done()
        expect(chat.page).to_have_title("Hide – streamchat")
        chat.check()


def test_seven_tabs_stream_at_once_and_those_that_are_hidden_hold_up_nobody(
    chromium: Browser, serving: Serving
) -> None:
    """A browser has six connections to a server: the seventh answer comes because the hidden ones gave theirs back.

    Headless chromium shows every tab, minimised and in the background too, so what is hidden is told to the page.
    """
    with reader(chromium, serving) as first:
        gate, tabs = Event(), [first]
        first.page.clock.install()  # for all tabs
        tabs += [Reader(Tab(first.page.context.new_page()), serving) for _ in range(6)]
        first.asked.plan(*(held(f"Begun {number}, ", gate, f"ended {number}.") for number in range(7)))
        left: list[str] = []
        first.page.context.on("requestfailed", lambda request: left.append(request.url))
        for number, chat in enumerate(tabs):
            if number == 6:
                for hidden in tabs[:6]:
                    hidden.page.evaluate(SEE, True)
                for wait in (11_000, 3_000):  # with six connections taken nothing answers the request to go on alone
                    first.page.clock.fast_forward(wait)
                first.tab.until("1", lambda _: len(left) == 6)
            chat.page.add_init_script(VISIBILITY)
            chat.enter("" if number == 0 else f"{serving.origin}/")  # another code would make them another person
            chat.ask(f"Tab {number}")
            chat.see(f"Begun {number},")
        assert not any(exchange.closed.is_set() for exchange in first.asked.all), "every answer goes on"
        gate.set()
        for number, chat in reversed(list(enumerate(tabs))):
            chat.page.evaluate(SEE, False)
            chat.see(f"Begun {number}, ended {number}.")
            chat.done()
            chat.check()
        assert len(first.asked.all) == 7


def test_an_answer_that_is_cut_again_and_again_is_shown_once_and_whole(
    chromium: Browser, serving: Serving, cutting: Cutting
) -> None:
    text = "".join(f"{number}. line number {number} of *many*, with 漢字 and 😀\n" for number in range(1, 120))
    with reader(chromium, serving) as chat:
        chat.enter(f"http://{cutting.host}/#token={TOKEN}")
        chat.asked.plan(answer(text))
        cutting.made, cutting.cuts = 0, iter([0, 9_000, 12_003])
        chat.ask("Cut")
        chat.see("line number 119")
        chat.done()
        assert cutting.made == 3
        assert len(chat.asked.all) == 1, "however often its answer is cut, a question is asked once"
        items = chat.page.locator(".body li").all_inner_texts()
        assert items == [f"line number {number} of many, with 漢字 and 😀" for number in range(1, 120)]
        chat.check()


def test_a_server_killed_in_the_middle_is_waited_for_and_what_it_kept_is_shown(
    chromium: Browser, tmp_path: Path
) -> None:
    serving = Serving(tmp_path / "killed")
    try:
        with reader(chromium, serving) as chat:
            chat.enter()
            chat.asked.plan(endless("Kept before the crash. " + "x" * 5000), answer("After it."))
            chat.ask("Crash")
            chat.see("Kept before the crash.")
            chat.tab.until("fetch('api/conversations').then(r => r.json()).then(r => r.conversations.length)", 1)
            serving.kill()
            expect(chat.page.locator(".status")).to_contain_text("Reconnecting", timeout=SEEN)
            chat.see("Kept before the crash.")
            serving.start()
            chat.page.evaluate("dispatchEvent(new Event('online'))")
            expect(chat.page.locator(".problem:visible")).to_contain_text("started again", timeout=SEEN)
            chat.done()
            chat.see("Kept before the crash.")
            chat.page.locator(".problem").get_by_role("button", name="Retry").click()
            chat.see("After it.")
            chat.done()
            chat.has("Crash")
            chat.check()
    finally:
        serving.close()


def test_a_server_that_is_away_is_asked_again_and_the_question_once(chat: Reader) -> None:
    chat.asked.plan(answer("Here it is."))
    away = [True]
    chat.page.route("**/api/chat", lambda route: route.abort() if away and away.pop() else route.fallback())
    chat.page.evaluate(WAITING)  # so that it is the click that ends it
    chat.ask("Are you there?")
    expect(chat.page.locator(".status")).to_contain_text("Reconnecting", timeout=SEEN)
    chat.button("Now").click()
    chat.see("Here it is.")
    chat.done()
    assert len(chat.asked.all) == 1


def test_what_the_server_does_not_keep_the_page_remembers_until_it_is_closed(chromium: Browser, tmp_path: Path) -> None:
    serving = Serving(tmp_path / "unkept", more="[history]\nsave = false\n")
    try:
        with reader(chromium, serving) as chat:
            chat.enter()
            chat.asked.plan(answer("First."), answer("Second."), answer("Third."))
            chat.ask("One?")
            chat.done()
            chat.ask("Two?")
            chat.see("Second.")
            chat.done()
            chat.button("Retry: another answer").last.click()
            chat.see("Third.")
            chat.done()
            said = [message["content"] for message in chat.asked.exchange(2).json["messages"]]
            assert said == ["One?", "First.", "Two?"]
            chat.button("Previous answer").click()
            chat.see("Second.")
            chat.check()
    finally:
        serving.close()


def second_tab(chat: Reader) -> Page:
    """The same conversation, which has one answer."""
    other = chat.page.context.new_page()
    other.goto(chat.page.url)
    expect(other.locator(".answer")).to_have_count(1)
    return other


def test_a_question_that_crosses_another_tabs_is_given_back_and_shows_what_is_under_way(chat: Reader) -> None:
    gate = Event()
    chat.asked.plan(answer("One."), held("From the other tab", gate, " and its end."), answer("Three."))
    chat.ask("First")
    chat.see("One.")
    chat.done()
    other = second_tab(chat)
    other.get_by_label("Message", exact=True).fill("Second")
    other.keyboard.press("Enter")
    expect(other.locator(".answer .body").last).to_contain_text("From the other tab")
    chat.ask("Third")
    chat.see("From the other tab")
    chat.has("First", "Second")
    expect(chat.prompt).to_have_value("Third")
    gate.set()
    chat.see("and its end.")
    chat.done()
    chat.prompt.press("Enter")
    chat.see("Three.")
    chat.done()
    chat.has("First", "Second", "Third")


def test_who_comes_back_to_a_tab_sees_what_was_asked_elsewhere_meanwhile(chat: Reader) -> None:
    gate = Event()
    chat.asked.plan(answer("One."), answer("Two."), held("Three begins", gate, " and ends."))
    chat.ask("First of here")
    chat.see("One.")
    chat.done()
    other = second_tab(chat)
    field, answers = other.get_by_label("Message", exact=True), other.locator(".answer .body")
    field.fill("Second of there")
    field.press("Enter")
    expect(answers.last).to_have_text("Two.")
    expect(other.get_by_role("button", name="Send", exact=True)).to_be_attached()
    chat.prompt.fill("A draft")
    come_back = "document.dispatchEvent(new Event('visibilitychange'))"
    chat.page.evaluate(come_back)
    chat.see("Two.")
    field.fill("Third of there")
    field.press("Enter")
    expect(answers.last).to_contain_text("Three begins")
    chat.page.evaluate(come_back)
    chat.see("Three begins")
    gate.set()
    chat.see("and ends.")
    chat.done()
    chat.has("First of here", "Second of there", "Third of there")
    expect(chat.prompt).to_have_value("A draft")
