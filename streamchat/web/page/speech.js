// What a screen reader hears of an answer that is written: whole sentences, each once; of code, what it is.

const EVERY = 700; // milliseconds between two writes, or speech falls behind in pieces
const KEPT = 8;
const SENTENCE = /[.!?…:]["'”’)\]]*\s|[。！？]|\n/g;

const waiting = [];
let region = null;
let timer = 0;

// Where to speak: an element with aria-live.
export function speakIn(element) {
  region = element;
}

// Say this when what was said before has been.
export function say(text) {
  const words = text.trim();
  if (!words || region === null) return;
  waiting.push(words);
  if (timer === 0) timer = setTimeout(flush, 50);
}

function flush() {
  timer = 0;
  if (waiting.length === 0) return;
  const line = document.createElement("p");
  line.textContent = waiting.splice(0).join(" ");
  region.append(line);
  while (region.childElementCount > KEPT) region.firstElementChild.remove();
  timer = setTimeout(flush, EVERY);
}

// Takes the blocks of one answer as they come, says its sentences as they are complete.
export class Speech {
  #said = 0; // characters of the open blocks

  blocks({ done, open }) {
    if (done?.length) {
      say(textOf(done).slice(this.#said));
      this.#said = 0;
    }
    if (!open?.length) return;
    const text = textOf(open);
    const end = lastSentence(text);
    if (end > this.#said) {
      say(text.slice(this.#said, end));
      this.#said = end;
    }
  }
}

const lastSentence = (text) => [...text.matchAll(SENTENCE)].reduce((_, match) => match.index + match[0].length, 0);

const BLOCKS = new Set(["p", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol"]);

// The words of trees of nodes; code is named and not read out.
function textOf(nodes) {
  return nodes.map((node) => {
    if (typeof node === "string") return node;
    const [tag, attributes, children] = node;
    if (tag === "pre") return attributes["+"] ? "" : `Code${attributes.lang ? ` in ${attributes.lang}` : ""}.\n`;
    if (tag === "br") return "\n";
    return textOf(children) + (BLOCKS.has(tag) ? "\n" : tag === "td" || tag === "th" ? " " : "");
  }).join("");
}
