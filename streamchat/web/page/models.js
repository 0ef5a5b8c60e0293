// Choosing a model among few or hundreds: a filter, and a list that the arrow keys walk.

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";

const ROWS = 200;

// `chosen(model)` gets one of `models`, or the name as it was typed.
export function chooseModel(models, current, chosen) {
  const list = h("div", { class: "models", role: "listbox", id: "models", "aria-label": "Models" });
  const none = h("p", { class: "hint", role: "status" });
  const filter = h("input", {
    type: "search", class: "field", role: "combobox", autofocus: true, autocomplete: "off", spellcheck: "false", placeholder: "Filter, or a model’s name",
    "aria-label": "Filter models", "aria-controls": "models", "aria-expanded": "true", "aria-autocomplete": "list",
  });
  let shown = [];
  let active = 0;

  const take = (model) => {
    dialog.close();
    chosen(model);
  };
  const mark = (index) => {
    active = Math.max(0, Math.min(index, shown.length - 1));
    shown.forEach(({ row }, at) => row.classList.toggle("is-active", at === active));
    const row = shown[active]?.row;
    if (row) {
      filter.setAttribute("aria-activedescendant", row.id);
      row.scrollIntoView({ block: "nearest" });
    } else filter.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = models.filter((model) => words.every((word) => `${model.id} ${model.label ?? ""}`.toLowerCase().includes(word)));
    shown = found.slice(0, ROWS).map((model, index) => ({ model, row: row(model, index, model.id === current, take) }));
    list.replaceChildren(...groups(shown));
    const typed = filter.value.trim();
    none.textContent = found.length > ROWS ? `${found.length - ROWS} more: type more of the name.`
      : found.length === 0 && typed.includes("/") ? `Enter asks ${typed}, which is not in the list.`
      : found.length === 0 ? "No model has these words. A full name is provider/model." : "";
    mark(typed ? 0 : shown.findIndex(({ model }) => model.id === current));
  };

  filter.addEventListener("input", show);
  filter.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const page = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (page) mark(active + page);
    else if (event.key === "Enter") {
      const typed = filter.value.trim();
      if (shown[active]) take(shown[active].model);
      else if (typed.includes("/")) take({ id: typed, label: typed });
    } else return;
    event.preventDefault();
  });
  const dialog = openDialog("Model", [filter, list, none], { classes: "dialog-models" });
  show();
}

function row(model, index, isCurrent, take) {
  const about = [model.context ? `${Math.round(model.context / 1000)}k` : "", model.images ? "images" : "", model.reasoning ? "reasoning" : ""].filter(Boolean);
  const name = model.label && model.label !== model.id ? model.label : model.id.slice(model.id.indexOf("/") + 1);
  return h("div", { role: "option", id: `model-${index}`, class: "model", "aria-selected": String(isCurrent), onclick: () => take(model) },
    h("span", { class: "model-label" }, name), h("span", { class: "model-about" }, about.join(" · ")));
}

function groups(shown) {
  const byProvider = new Map();
  for (const { model, row: element } of shown) {
    const provider = model.provider ?? model.id.split("/")[0];
    if (!byProvider.has(provider)) byProvider.set(provider, []);
    byProvider.get(provider).push(element);
  }
  return [...byProvider].map(([provider, rows]) =>
    h("div", { role: "group", "aria-label": provider, class: "model-group" }, h("div", { class: "model-provider", "aria-hidden": "true" }, provider), ...rows));
}
