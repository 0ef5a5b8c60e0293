// Blocks written into an answer, in their order and in short slices: a whole answer at once is as many as hours of tokens.

import { Blocks } from "./code.js";
import { Slices } from "./slices.js";
import { append, replace } from "./tree.js";

export class Writing {
  #body;
  #tools;
  #done = [];
  #open = null; // the tail as it is to be, null when it stays
  #busy = null;

  constructor(body) {
    this.#body = body;
    this.#tools = new Blocks(body);
  }

  // `done` blocks are added for good, `open` ones are the tail from now on; absent is unchanged.
  put({ done, open }) {
    if (done?.length) this.#done.push(...done);
    if (open) this.#open = open;
    this.#busy ??= this.#write().finally(() => (this.#busy = null));
  }

  // Until everything that was put is on the page.
  async written() {
    while (this.#busy) await this.#busy;
  }

  async #write() {
    const slices = new Slices();
    let next = 0;
    for (; next < this.#done.length; next += 1) {
      append(this.#body, [this.#done[next]]);
      if (slices.isOver) {
        this.#tools.refresh();
        await slices.pause();
      }
    }
    this.#done = [];
    if (this.#open) replace(this.#body, this.#open);
    this.#open = null;
    this.#tools.refresh();
  }
}
