// A dialog with a title and a way out; it is made when it is opened and gone when it is closed.

import { h, iconButton } from "./dom.js";

let number = 0;

// Shows it. `closed()` is called however it is left; what is focused first has `autofocus`.
export function openDialog(title, content, { classes = "", closed = () => {} } = {}) {
  const id = `dialog-${(number += 1)}`;
  const element = h("dialog", { class: `dialog ${classes}`, "aria-labelledby": id },
    h("div", { class: "dialog-head" }, h("h2", { id }, title), iconButton("close", "Close", () => element.close())),
    ...content);
  element.addEventListener("close", () => {
    element.remove();
    closed();
  });
  element.addEventListener("click", (event) => event.target === element && element.close()); // beside it
  document.body.append(element);
  element.showModal();
  return element;
}

export const dialogIsOpen = () => document.querySelector("dialog[open]") !== null;
