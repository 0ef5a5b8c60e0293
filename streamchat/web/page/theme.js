// Light or dark: as the system is, unless somebody has said otherwise here.

import { byId } from "./dom.js";
import { prefer, preference } from "./store.js";

export function followTheme() {
  apply(preference("theme") || "system");
  const choice = byId("theme");
  choice.value = document.documentElement.dataset.theme ?? "system";
  choice.addEventListener("change", () => {
    apply(choice.value);
    prefer("theme", choice.value === "system" ? "" : choice.value);
  });
}

function apply(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
