// One question as it is seen, and its editing: another question beside it.

import { copyButton } from "./copying.js";
import { h, icon, iconButton, setText } from "./dom.js";
import { moment } from "./format.js";
import { Switcher } from "./switcher.js";

const LONG = 1600;
const LINES = 18;

export class QuestionView {
  #actions;
  #question;
  #text = h("div", { class: "asked" });
  #box;
  #foot;
  #edit;

  // `actions`: edit(text), switchTo(index, by); `question`: {role, content, time, attachments}.
  constructor(question, actions) {
    this.#actions = actions;
    this.#question = question;
    this.switcher = new Switcher("question", actions.switchTo);
    this.#edit = iconButton("edit", "Edit: ask another question in its place", () => this.beginEdit());
    this.#foot = h("footer", { class: "question-foot" }, this.switcher.element,
      copyButton("Copy question", () => question.content), this.#edit);
    this.#box = h("div", { class: "bubble" }, this.#files(question.attachments), this.#text, this.#unfold());
    this.element = h("article", { class: "question", "aria-label": "Question" }, this.#box, this.#foot);
    this.element.title = question.time ? moment(question.time) : "";
    setText(this.#text, question.content);
  }

  // Whether it can be edited: not while an answer is under way.
  allow(editing) {
    this.#edit.disabled = !editing;
  }

  beginEdit() {
    if (this.element.classList.contains("is-edited") || this.#edit.disabled) return;
    const field = h("textarea", { class: "edit-field", dir: "auto", "aria-label": "The question, edited", rows: "2" });
    field.value = this.#question.content;
    const send = h("button", { type: "submit", class: "button primary" }, "Ask");
    const cancel = h("button", { type: "button", class: "button", onclick: () => this.#endEdit(form) }, "Cancel");
    const form = h("form", { class: "edit", "aria-label": "Edit the question" }, field, h("div", { class: "edit-row" }, cancel, send));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask(form, field.value);
    });
    field.addEventListener("keydown", (event) => {
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Escape") {
        event.stopPropagation();
        this.#endEdit(form);
      } else if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.#ask(form, field.value);
      }
    });
    this.element.classList.add("is-edited");
    this.element.append(form);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  #ask(form, text) {
    if (text.trim() === "") return;
    this.#endEdit(form);
    if (text !== this.#question.content) this.#actions.edit(text);
  }

  #endEdit(form) {
    form.remove();
    this.element.classList.remove("is-edited");
    this.#edit.focus();
  }

  #files(attachments = []) {
    if (!attachments.length) return null;
    return h("ul", { class: "files", "aria-label": "Attached files" }, ...attachments.map((file) =>
      h("li", { class: "file" }, file.preview ? h("img", { src: file.preview, alt: "" }) : icon("clip"), h("span", { class: "file-name" }, file.name))));
  }

  #unfold() {
    const { content } = this.#question;
    if (content.length < LONG && content.split("\n", LINES + 1).length <= LINES) return null;
    this.#text.classList.add("is-folded");
    const button = h("button", { type: "button", class: "link", "aria-expanded": "false" }, "Show all");
    button.addEventListener("click", () => {
      const folded = this.#text.classList.toggle("is-folded");
      button.setAttribute("aria-expanded", String(!folded));
      setText(button, folded ? "Show all" : "Show less");
    });
    return button;
  }
}
