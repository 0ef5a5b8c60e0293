// The way in: the code in the page's address, or the server's token typed in.

import { enter } from "./api.js";
import { byId, h, setText } from "./dom.js";

// The code is good once and stands in no history: it is taken out of the address at once.
export async function useAddress() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const token = fields.get("token");
  if (token === null) return;
  fields.delete("token");
  const rest = fields.toString();
  history.replaceState(null, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
  await enter(token).catch(() => {}); // used already, perhaps by this browser, which then has its cookie
}

// In the place of everything: the page is not let in.
export function showDoor(error) {
  if (document.querySelector(".door")) return;
  const field = h("input", { type: "password", class: "field", id: "token", autocomplete: "current-password", spellcheck: "false", "aria-describedby": "door-problem" });
  const problem = h("p", { class: "hint", id: "door-problem", role: "alert" });
  const form = h("form", { class: "door-form" }, h("label", { class: "label", for: "token" }, "The server’s token"), field, h("button", { type: "submit", class: "button primary" }, "Open"), problem);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await enter(field.value.trim());
      location.reload();
    } catch (refused) {
      setText(problem, refused.status === 401 ? "That token is not this server’s." : refused.message);
      field.select();
    }
  });
  byId("app").inert = true;
  document.body.append(h("main", { class: "door", "aria-labelledby": "door-title" },
    h("span", { class: "brand" }, "streamchat"),
    h("h1", { id: "door-title" }, "Open the link again"),
    h("p", {}, "This page is let in by the link that ", h("code", {}, "streamchat serve"), " printed when it was started. The link is good once, and the server may have been started again since."),
    h("p", {}, "Open its newest link, or give its token here. What you have written is kept."),
    form));
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  field.focus();
  return error;
}
