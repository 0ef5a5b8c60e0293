"""Trees in a real browser: the page is what the tree says however it came, keeps its place, and does nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser
from pygments.token import STANDARD_TYPES

from streamchat.views.nodes import Node, joined
from streamchat.views.trees import Trees, trees
from tests.views.documents import CORPUS, ENDLESS, documents, pieces, ragged
from tests.web.browser import PAGE, Site, Tab, modules, tab
from tests.web.hostile import MARKDOWN, TREES

Step = tuple[list[Node], list[Node]]
"""An event: nodes that are finished, and the tail."""

LIBRARY = """
window.fresh = () => document.getElementById("answer").replaceWith(Object.assign(
  document.createElement("main"), { id: "answer" }));
window.answer = () => document.getElementById("answer");
window.nodes = element => {
  const found = [];
  for (const child of element.childNodes) {
    if (child.nodeType === 3) {
      if (typeof found.at(-1) === "string") found.push(found.pop() + child.data);
      else if (child.data) found.push(child.data);
      continue;
    }
    const attributes = {};
    for (const { name, value } of child.attributes) {
      if (name === "start") attributes.start = Number(value);
      else if (name === "data-lang") attributes.lang = value;
      else if (!["rel", "target", "dir"].includes(name)) attributes[name] = value;
    }
    found.push([child.localName, attributes, nodes(child)]);
  }
  return found;
};
window.play = (steps, every = 1) => {
  fresh();
  const seen = [];
  steps.forEach(([done, open], index) => {
    tree.append(answer(), done);
    tree.replace(answer(), open);
    if (index % every === every - 1 || index === steps.length - 1) seen.push(nodes(answer()));
  });
  return seen;
};
"""

WATCH = """
window.ran = [];
for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = () => ran.push(name);
for (const kind of ["error", "submit", "toggle", "focus", "load", "animationstart", "begin"])
  addEventListener(kind, event => { if (event.target !== window && event.target !== document) ran.push(kind); }, true);
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with modules(["tree"]) as made:
        yield made


@pytest.fixture(scope="module")
def opened(chromium: Browser, site: Site) -> Iterator[Tab]:
    with tab(chromium) as made:
        made.page.add_init_script(LIBRARY)
        made.page.goto(site.origin)
        made.until("window.ready")
        yield made


def call(where: Tab, function: str, argument: Any) -> Any:
    """What a function of the page gives; large trees go faster as JSON."""
    return json.loads(
        where.page.evaluate(f"text => JSON.stringify(({function})(JSON.parse(text)))", json.dumps(argument))
    )


def steps(chunks: list[str]) -> list[Step]:
    """The events of a text that comes in chunks."""
    made, found = Trees(), []
    for chunk in chunks:
        made.feed(chunk)
        found.append((made.take(), made.tail()))
    made.close()
    return [*found, (made.take(), [])]


def expected(events: list[Step], every: int = 1) -> list[list[Any]]:
    """What is to be seen after each, or after every so many and the last."""
    done: list[Node] = []
    seen = []
    for index, (finished, tail) in enumerate(events, 1):
        done += finished
        if index % every == 0 or index == len(events):
            seen.append(json.loads(json.dumps(joined(done + tail))))
    return seen


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(text=documents, seed=st.integers(0, 1000))
def test_the_page_is_what_the_tree_says_after_every_event(opened: Tab, text: str, seed: int) -> None:
    events = steps(ragged(text, seed))
    seen = call(opened, "play", events)

    assert seen == expected(events)
    assert seen[-1] == json.loads(json.dumps(trees(text)))


@pytest.mark.parametrize("name", [*CORPUS, *ENDLESS])
def test_an_answer_in_parts_is_the_whole_on_the_page(opened: Tab, name: str) -> None:
    text = (CORPUS | ENDLESS)[name]
    events = steps(pieces(text, 61 if name in CORPUS else 1999))

    assert call(opened, "steps => play(steps, 8)", events) == expected(events, every=8)


@pytest.mark.parametrize("name", CORPUS)
def test_what_stays_the_same_stays_in_place(opened: Tab, name: str) -> None:
    """A block that is there before and after an event, at the same place with the same tag, is the same element."""
    replaced = call(
        opened,
        """steps => {
          const elements = node => [...node.querySelectorAll(":is(p, h1, h2, ul, ol, li, blockquote, pre, table, tr)")];
          const place = node => {
            const at = [];
            for (; node !== answer(); node = node.parentNode)
              at.unshift(`${node.localName}${[...node.parentNode.children].indexOf(node)}`);
            return at.join(" ");
          };
          fresh();
          const replaced = [];
          for (const [done, open] of steps) {
            const before = new Map(elements(answer()).map(element => [place(element), element]));
            tree.append(answer(), done);
            tree.replace(answer(), open);
            for (const element of elements(answer())) {
              const old = before.get(place(element));
              if (old && old !== element) replaced.push(place(element));
            }
          }
          return replaced;
        }""",
        steps(pieces(CORPUS[name], 17)),
    )

    assert replaced == []


def test_a_selection_in_the_tail_survives_growth_and_the_end_of_its_block(opened: Tab) -> None:
    text = "# Head\n\nSome *words* of a paragraph\nthat goes on\n\n```py\nx = 1  # a comment\ny = 2\n```\n\nThe end.\n"
    events = steps(list(text))
    chosen = call(
        opened,
        """steps => {
          fresh();
          const wanted = ["words", "paragraph", "comment"];
          const ranges = new Map();
          for (const [done, open] of steps) {
            tree.append(answer(), done);
            tree.replace(answer(), open);
            const walker = document.createTreeWalker(answer(), NodeFilter.SHOW_TEXT);
            for (let node; (node = walker.nextNode());) {
              for (const word of wanted) {
                const at = node.data.indexOf(word);
                if (at < 0 || ranges.has(word)) continue;
                const range = document.createRange();
                range.setStart(node, at);
                range.setEnd(node, at + word.length);
                ranges.set(word, range);
              }
            }
          }
          return wanted.map(word => ranges.get(word).toString());
        }""",
        events,
    )

    assert chosen == ["words", "paragraph", "comment"]


def test_an_element_of_the_pages_own_stays_where_it_was_put(opened: Tab) -> None:
    text = "```py\nx = 1\ny = '''\nz\n'''\n```\n\n- a\n- b\n"
    found = call(
        opened,
        """steps => {
          fresh();
          const own = Object.assign(document.createElement("hr"), { className: "own" });
          answer().append(own);
          for (const [done, open] of steps) {
            tree.append(answer(), done);
            tree.replace(answer(), open);
            for (const pre of answer().querySelectorAll("pre")) {
              if (pre.querySelector("button")) continue;
              pre.prepend(document.createElement("button"));
            }
          }
          return [answer().querySelectorAll("button").length, answer().querySelectorAll("hr.own").length,
            answer().querySelector("code").textContent, answer().querySelectorAll("li").length];
        }""",
        steps(list(text)),
    )

    assert found == [1, 1, "x = 1\ny = '''\nz\n'''\n", 2]


def test_the_end_of_a_long_answer_costs_no_more_than_its_beginning(opened: Tab) -> None:
    line: Node = ("pre", {"+": 1}, [("code", {"+": 1}, [("span", {"class": "k"}, ["let"]), " x = 1\n"])])
    first: Node = ("pre", {"lang": "js"}, [("code", {}, ["// begin\n"])])
    looks = call(
        opened,
        """([first, line]) => {
          fresh();
          let count = 0;
          const names = ["nextSibling", "firstChild", "childNodes"];
          const getters = names.map(name => Object.getOwnPropertyDescriptor(Node.prototype, name));
          names.forEach((name, index) => Object.defineProperty(Node.prototype, name, {
            configurable: true, get() { count++; return getters[index].get.call(this); },
          }));
          tree.append(answer(), [first]);
          const looks = [];
          for (let round = 0; round < 5; round++) {
            count = 0;
            for (let i = 0; i < 500; i++) {
              tree.append(answer(), [line]);
              tree.replace(answer(), [line]);
            }
            looks.push(count);
          }
          names.forEach((name, index) => Object.defineProperty(Node.prototype, name, getters[index]));
          return looks;
        }""",
        [first, line],
    )

    assert 0 < looks[-1] <= looks[1]


def test_the_page_lets_pass_the_classes_that_the_server_sends() -> None:
    source = (PAGE / "tree.js").read_text()
    start = source.index('"', source.index("const COLOURS"))
    listed = set(source[start : source.index(";", start)].replace('"', " ").replace("+", " ").split())

    assert listed == {*filter(None, STANDARD_TYPES.values())} - {"w"}


LOOK = """() => {
  const wrong = [];
  const tags = "p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s a br hr " +
    "table thead tbody tr th td span kbd div";
  const classes = new RegExp("^(task|task done|alert (note|tip|important|warning|caution)|left|center|right|removed|" +
    "[a-z]{1,3}[12]?)$");
  const attributes = { href: 1, rel: 1, target: 1, dir: 1, start: 1, class: 1, "data-lang": 1 };
  for (const element of answer().querySelectorAll("*")) {
    if (!tags.split(" ").includes(element.localName)) wrong.push(element.localName);
    if (element.namespaceURI !== "http://www.w3.org/1999/xhtml") wrong.push(element.namespaceURI);
    for (const { name } of element.attributes) if (!attributes[name]) wrong.push(name);
    if (element.hasAttribute("class") && !classes.test(element.className)) wrong.push(element.className);
    if (element.localName !== "a") continue;
    if (element.rel !== "noopener noreferrer" || element.target !== "_blank") wrong.push("rel");
    if (!element.hasAttribute("href")) continue;
    if (!["http:", "https:", "mailto:"].includes(element.protocol)) wrong.push(element.href);
    if (!/^(https?:\\/\\/|mailto:)/i.test(element.getAttribute("href"))) wrong.push("href");
  }
  return wrong;
}"""


@pytest.mark.parametrize("path", ["/", "/bare"])
def test_nothing_hostile_runs_navigates_or_makes_a_request(chromium: Browser, site: Site, path: str) -> None:
    """Under the page's policy nothing is refused, because nothing is tried; without one nothing happens either."""
    assert len(MARKDOWN) >= 150
    assert len(TREES) >= 80
    cases = [[(made, [])] for made in map(trees, MARKDOWN)]
    cases += [events for text in MARKDOWN[::5] for events in [steps(list(text))]]
    cases += [[([made], [made])] for made in TREES] + [
        [([["p", {}, [made]]], [["p", {"+": 1}, [made, made]]])] for made in TREES
    ]
    site.asked.clear()
    with tab(chromium) as seen:
        went: list[str] = []
        seen.page.on("framenavigated", lambda frame: went.append(frame.url))
        seen.page.context.on("page", lambda page: went.append(page.url))
        seen.page.add_init_script(LIBRARY + WATCH)
        seen.page.goto(f"{site.origin}{path}")
        seen.until("window.ready")

        wrong = call(
            seen,
            f"""cases => cases.map(steps => {{
              play(steps);
              for (const element of answer().querySelectorAll(":not(a, a *)")) {{
                element.dispatchEvent(new MouseEvent("mouseover", {{ bubbles: true }}));
                element.dispatchEvent(new MouseEvent("click", {{ bubbles: true }}));
                element.focus();
              }}
              return ({LOOK})();
            }})""",
            cases,
        )
        seen.page.evaluate("fetch('/boot.js', { cache: 'reload' }).then(found => found.text())")  # after all of theirs

        assert [found for found in wrong if found] == []
        assert seen.page.evaluate("ran") == []
        assert seen.breaches == []
        assert seen.errors == []
        assert went == [f"{site.origin}{path}"]
        assert {url.removeprefix(site.origin) for url in seen.requests if not url.startswith("data:,")} == {
            path,
            "/boot.js",
            "/tree.js",
        }
        assert set(site.asked) <= {path, "/boot.js", "/tree.js"}


def test_a_tree_of_any_depth_does_not_break_the_page(opened: Tab) -> None:
    depth = call(
        opened,
        """() => {
          let node = "deep";
          for (let i = 0; i < 5000; i++) node = ["p", { "+": 1 }, [node, ["em", {}, []]]];
          fresh();
          tree.append(answer(), [node, "after"]);
          tree.append(answer(), [node]);
          tree.replace(answer(), [node, node]);
          tree.replace(answer(), []);
          let depth = 0;
          for (let element = answer(); element; element = element.firstElementChild) depth++;
          return depth;
        }""",
        None,
    )

    assert 50 < depth < 200


def test_no_module_of_the_page_makes_elements_of_text() -> None:
    """Each of these would be refused by the policy, too; a page that never tries needs no exception."""
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser")
    for script in Path(PAGE).glob("*.js"):
        assert not [word for word in forbidden if word in script.read_text()], script.name
