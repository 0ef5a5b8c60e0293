// A button that unfolds a short list of things to do. Esc and a click elsewhere fold it again.

import { h, icon } from "./dom.js";

// `items()` gives, each time it is opened, groups of [label, act or address, attributes].
export function menu(label, items, classes = "quiet round") {
  const button = h("button", { type: "button", class: classes, "aria-label": label, title: label, "aria-expanded": "false" }, icon("more"));
  const list = h("ul", { class: "menu-list", hidden: true });
  const element = h("div", { class: "menu" }, button, list);

  const close = (refocus) => {
    if (list.hidden) return;
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (refocus) button.focus();
  };
  const outside = (event) => element.contains(event.target) || close(false);
  const open = () => {
    list.replaceChildren(...items().flatMap((group, at) => group.map((entry, index) => item(entry, close, at > 0 && index === 0))));
    list.hidden = false;
    list.classList.toggle("is-above", list.getBoundingClientRect().bottom > innerHeight);
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    choices(list)[0]?.focus();
  };

  button.addEventListener("click", () => (list.hidden ? open() : close(true)));
  element.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "Escape") close(true);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") step(list, event.key === "ArrowDown" ? 1 : -1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener("focusout", (event) => event.relatedTarget && !element.contains(event.relatedTarget) && close(false));
  return element;
}

function item([label, what, attributes = {}], close, isFirst) {
  const place = { class: isFirst ? "menu-group" : null };
  if (typeof what === "string") return h("li", place, h("a", { href: what, ...attributes, onclick: () => close(false) }, label));
  const act = () => {
    close(true);
    what();
  };
  return h("li", place, h("button", { type: "button", ...attributes, onclick: act }, label));
}

const choices = (list) => [...list.querySelectorAll("a, button")];

function step(list, by) {
  const all = choices(list);
  all.at((all.indexOf(document.activeElement) + by) % all.length).focus();
}
