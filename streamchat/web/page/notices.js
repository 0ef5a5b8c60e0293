// Short messages at the edge of the page, with at most one thing to do about them.

import { byId, h, iconButton } from "./dom.js";

const SHOWN = 7000;

// Gives what takes it away; `gone()` is called when it went without its action.
export function notice(text, { label, act, gone, shown = SHOWN } = {}) {
  let over = false;
  const end = (acted) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    if (element.contains(document.activeElement)) byId("scroller").focus({ preventScroll: true }); // not lost with its button
    element.remove();
    if (acted) act();
    else gone?.();
  };
  const element = h("div", { class: "notice" }, h("p", {}, text),
    label ? h("button", { type: "button", class: "link", onclick: () => end(true) }, label) : null,
    iconButton("close", "Close this message", () => end(false)));
  const timer = setTimeout(() => end(false), shown);
  byId("notices").append(element);
  return () => end(false);
}

export const complain = (problem) => notice(problem.hint ? `${problem.message} ${problem.hint}` : problem.message);
