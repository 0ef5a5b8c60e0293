// Code blocks and tables in answers: a Copy button, the language's name, and scrolling by keyboard where they are wide.

import { copyButton } from "./copying.js";
import { h } from "./dom.js";

const WIDE = "pre > code, table";

// Sees to the blocks of this element; called again, to those that are new.
export class Blocks {
  #root;
  #seen = new WeakSet();
  #sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => reachable(target)));

  constructor(root) {
    this.#root = root;
  }

  refresh() {
    for (const block of this.#root.querySelectorAll(WIDE)) {
      if (this.#seen.has(block)) continue;
      this.#seen.add(block);
      this.#sizes.observe(block);
      if (block.tagName === "CODE") addTools(block);
    }
  }
}

// The tools stand before the code, so that parts that come later still find the code as the last child.
function addTools(code) {
  const language = code.parentElement.dataset.lang ?? "";
  const copy = copyButton("Copy code", () => code.textContent.replace(/\n$/, ""), "quiet round copy-code");
  code.before(h("div", { class: "code-tools" }, h("span", { class: "code-language" }, language), copy));
}

function reachable(block) {
  const wide = block.scrollWidth > block.clientWidth + 1;
  if (wide === block.hasAttribute("tabindex")) return;
  if (wide) {
    block.tabIndex = 0;
    if (block.tagName === "CODE") block.setAttribute("role", "group");
    block.setAttribute("aria-label", block.tagName === "CODE" ? "Code, wider than the page" : "Table, wider than the page");
  } else {
    block.removeAttribute("tabindex");
    block.removeAttribute("aria-label");
    if (block.tagName === "CODE") block.removeAttribute("role");
  }
}
