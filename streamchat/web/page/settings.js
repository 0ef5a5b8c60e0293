// What a question is asked with: model, instructions (the system prompt), how much the model thinks first.

import { openDialog } from "./dialog.js";
import { byId, h, setText } from "./dom.js";
import { chooseModel } from "./models.js";
import { prefer, preference } from "./store.js";

const EFFORTS = [["", "As the model does by itself"], ["off", "Off"], ["low", "Low"], ["medium", "Medium"], ["high", "High"]];

export class Settings {
  #config;
  #model = "";
  #system = "";
  #kept = ""; // the conversation's own instructions
  #effort = preference("effort");

  constructor(config) {
    this.#config = config;
    byId("model").addEventListener("click", () => this.choose());
    byId("how").addEventListener("click", () => this.#edit());
  }

  // A conversation has its own; a new one begins with what was used last.
  follow(conversation) {
    const wanted = conversation.model || preference("model");
    const listed = this.#config.models.some((model) => model.id === wanted);
    this.#model = wanted && (listed || conversation.model) ? wanted : this.#config.default;
    this.#kept = conversation.system ?? (conversation.id === null ? this.#config.system : null) ?? "";
    this.#system = this.#kept;
    this.#show();
  }

  // The fields of a request.
  fields() {
    return {
      ...(this.#model ? { model: this.#model } : {}),
      ...(this.#system !== this.#kept ? { system: this.#system } : {}),
      ...(this.#effort ? { params: { reasoning_effort: this.#effort } } : {}),
    };
  }

  get model() {
    return this.#config.models.find((model) => model.id === this.#model) ?? { id: this.#model, label: this.#model, images: true };
  }

  choose() {
    chooseModel(this.#config.models, this.#model, (model) => {
      this.#model = model.id;
      prefer("model", model.id);
      this.#show();
      byId("prompt").focus();
    });
  }

  #edit() {
    const system = h("textarea", { class: "field", id: "system", rows: "6", placeholder: "How to answer: role, language, form…" });
    system.value = this.#system;
    const effort = h("select", { class: "field", id: "effort" }, ...EFFORTS.map(([value, label]) => h("option", { value, selected: value === this.#effort }, label)));
    openDialog("Options", [
      h("label", { for: "system", class: "label" }, "Instructions (system prompt)"), system,
      h("p", { class: "hint" }, "They go with every question of this conversation from the next one on."),
      h("label", { for: "effort", class: "label" }, "Reasoning"), effort,
      h("p", { class: "hint" }, "How long the model thinks before it answers, where it can."),
    ], {
      closed: () => {
        this.#system = system.value;
        this.#effort = effort.value;
        prefer("effort", effort.value);
        this.#show();
      },
    });
  }

  #show() {
    const { model } = this;
    setText(byId("model-name"), model.label || model.id || "No model");
    byId("model").title = model.id;
    const set = [this.#system.trim() ? "instructions" : "", this.#effort ? `reasoning ${this.#effort}` : ""].filter(Boolean);
    setText(byId("how-name"), set.length ? `Options: ${set.join(", ")}` : "Options");
  }
}
