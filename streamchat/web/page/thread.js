// The branch of a conversation that is on the page. Turns that stay, stay: only what differs is touched.

import { turnId } from "./branches.js";
import { h } from "./dom.js";
import { Slices } from "./slices.js";
import { TurnView } from "./turn.js";

export class Thread {
  #element;
  #actions;
  #views = new Map();
  #showing = 0;
  #notice = h("p", { class: "thread-notice", hidden: true });
  #turns = h("div", { class: "turns" });
  #empty;

  // `actions` are those of TurnView; `empty` is what stands in a conversation that has not begun.
  constructor(element, empty, actions) {
    this.#element = element;
    this.#actions = actions;
    this.#empty = empty;
    element.append(empty, this.#turns, this.#notice);
  }

  // Another conversation: nothing of the last one stays.
  clear() {
    this.#showing += 1;
    this.#views.clear();
    this.#turns.replaceChildren();
    this.note("");
    this.#empty.hidden = false;
  }

  // The view of a turn, if there is one already.
  view(turn) {
    return this.#views.get(turnId(turn));
  }

  // This view is the turn's from now on.
  keep(view) {
    if (turnId(view.turn)) this.#views.set(turnId(view.turn), view);
  }

  // `live` is the view of what is under way, or was refused, after the path; `busy` while nothing else can be asked. The
  //  newest turns are there first.
  async show(branches, path, live = null, busy = false) {
    const showing = ++this.#showing;
    this.#empty.hidden = path.length > 0 || live !== null;
    const views = path.map((turn) => this.view(turn) ?? turn);
    const wanted = new Set(views.filter((view) => view instanceof TurnView).map((view) => view.element));
    if (live) wanted.add(live.element);
    for (const element of [...this.#turns.children]) if (!wanted.has(element)) element.remove();
    if (live && live.element.parentElement !== this.#turns) this.#turns.append(live.element);
    live?.place(branches, busy);
    let next = live ? live.element : null;
    const slices = new Slices();
    for (let index = views.length - 1; index >= 0; index -= 1) {
      if (slices.isOver) {
        await slices.pause();
        if (showing !== this.#showing) return;
      }
      const view = views[index] instanceof TurnView ? views[index] : this.#build(views[index]);
      if (view.element.parentElement !== this.#turns || view.element.nextElementSibling !== next) {
        this.#turns.insertBefore(view.element, next);
      }
      view.place(branches, busy);
      next = view.element;
      await view.answer.written();
      if (showing !== this.#showing) return;
    }
  }

  // A quiet line below the turns, with one thing to do about it.
  note(text, label = "", act = null) {
    this.#notice.hidden = !text;
    this.#notice.replaceChildren(text, ...(act ? [" ", h("button", { type: "button", class: "link", onclick: act }, label)] : []));
  }

  // The turn that is shown last.
  get last() {
    const element = this.#turns.lastElementChild;
    return [...this.#views.values()].find((view) => view.element === element) ?? null;
  }

  #build(turn) {
    const view = new TurnView(turn, this.#actions);
    this.#views.set(turnId(turn), view);
    return view;
  }
}
