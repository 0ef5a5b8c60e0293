// Copying to the clipboard, and a button that says that it did.

import { h, icon } from "./dom.js";
import { say } from "./speech.js";

const SHOWN = 1600;

// A button that copies what `text()` gives, now or later.
export function copyButton(label, text, classes = "quiet round") {
  const button = h("button", { type: "button", class: classes, "aria-label": label, title: label }, icon("copy"));
  button.addEventListener("click", async () => {
    const copied = await copy(await text());
    button.replaceChildren(icon(copied ? "check" : "close"));
    button.classList.toggle("is-done", copied);
    say(copied ? "Copied." : "The browser does not let this page copy.");
    setTimeout(() => {
      button.replaceChildren(icon("copy"));
      button.classList.remove("is-done");
    }, SHOWN);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // over plain http from another machine there is no clipboard for pages
  }
}

function copyBySelection(text) {
  const field = h("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
  const focused = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  focused?.focus({ preventScroll: true });
  return copied;
}
