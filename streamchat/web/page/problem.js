// An error where it happened: what, why, what to do, and Retry as soon as that makes sense.

import { countdown } from "./countdown.js";
import { h, icon, setText } from "./dom.js";

export class Problem {
  #retry;
  #end = () => {};

  constructor(retry) {
    this.#retry = retry;
    this.element = h("div", { class: "problem", hidden: true });
  }

  // `retry_after` (or `retryAfter`) holds the button back for so many seconds.
  show(error) {
    this.#end();
    const wait = error.retry_after ?? error.retryAfter ?? 0;
    const button = h("button", { type: "button", class: "button", onclick: () => this.#retry() }, "Retry");
    this.element.replaceChildren(
      icon("warn"),
      h("div", { class: "problem-text" },
        h("p", {}, sentence(error.message)),
        error.hint ? h("p", { class: "hint" }, sentence(error.hint)) : null,
        error.partial ? h("p", { class: "hint" }, "What had come is kept above.") : null),
      button);
    this.element.hidden = false;
    if (wait > 0) this.#hold(button, wait);
  }

  hide() {
    this.#end();
    this.element.hidden = true;
  }

  #hold(button, wait) {
    button.disabled = true;
    this.#end = countdown(wait, (left) => setText(button, `Retry in ${left} s`), () => {
      button.disabled = false;
      setText(button, "Retry");
    });
  }
}

function sentence(text) {
  const words = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…:]$/.test(words) ? words : `${words}.`;
}
