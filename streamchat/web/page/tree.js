// The server's trees as DOM nodes: the only place of the page that makes elements out of what a model wrote.
//
// A node is a string or [tag, attributes, children]. Elements are made by createElement from the list below and get the
// attributes listed with it, each looked at again here; whatever else a tree names is left out and its text stays. So
// nothing that a tree says can run, load or navigate by itself, whoever made the tree.
//
// A parent has finished nodes, then the tail: what the open end looks like now. `append` adds finished ones, `replace`
// the tail. Both change the nodes that are there into those that are to be there, so that a selection, the focus and the
// scroll position stay. An element of the page's own (a button in a `pre`) may stand among the children; it is left alone.

const ALERTS = ["alert note", "alert tip", "alert important", "alert warning", "alert caution"];
const ALIGNED = ["left", "center", "right"];
const COLOURS =
  "err esc x k kc kd kn kp kr kt n na nb bp nc no nd ni ne nf fm py nl nn nx nt nv vc vg vi vm l ld s sa sb sc dl sd s2 " +
  "se sh si sx sr s1 ss m mb mf mh mi il mo o ow p pm c ch cm cp cpf c1 cs g gd ge ges gr gh gi go gp gs gu gt";

// What an element may have: the classes, and functions that give an attribute's value as it is set, or null.
const PLAIN = {};
const TAGS = new Map([
  ..."p h1 h2 h3 h4 h5 h6 ul em strong s br hr table thead tbody tr div kbd code".split(" ").map(tag => [tag, PLAIN]),
  ["ol", { start: { name: "start", value: whole } }],
  ["li", { classes: new Set(["task", "task done"]) }],
  ["blockquote", { classes: new Set(ALERTS) }],
  ["pre", { lang: { name: "data-lang", value: language } }],
  ["span", { classes: new Set([...COLOURS.split(" "), "removed"]) }],
  ["a", { href: { name: "href", value: address } }],
  ["th", { classes: new Set(ALIGNED) }],
  ["td", { classes: new Set(ALIGNED) }],
]);
const ATTRIBUTES = ["href", "start", "lang"];
const EMPTY = new Set(["br", "hr"]);
const DEEPEST = 100;

const made = new WeakSet(); // every node that was made here
const last = new WeakMap(); // an element's last finished child; those after it are its tail

// Add finished nodes behind the finished ones. What the tail shows of them already stays in place.
export function append(parent, nodes) {
  finish(parent, list(nodes), 0);
}

// Show these nodes as the tail, in place of what it was.
export function replace(parent, nodes) {
  show(parent, list(nodes), 0);
}

function finish(parent, nodes, depth) {
  for (const node of nodes) {
    const before = last.get(parent);
    if (continues(node, before)) {
      finish(before, list(node[2]), depth + 1);
      continue;
    }
    if (before) show(before, [], depth + 1);
    const there = after(parent, before);
    let now = there;
    if (typeof node === "string" && isText(there) && there.data.startsWith(node)) {
      if (there.data.length > node.length) made.add(there.splitText(node.length));
    } else if (alike(there, node)) {
      dress(there, node);
      finish(there, inside(node), depth + 1);
    } else {
      now = build(node, depth, finish);
      if (!now) continue;
      parent.insertBefore(now, there);
    }
    last.set(parent, now);
  }
}

function show(parent, nodes, depth) {
  if (isText(parent)) return;
  const before = last.get(parent);
  let rest = nodes;
  if (before) {
    const goesOn = continues(nodes[0], before);
    show(before, goesOn ? list(nodes[0][2]) : [], depth + 1);
    if (goesOn) rest = nodes.slice(1);
  }
  let there = after(parent, before);
  for (const node of rest) {
    if (typeof node === "string" && isText(there)) {
      write(there, node);
    } else if (alike(there, node)) {
      dress(there, node);
      show(there, inside(node), depth + 1);
    } else {
      const now = build(node, depth, show);
      if (!now) continue;
      if (there) there.replaceWith(now);
      else parent.insertBefore(now, null);
      there = now;
    }
    there = after(parent, there);
  }
  while (there) {
    const next = after(parent, there);
    there.remove();
    there = next;
  }
}

// Whether a node goes on with the element before it.
function continues(node, before) {
  return Array.isArray(node) && Boolean(before) && before.localName === tagOf(node) && Boolean(attributes(node)["+"]);
}

// Whether an element can become what a node says.
function alike(there, node) {
  return Boolean(there) && Array.isArray(node) && there.localName === tagOf(node) && !last.has(there);
}

function build(node, depth, fill) {
  if (typeof node === "string") return remember(document.createTextNode(node));
  if (!Array.isArray(node)) return null;
  if (depth > DEEPEST) return null;
  const element = remember(document.createElement(tagOf(node)));
  if (depth === 0 && element.localName !== "pre") element.dir = "auto"; // what is in it goes with its first letters; code never
  dress(element, node);
  fill(element, inside(node), depth + 1);
  return element;
}

function remember(node) {
  made.add(node);
  return node;
}

// An unknown element is shown as nothing but what is in it.
function tagOf(node) {
  return typeof node[0] === "string" && TAGS.has(node[0]) ? node[0] : "span";
}

function attributes(node) {
  return node[1] && typeof node[1] === "object" ? node[1] : PLAIN;
}

function inside(node) {
  return EMPTY.has(tagOf(node)) ? [] : list(node[2]);
}

function list(nodes) {
  return Array.isArray(nodes) ? nodes : [];
}

// Give an element the attributes that its node has, as far as they may be.
function dress(element, node) {
  const allowed = TAGS.get(node[0]) ?? PLAIN;
  const given = attributes(node);
  set(element, "class", allowed.classes?.has(given.class) ? given.class : null);
  for (const attribute of ATTRIBUTES) {
    if (allowed[attribute]) set(element, allowed[attribute].name, allowed[attribute].value(given[attribute]));
  }
  if (element.localName === "a") {
    set(element, "rel", "noopener noreferrer");
    set(element, "target", "_blank");
  }
}

function set(element, name, value) {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

function address(value) {
  if (typeof value !== "string" || !/^(?:https?:\/\/|mailto:)[\x21-\x7e]+$/i.test(value)) return null;
  return URL.canParse(value) && ["http:", "https:", "mailto:"].includes(new URL(value).protocol) ? value : null;
}

function whole(value) {
  return Number.isSafeInteger(value) && value >= 0 && value < 1e9 ? String(value) : null;
}

function language(value) {
  return typeof value === "string" && /^[\p{L}\p{N}_+#.\-]{1,40}$/u.test(value) ? value : null;
}

// The first node that was made here behind another one, or at the start.
function after(parent, node) {
  let next = node ? node.nextSibling : parent.firstChild;
  while (next && !made.has(next)) next = next.nextSibling;
  return next;
}

function isText(node) {
  return node?.nodeType === 3;
}

// Change a text from where it differs.
function write(text, now) {
  const old = text.data;
  const size = Math.min(old.length, now.length);
  let same = 0;
  while (same < size && old[same] === now[same]) same++;
  if (same < old.length || same < now.length) text.replaceData(same, old.length - same, now.slice(same));
}
