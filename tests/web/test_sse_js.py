"""The page's decoder of event streams, in a real browser: right for every split of the bytes."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from streamchat.sse import Decoder, frame
from tests.web.browser import Tab, modules, tab

STREAMS = {
    "ours": frame('{"t":"é漢😀 \\n"}', event="token", id="0") + b": ping\n\n" + frame("{}", event="done", id="1.27"),
    "crlf": "event: a\r\ndata: é\r\n\r\ndata: 漢\r\ndata: 😀\r\n\r\n".encode(),
    "cr": b"id: 1\rdata: x\r\rdata: y\r\r",
    "mixed": b"data: a\r\n\ndata: b\r\r\ndata: c\n\r\n:\r\n\r\ndata\n\n",
    "byte order mark": "\ufeffdata: x\n\n\ufeffdata: y\n\ndata: \ufeffz\n\n".encode(),
    "fields": b"data:x\ndata: y\ndata:  z\nretry: 5\nother\nevent\nid\n\nevent: only\n\ndata\ndata\n\n:c\ndata: e\n\n",
    "ids": b"id: 7\ndata: a\n\ndata: b\n\nid: no\0\ndata: c\n\nid:\ndata: d\n\n",
    "cut": b"data: whole\n\ndata: lost\n",
    "broken": b"data: \xff\xe6\xbc\n\ndata: \xf0\x9f\x98\n\ndata: ok\n\n",
}

SPLITS = """stream => {
  const bytes = new Uint8Array(stream);
  const read = (...ends) => {
    const decoder = new sse.Decoder();
    const found = [];
    let start = 0;
    for (const end of [...ends, bytes.length]) {
      found.push(...decoder.feed(bytes.slice(start, end)));
      start = end;
    }
    return JSON.stringify(found);
  };
  const results = new Set([read(), read(...bytes.keys())]);
  for (let i = 0; i <= bytes.length; i++) for (let j = i; j <= bytes.length; j++) results.add(read(i, j));
  return [...results].map(result => JSON.parse(result));
}"""

FROM_A_STREAM = """async parts => {
  let cancelled = false;
  const body = () => new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(new Uint8Array(part));
      controller.close();
    },
  });
  const endless = new ReadableStream({
    pull(controller) { controller.enqueue(new TextEncoder().encode("data: x\\n\\n")); },
    cancel() { cancelled = true; },
  });
  const found = [];
  for await (const event of sse.events(body())) found.push(event.data);
  for await (const event of sse.events(endless)) { found.push(event.data); break; }
  return [found, cancelled];
}"""


@pytest.fixture(scope="module")
def opened(chromium: Browser) -> Iterator[Tab]:
    with modules(["sse"]) as site, tab(chromium) as made:
        made.page.goto(site.origin)
        made.until("window.ready")
        yield made


@pytest.mark.parametrize("name", STREAMS)
def test_every_split_of_a_stream_gives_the_same_events(opened: Tab, name: str) -> None:
    results = opened.page.evaluate(SPLITS, list(STREAMS[name]))
    expected: list[dict[str, Any]] = [
        {"event": found.event, "data": found.data, "id": found.id} for found in Decoder().feed(STREAMS[name])
    ]

    assert results == [expected]
    assert expected


def test_the_events_of_a_body_end_with_it_and_leaving_cancels_it(opened: Tab) -> None:
    parts = [list(STREAMS["ours"][:20]), list(STREAMS["ours"][20:])]

    assert opened.page.evaluate(FROM_A_STREAM, parts) == [['{"t":"é漢😀 \\n"}', "{}", "x"], True]


def test_a_long_event_in_small_pieces_takes_no_longer_than_it_is(opened: Tab) -> None:
    milliseconds = opened.page.evaluate("""() => {
      const decoder = new sse.Decoder();
      const piece = new Uint8Array(64).fill(120);
      decoder.feed(new TextEncoder().encode("data: "));
      const begun = performance.now();
      for (let i = 0; i < 65536; i++) decoder.feed(piece);
      const events = decoder.feed(new TextEncoder().encode("\\n\\n"));
      if (events.length !== 1 || events[0].data.length !== 65536 * 64) throw new Error("lost");
      return performance.now() - begun;
    }""")

    assert milliseconds < 3000
