// The keys of the page, in one table: what acts on them and what the help shows are the same.

import { dialogIsOpen, openDialog } from "./dialog.js";
import { h } from "./dom.js";

const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);
const COMMAND = MAC ? "⌘" : "Ctrl";
const OPTION = MAC ? "⌥" : "Alt";

export const searchKey = MAC ? "⌘ K" : "Ctrl K";

// [keys shown, what they do, whether an event is it, act]; those without an act belong to their fields.
export function bindKeys(acts) {
  const table = [
    [["Enter"], "Send"],
    [["Shift", "Enter"], "A new line"],
    [["Esc"], "Stop the answer", (event) => event.key === "Escape", acts.escape],
    [["↑"], "In an empty field: edit the last question"],
    [[COMMAND, "K"], "Search the conversations", (event) => withCommand(event) && event.code === "KeyK" && !event.shiftKey, acts.search],
    [[OPTION, "N"], "New chat", (event) => event.altKey && !withCommand(event) && event.code === "KeyN", acts.begin],
    [[OPTION, "↑"], "The conversation above", (event) => event.altKey && event.key === "ArrowUp", () => acts.step(-1)],
    [[OPTION, "↓"], "The conversation below", (event) => event.altKey && event.key === "ArrowDown", () => acts.step(1)],
    [[OPTION, "M"], "Choose the model", (event) => event.altKey && !withCommand(event) && event.code === "KeyM", acts.model],
    [["?"], "This list", (event) => event.key === "?" && !isTyping(event), () => help(table)],
  ];
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || dialogIsOpen()) return;
    const found = table.find(([, , matches]) => matches?.(event));
    if (found && found[3]() !== false) event.preventDefault();
  });
  return () => help(table);
}

const withCommand = (event) => (MAC ? event.metaKey : event.ctrlKey);

const isTyping = ({ target }) => target.closest?.("input, textarea, select, [contenteditable]") !== null;

function help(table) {
  openDialog("Keys", [
    h("dl", { class: "keys" }, ...table.map(([keys, what]) =>
      h("div", {}, h("dt", {}, ...keys.flatMap((key, index) => [index ? " " : null, h("kbd", {}, key)])), h("dd", {}, what)))),
  ], { classes: "dialog-keys" });
}
