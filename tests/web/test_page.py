"""The chat page in a real browser before the real server: asking, its branches, the list of conversations."""

import base64
import struct
from threading import Event

from playwright.sync_api import Route, expect

from tests.web.reader import SEEN, Reader
from tests.web.serving import MODEL, TOKEN, answer, endless, held
from tests.wire.answers import openai_error_body
from tests.wire.scenario import document

MARKDOWN = """# Tides

The **Moon** pulls.

```python
def pull(mass):
    return mass * 2  # twice
```

1. one
2. two

| a | b |
| - | -: |
| x | 1 |

[more](https://example.org/tides)
"""


def test_an_answer_grows_is_rendered_and_says_what_it_took(chat: Reader) -> None:
    gate = Event()
    before, _, after = MARKDOWN.partition("1. one")
    chat.asked.plan(held(before, gate, f"1. one{after}", reasoning=["I think ", "of the Moon."], usage=(1200, 345)))
    chat.ask("Why **tides**?\n<b>&amp;")
    chat.see("twice")
    chat.has("Why **tides**?\n<b>&amp;")  # a question is shown as it was written
    expect(chat.button("Stop")).to_be_visible()
    reasoning = chat.page.locator(".reasoning")
    assert reasoning.get_attribute("open") is None
    gate.set()
    chat.done()
    body = chat.page.locator(".answer .body")
    expect(body.get_by_role("heading", name="Tides")).to_be_visible()
    expect(body.locator("pre .nf")).to_have_text("pull")
    expect(body.locator("ol > li")).to_have_text(["one", "two"])
    expect(body.get_by_role("cell", name="1")).to_be_visible()
    expect(body.get_by_role("link", name="more")).to_have_attribute("rel", "noopener noreferrer")
    expect(chat.page.locator(".meta")).to_contain_text("1,200 in, 345 out")
    reasoning.locator("summary").click()
    expect(reasoning).to_contain_text("I think of the Moon.")
    assert chat.asked.exchange().json["messages"][-1]["content"] == "Why **tides**?\n<b>&amp;"


def test_code_and_answers_are_copied_as_they_were_written(chat: Reader) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.asked.plan(answer(MARKDOWN))
    chat.ask("Why?")
    chat.done()
    chat.button("Copy code").click()
    chat.tab.until("navigator.clipboard.readText()", "def pull(mass):\n    return mass * 2  # twice")
    chat.button("Copy answer").click()
    chat.tab.until("navigator.clipboard.readText()", lambda text: text.strip() == MARKDOWN.strip())


def test_stop_closes_the_providers_connection_and_keeps_what_came(chat: Reader) -> None:
    for number, stop in enumerate((lambda: chat.page.keyboard.press("Escape"), chat.button("Stop").click)):
        chat.asked.plan(endless(f"Half a sentence {number}"))
        chat.ask(f"Go on {number}")
        chat.see(f"Half a sentence {number}")
        stop()
        chat.done()
        assert chat.asked.exchange(number).closed.wait(5)
        expect(chat.page.locator(".mark").last).to_have_text("Stopped here.")
    chat.page.reload()
    chat.see("Half a sentence 1")
    expect(chat.page.locator(".mark:visible")).to_have_count(2)


def test_retry_and_edit_are_branches_beside_what_there_was(chat: Reader) -> None:
    chat.asked.plan(answer("First."), answer("Second."), answer("Third."), answer("Fourth."))
    chat.ask("One?")
    chat.see("First.")
    chat.done()
    chat.button("Retry: another answer").click()
    chat.see("Second.")
    chat.done()
    versions = chat.page.get_by_role("group", name="Versions of the answer")
    expect(versions).to_contain_text("2 / 2")
    chat.button("Previous answer").click()
    chat.see("First.")
    chat.ask("And then?")
    chat.see("Third.")
    chat.done()
    said = [message["content"] for message in chat.asked.exchange(2).json["messages"]]
    assert said == ["One?", "First.", "And then?"]

    chat.page.locator(".question").first.hover()
    chat.button("Edit:").first.click()
    field = chat.page.get_by_label("The question, edited")
    field.fill("Two?")
    field.press("Enter")
    chat.see("Fourth.")
    chat.done()
    chat.has("Two?")
    assert [message["content"] for message in chat.asked.exchange(3).json["messages"]] == ["Two?"]
    chat.page.locator(".question").hover()
    with chat.page.expect_response(lambda response: response.request.method == "PATCH"):
        chat.button("Previous question").click()
    chat.see("Third.")
    chat.has("One?", "And then?")
    chat.page.reload()
    chat.see("Third.")
    chat.has("One?", "And then?")  # the branch that was chosen is the conversation's


WAITING = """() => {
  const later = window.setTimeout;
  const held = [];
  window.setTimeout = (work, wait, ...more) => {
    if (wait <= 200) return later(work, wait, ...more);
    held.push(() => later(work, wait, ...more));
    return 0;
  };
  window.timeGoesOn = () => {
    window.setTimeout = later;
    for (const begin of held) begin();
  };
}"""
"""No wait of the page's ends before the test says so."""


def test_an_error_stands_where_it_happened_and_is_retried_in_its_time(chat: Reader) -> None:
    busy = openai_error_body("slow down", "rate_limit_error")
    chat.asked.plan(document(busy, status=429, headers={"retry-after": "1", "x-should-retry": "false"}), answer("Now."))
    chat.page.evaluate(WAITING)
    chat.ask("Is it so?")
    retry = chat.page.locator(".problem").get_by_role("button")
    expect(retry).to_have_text("Retry in 1 s", timeout=SEEN)
    expect(retry).to_be_disabled()
    chat.page.evaluate("timeGoesOn()")
    expect(retry).to_be_enabled(timeout=SEEN)
    retry.click()
    chat.see("Now.")
    chat.done()
    chat.has("Is it so?")
    chat.page.reload()
    chat.see("Now.")
    expect(chat.page.get_by_role("group", name="Versions of the answer")).to_contain_text("2 / 2")


def test_an_error_in_the_middle_keeps_what_came(chat: Reader) -> None:
    broken = answer("Half of it", done=False, finish=None, usage=None)
    chat.asked.plan(broken, answer("All of it."))
    chat.ask("Say it")
    expect(chat.page.locator(".problem")).to_contain_text("What had come is kept", timeout=SEEN)
    chat.see("Half of it")
    chat.page.locator(".problem").get_by_role("button", name="Retry").click()
    chat.see("All of it.")
    chat.done()


PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xfc\xff\xff?"
    b"\0\x05\xfe\x02\xfe\xa7\x9a\xa0\xa0\0\0\0\0IEND\xaeB`\x82"
)


def test_files_go_with_the_question_and_with_its_edited_form(chat: Reader) -> None:
    chat.page.locator("#picker").set_input_files(
        [
            {"name": "a.py", "mimeType": "text/x-python", "buffer": b"print('```')\n"},
            {"name": "dot.png", "mimeType": "image/png", "buffer": PIXEL},
            {"name": "x.bin", "mimeType": "application/octet-stream", "buffer": b"\0\1\xff"},
        ]
    )
    expect(chat.page.get_by_label("Attached files").locator(".file")).to_have_count(2)
    expect(chat.page.locator(".notice")).to_contain_text("x.bin is neither text nor an image or a PDF")
    chat.asked.plan(answer("A dot."), answer("Still a dot."))
    chat.ask("What is it?")
    chat.see("A dot.")
    chat.done()
    parts = chat.asked.exchange().json["messages"][-1]["content"]
    text, image = sorted(parts, key=lambda part: part["type"] != "text")
    assert text["text"] == "a.py:\n````\nprint('```')\n````\n\nWhat is it?"
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    chat.page.locator(".question").hover()
    chat.button("Edit:").click()
    chat.page.get_by_label("The question, edited").fill("And now?")
    chat.button("Ask").click()
    chat.see("Still a dot.")
    chat.done()
    assert chat.asked.exchange(1).json["messages"][-1]["content"].count(image) == 1


FILES = """([type, target, ...files]) => {
  const data = new DataTransfer();
  for (const [name, kind, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name, { type: kind }));
  const how = { bubbles: true, cancelable: true };
  const event = type === "paste" ? new ClipboardEvent(type, { ...how, clipboardData: data })
    : new DragEvent(type, { ...how, dataTransfer: data });
  return document.querySelector(target).dispatchEvent(event);
}"""
"""What the browser tells a page of files that are dragged or pasted; false where the page took them."""


def test_a_file_is_dropped_anywhere_and_goes_with_the_question(chat: Reader) -> None:
    cover, file = chat.page.locator("#dropping"), ["notes.txt", "text/plain", list("Drop → me".encode())]
    chat.page.evaluate(FILES, ["dragenter", "main", file])
    expect(cover).to_be_visible()
    chat.page.evaluate(FILES, ["dragleave", "main", file])
    expect(cover).to_be_hidden()
    chat.page.evaluate(FILES, ["dragenter", "main", file])
    assert not chat.page.evaluate(FILES, ["dragover", "main", file]), "else the browser would open the file"
    assert not chat.page.evaluate(FILES, ["drop", "main", file])
    expect(cover).to_be_hidden()
    expect(chat.page.get_by_label("Attached files").locator(".file")).to_contain_text("notes.txt")
    assert chat.page.evaluate(FILES, ["drop", "main"]), "what is no file is the browser's"
    chat.asked.plan(answer("Dropped."))
    chat.ask("What is it?")
    chat.see("Dropped.")
    chat.done()
    sent = chat.asked.exchange().json["messages"][-1]["content"]
    assert sent == "notes.txt:\n```\nDrop → me\n```\n\nWhat is it?"


def bitmap(width: int, height: int) -> bytes:
    """A black picture in a format that no model takes."""
    size = height * (width * 3 + 3 & ~3)
    return struct.pack(
        "<2sIIIIiiHHIIiiII", b"BM", 54 + size, 0, 54, 40, width, height, 1, 24, 0, size, 0, 0, 0, 0
    ) + bytes(size)


def test_pasted_images_go_as_they_are_and_those_too_large_for_a_model_smaller(chat: Reader) -> None:
    images = chat.page.get_by_label("Attached files").locator("img")
    pasted = [["dot.png", "image/png", list(PIXEL)], ["wide.bmp", "image/bmp", list(bitmap(3136, 4))]]
    assert not chat.page.evaluate(FILES, ["paste", "#prompt", *pasted])
    expect(images).to_have_count(2)
    sizes = [(1, 1), (1568, 2)]
    for image, size in zip(images.all(), sizes, strict=True):
        assert tuple(image.evaluate("one => one.decode().then(() => [one.naturalWidth, one.naturalHeight])")) == size
    assert chat.page.evaluate(FILES, ["paste", "#prompt"]), "pasted text is the browser's"
    chat.asked.plan(answer("Seen."))
    chat.ask("And these?")
    chat.see("Seen.")
    chat.done()
    parts = chat.asked.exchange().json["messages"][-1]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    assert urls[0] == "data:image/png;base64," + base64.b64encode(PIXEL).decode()
    assert urls[1].startswith("data:image/jpeg;base64,") and len(urls) == 2


SLOW = """() => {
  const read = File.prototype.arrayBuffer;
  File.prototype.arrayBuffer = async function () {
    await new Promise(resolve => (window.letRead = resolve));
    return read.call(this);
  };
}"""
"""Files are read when the test says so."""


def test_a_file_that_is_still_being_read_is_waited_for_and_stays_where_it_was_given(chat: Reader) -> None:
    files = chat.page.get_by_label("Attached files").locator(".file")
    chat.page.evaluate(SLOW)
    chat.prompt.fill("What is in it?")
    chat.page.evaluate(FILES, ["paste", "#prompt", ["slow.txt", "text/plain", list(b"Slow.")]])
    expect(chat.button("Send")).to_be_disabled()
    chat.prompt.press("Enter")
    expect(chat.page.get_by_text("A file is still being read.")).to_be_visible()
    assert chat.asked.all == [] and chat.prompt.input_value() == "What is in it?"
    chat.page.evaluate("letRead()")
    expect(files).to_have_count(1)
    chat.asked.plan(answer("Read."), answer("Another."))
    chat.prompt.press("Enter")
    chat.see("Read.")
    chat.done()
    assert "Slow." in chat.asked.exchange().json["messages"][-1]["content"]

    chat.page.evaluate(FILES, ["paste", "#prompt", ["late.txt", "text/plain", list(b"Late.")]])
    chat.button("New chat").click()
    expect(chat.page.locator(".answer")).to_have_count(0)
    chat.page.evaluate("letRead()")
    chat.prompt.fill("Elsewhere")
    expect(chat.button("Send")).to_be_enabled()
    expect(files).to_have_count(0)
    chat.row("What is in it?").locator("a").click()
    expect(files).to_have_count(1)
    files.get_by_role("button").click()


def test_a_file_that_was_sent_is_not_there_again_in_the_next_chat(chat: Reader) -> None:
    files = chat.page.get_by_label("Attached files").locator(".file")
    chat.asked.plan(answer("First."), answer("Second."))
    chat.ask("Some conversation")
    chat.done()
    chat.button("New chat").click()
    chat.page.evaluate(FILES, ["paste", "#prompt", ["once.txt", "text/plain", list(b"Once.")]])
    expect(files).to_have_count(1)
    chat.row("Some conversation").locator("a").click()
    expect(files).to_have_count(0)
    chat.button("New chat").click()
    expect(files).to_have_count(1)
    chat.ask("With the file")
    chat.see("Second.")
    chat.done()
    chat.button("New chat").click()
    expect(chat.page.locator(".answer")).to_have_count(0)
    expect(files).to_have_count(0)


def test_cells_that_are_pasted_are_text_and_no_picture_of_it(chat: Reader) -> None:
    office = """([text, html, bytes]) => {
      const data = new DataTransfer();
      if (text) data.setData("text/plain", text);
      data.setData("text/html", html);
      data.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
      const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data });
      return document.querySelector("#prompt").dispatchEvent(event);
    }"""
    assert chat.page.evaluate(office, ["1\t2", "<table></table>", list(PIXEL)]), "it is the browser's to paste"
    assert not chat.page.evaluate(office, ["", "<img>", list(PIXEL)]), "a picture of a page is one"
    expect(chat.page.get_by_label("Attached files").locator(".file")).to_have_count(1)


def test_what_is_being_answered_is_not_deleted_and_the_page_says_why(chat: Reader) -> None:
    gate = Event()
    chat.asked.plan(held("Still ", gate, "here."))
    chat.ask("Keep me")
    chat.see("Still")
    chat.button("More for this conversation").click()
    chat.button("Delete").click()
    expect(chat.page.locator(".notice")).to_contain_text("is being answered. Stop the answer, or wait for its end")
    chat.button("Close this message").click()
    gate.set()
    chat.see("Still here.")
    chat.done()

    busy = {"error": {"code": "run_active", "message": "an answer is under way"}}
    chat.page.route(
        "**/api/conversations/*",
        lambda route: route.fulfill(status=409, json=busy) if route.request.method == "DELETE" else route.fallback(),
    )
    chat.button("More for this conversation").click()
    chat.button("Delete").click()
    chat.button("Close this message").click()
    expect(chat.page.locator(".notice")).to_contain_text("“Keep me” was not deleted: somebody else has it")
    expect(chat.row("Keep me")).to_be_visible()


def test_an_answer_that_the_server_could_not_keep_says_so_at_its_end(chat: Reader) -> None:
    def unkept(route: Route) -> None:
        came = route.fetch()
        said = came.text().replace("event: done\ndata: {", 'event: done\ndata: {"trouble":"the disk is full",')
        route.fulfill(response=came, body=said)

    chat.page.route("**/api/chat", unkept)
    chat.asked.plan(answer("Lost soon."), answer("Kept."))
    chat.ask("Keep?")
    chat.see("Lost soon.")
    expect(chat.page.locator(".unkept:visible")).to_have_text("Not kept, so copy what you need: the disk is full")
    chat.page.unroute("**/api/chat")
    chat.done()


def test_model_instructions_and_effort_are_asked_with(chat: Reader) -> None:
    chat.asked.plan(answer("Aye."))
    chat.page.keyboard.press("Alt+m")
    chat.page.keyboard.type("openai/some-model")
    chat.page.keyboard.press("Enter")
    chat.button("Options").click()
    chat.page.get_by_label("Instructions").fill("Talk like a sailor.")
    chat.page.get_by_label("Reasoning").select_option("high")
    chat.page.keyboard.press("Escape")
    expect(chat.button("Options: instructions, reasoning high")).to_be_visible()
    chat.ask("Ready?")
    chat.see("Aye.")
    chat.done()
    sent = chat.asked.exchange().json
    assert (sent["model"], sent["reasoning_effort"]) == ("some-model", "high")
    assert sent["messages"][0]["content"] == "Talk like a sailor."


def test_drafts_are_kept_for_each_conversation(chat: Reader) -> None:
    chat.asked.plan(answer("Kept."))
    chat.ask("A conversation with a draft")
    chat.done()
    chat.prompt.fill("half a thought")
    chat.button("New chat").click()
    expect(chat.prompt).to_have_value("")
    chat.prompt.fill("a beginning")
    chat.row("A conversation with a draft").get_by_role("link").click()
    expect(chat.prompt).to_have_value("half a thought")
    chat.page.reload()
    expect(chat.prompt).to_have_value("half a thought", timeout=SEEN)
    chat.page.keyboard.press("Alt+n")
    expect(chat.prompt).to_have_value("a beginning")


def test_the_server_is_told_of_the_branch_that_is_chosen_before_all_of_it_is_shown(chat: Reader) -> None:
    """So that whoever leaves the page then finds it again."""
    chat.asked.plan(answer("First."), answer("Second."))
    chat.ask("One?")
    chat.see("First.")
    chat.done()
    chat.button("Retry: another answer").click()
    chat.see("Second.")
    chat.done()
    chat.page.evaluate(HELD)
    with chat.page.expect_response(lambda response: response.request.method == "PATCH"):
        chat.button("Previous answer").click()
    chat.page.reload()
    chat.see("First.")


HELD = """() => {
  const { performance: { now }, MessageChannel } = window;
  let time = 0;
  const held = [];
  performance.now = () => (time += 100);
  window.MessageChannel = class { port1 = {}; port2 = { postMessage: () => held.push(this.port1) }; };
  window.letGoOn = () => {
    Object.assign(window, { MessageChannel });
    performance.now = now;
    for (const port of held) port.onmessage();
  };
}"""
"""What takes the page long goes on when the test says so."""


def test_what_is_typed_while_a_conversation_is_still_being_shown_is_its_draft(chat: Reader) -> None:
    chat.asked.plan(answer("At length."))
    chat.ask("A long conversation")
    chat.done()
    chat.button("New chat").click()
    expect(chat.page.locator(".answer")).to_have_count(0)
    chat.prompt.fill("a beginning")
    chat.page.evaluate(HELD)
    chat.row("A long conversation").get_by_role("link").click()
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("A long conversation")
    expect(chat.prompt).to_have_value("")
    chat.prompt.fill("half a thought")
    chat.page.evaluate("letGoOn()")
    chat.see("At length.")
    expect(chat.prompt).to_be_focused()
    expect(chat.prompt).to_have_value("half a thought")
    chat.button("New chat").click()
    expect(chat.prompt).to_have_value("a beginning")


def test_conversations_are_found_named_deleted_and_brought_back(chat: Reader) -> None:
    chat.asked.plan(answer("Of quokkas nothing."), answer("Of numbats nothing."))
    chat.ask("Tell me of quokkas")
    chat.done()
    chat.page.keyboard.press("Alt+n")
    chat.ask("Tell me of numbats")
    chat.done()
    row = chat.row("Tell me of quokkas")
    row.hover()
    row.get_by_role("button").click()
    chat.button("Rename").click()
    chat.page.get_by_label("Name of the conversation").fill("Small wallabies")
    chat.page.keyboard.press("Enter")
    expect(chat.row("Small wallabies")).to_be_visible()

    chat.page.keyboard.press("Control+k")
    chat.page.keyboard.type("quokkas")
    links = chat.page.locator(".conversations").get_by_role("link")
    expect(links).to_have_count(1)
    chat.page.keyboard.press("Enter")
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("Small wallabies")

    chat.button("More for this conversation").click()
    with chat.page.expect_download() as download:
        chat.page.get_by_role("link", name="Export as Markdown").click()
    assert "Of quokkas nothing." in download.value.path().read_text()

    for _ in range(2):
        chat.button("More for this conversation").click()
        chat.button("Delete").click()
        expect(links).to_have_count(0)
        if _ == 0:
            chat.button("Undo").click()
            links.first.click()
            chat.see("Of quokkas nothing.")
    chat.button("Close this message").click()
    with chat.page.expect_response(lambda response: "/api/conversations?" in response.url):
        chat.page.get_by_label("Search conversations").fill("wallabies")
    expect(chat.page.locator(".list-note")).to_have_text("Nothing found.")


def test_a_question_that_the_server_refused_is_a_draft_when_it_is_left(chat: Reader) -> None:
    chat.asked.plan(answer("First."))
    chat.ask("Where one goes")
    chat.see("First.")
    chat.done()
    no = {"error": {"code": "too_large", "message": "the body is too long", "retryable": False}}
    chat.page.route("**/api/chat", lambda route: route.fulfill(status=413, json=no))
    chat.button("New chat").click()
    expect(chat.page.locator(".answer")).to_have_count(0)
    chat.ask("Written with care")
    expect(chat.page.locator(".problem")).to_contain_text("too long")
    chat.row("Where one goes").locator("a").click()
    chat.see("First.")
    expect(chat.prompt).to_have_value("")
    chat.button("New chat").click()
    expect(chat.prompt).to_have_value("Written with care")
    chat.prompt.press("Enter")
    expect(chat.page.locator(".problem")).to_contain_text("too long")
    chat.page.unroute("**/api/chat")
    chat.page.reload()
    expect(chat.prompt).to_have_value("Written with care")
    chat.asked.plan(answer("Taken."))
    chat.page.route("**/api/chat", lambda route: route.fulfill(status=413, json=no))
    chat.prompt.press("Enter")
    expect(chat.page.locator(".problem")).to_contain_text("too long")
    chat.page.unroute("**/api/chat")
    chat.page.locator(".problem").get_by_role("button", name="Retry").click()
    chat.see("Taken.")
    chat.done()
    chat.page.reload()
    chat.see("Taken.")
    chat.button("New chat").click()
    expect(chat.page.locator(".answer")).to_have_count(0)
    expect(chat.prompt).to_have_value("")


def test_the_focus_is_not_lost_with_the_button_that_had_it(chat: Reader) -> None:
    def ask(number: int) -> None:
        body = {"input": f"Filler {number}", "model": MODEL}
        chat.page.evaluate(
            """async body => (await fetch("api/chat", { method: "POST", body: JSON.stringify(body),
              headers: { "Content-Type": "application/json" } })).text()""",
            body,
        )

    chat.asked.plan(*(answer("Filled.") for _ in range(42)))
    for number in range(42):
        ask(number)
    chat.page.reload()
    chat.button("Show more").focus()
    chat.page.keyboard.press("Enter")
    chat.tab.until("document.activeElement.className", "row-link")
    assert chat.page.evaluate("[...document.querySelectorAll('.row-link')].indexOf(document.activeElement)") == 40
    chat.row("Filler 41").hover()
    chat.button("More for Filler 41").click()
    chat.button("Delete").click()
    chat.button("Undo").focus()
    chat.page.keyboard.press("Enter")
    expect(chat.row("Filler 41")).to_be_visible()
    expect(chat.page.locator("#scroller")).to_be_focused()


COMPOSING = """target => document.querySelector(target).dispatchEvent(
  new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
"""Enter that takes what an input method suggests."""


def test_enter_in_the_search_opens_what_is_found_however_fast_it_is_typed(chat: Reader) -> None:
    chat.asked.plan(answer("Cuscus."), answer("Dugong."), answer("Numbat."))
    for text in ("About cuscuses", "About dugongs", "About numbats"):
        chat.button("New chat").click()
        expect(chat.page.locator(".answer")).to_have_count(0)
        chat.ask(text)
        chat.done()
    chat.page.keyboard.press("Control+k")
    assert chat.page.evaluate(COMPOSING, "#search"), "it is the input method's"
    chat.page.keyboard.type("cuscuses")
    chat.page.keyboard.press("Enter")
    chat.see("Cuscus.")
    expect(chat.prompt).to_be_focused()
    chat.page.keyboard.press("Control+k")
    chat.page.keyboard.type("no such animal")
    chat.page.keyboard.press("Enter")
    expect(chat.page.locator(".list-note")).to_have_text("Nothing found.")
    chat.see("Cuscus.")


def test_everything_is_done_with_keys_alone(chat: Reader) -> None:
    keys, page = chat.page.keyboard, chat.page
    chat.asked.plan(answer("First."), answer("Second."), endless("Third"))
    page.get_by_role("link", name="Skip to the message field").focus()
    keys.press("Enter")
    keys.type("By keys")
    keys.press("Shift+Enter")
    keys.type("alone")
    keys.press("Enter")
    chat.see("First.")
    chat.done()
    chat.has("By keys\nalone")
    keys.press("ArrowUp")
    expect(page.locator(":focus")).to_have_value("By keys\nalone")
    keys.type(" again")
    keys.press("Enter")
    chat.see("Second.")
    chat.done()
    keys.press("Alt+n")
    expect(page.get_by_role("heading", level=1)).to_have_text("New chat")
    keys.press("Alt+ArrowDown")
    chat.see("Second.")
    keys.type("Third")
    keys.press("Enter")
    chat.see("Third")
    keys.press("Escape")
    chat.done()
    for _ in range(40):
        keys.press("Shift+Tab")
        if page.evaluate("document.activeElement.ariaLabel") == "Previous question":
            break
    keys.press("Enter")
    chat.see("First.")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Next question")
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_answer_behind_the_page_goes_on_and_is_marked_when_it_ends(chat: Reader) -> None:
    gate = Event()
    chat.asked.plan(held("It begins", gate, " and ends."))
    chat.ask("In the background")
    chat.see("It begins")
    chat.page.keyboard.press("Alt+n")
    row = chat.row("In the background")
    expect(row.get_by_text("being answered")).to_be_attached()
    gate.set()
    expect(row.get_by_text("new answer")).to_be_attached(timeout=SEEN)
    expect(chat.page).to_have_title("● streamchat")
    row.get_by_role("link").click()
    chat.see("It begins and ends.")
    expect(chat.page).to_have_title("In the background – streamchat")


def test_the_token_leaves_the_address_and_without_it_the_page_says_what_to_do(chat: Reader) -> None:
    assert "token" not in chat.page.url
    chat.page.context.clear_cookies()
    chat.prompt.fill("kept while locked out")
    chat.ask("Will it be heard?")
    field = chat.page.get_by_label("The server’s token")
    expect(field).to_be_visible(timeout=SEEN)
    field.fill("not the token at all")
    field.press("Enter")
    expect(chat.page.get_by_role("alert")).to_contain_text("not this server’s")
    field.fill(TOKEN)
    field.press("Enter")
    expect(field).to_have_count(0, timeout=SEEN)
    expect(chat.prompt).to_be_visible(timeout=SEEN)
