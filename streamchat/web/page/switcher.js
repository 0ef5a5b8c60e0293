// `‹ 2 / 3 ›`: which of several questions or answers that stand in the same place is shown.

import { h, iconButton, setText } from "./dom.js";

export class Switcher {
  #go;
  #back;
  #forth;
  #where;
  #index = 0;
  #count = 1;

  // `what` is a word for one of them; `go(index)` shows another.
  constructor(what, go) {
    this.#go = go;
    this.#back = iconButton("left", `Previous ${what}`, () => this.#move(-1));
    this.#forth = iconButton("right", `Next ${what}`, () => this.#move(1));
    this.#where = h("span", { class: "switcher-where" });
    this.element = h("div", { class: "switcher", role: "group", "aria-label": `Versions of the ${what}`, hidden: true }, this.#back, this.#where, this.#forth);
  }

  show(index, count) {
    this.#index = index;
    this.#count = count;
    this.element.hidden = count < 2;
    setText(this.#where, `${index + 1} / ${count}`);
    this.#back.disabled = index <= 0;
    this.#forth.disabled = index >= count - 1;
  }

  #move(by) {
    const next = this.#index + by;
    if (next >= 0 && next < this.#count) this.#go(next, by);
  }

  // The button of that direction, or the other where there is no further one.
  focus(by) {
    const wanted = by < 0 ? this.#back : this.#forth;
    (wanted.disabled ? (by < 0 ? this.#forth : this.#back) : wanted).focus();
  }
}
