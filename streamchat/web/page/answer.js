// One answer as it is seen: its reasoning folded, its blocks, what became of it, and what it took.

import { copyButton } from "./copying.js";
import { countdown } from "./countdown.js";
import { h, icon, iconButton, setText } from "./dom.js";
import { spent } from "./format.js";
import { Problem } from "./problem.js";
import { Speech, say } from "./speech.js";
import { Switcher } from "./switcher.js";
import { Writing } from "./writing.js";

const SHORT = { length: "Cut at the longest length allowed.", filter: "Cut by the provider’s filter.", refusal: "The model refused." };

export class AnswerView {
  #actions;
  #body = h("div", { class: "body" });
  #writing = new Writing(this.#body);
  #speech = null;
  #thoughts = document.createTextNode("");
  #thinking = h("span", {}, "Reasoning");
  #reasoning = h("details", { class: "reasoning", hidden: true }, h("summary", {}, icon("fold"), this.#thinking), h("div", { class: "thoughts" }, this.#thoughts));
  #status = h("p", { class: "status", hidden: true });
  #mark = h("p", { class: "mark", hidden: true });
  #unkept = h("p", { class: "unkept", hidden: true });
  #problem;
  #copy;
  #retry;
  #meta = h("p", { class: "meta" });
  #foot;
  #usage = null;
  #model = "";
  #thoughtSince = 0;
  #endCountdown = () => {};

  // `actions`: retry(), switchTo(index, by), text().
  constructor(actions) {
    this.#actions = actions;
    this.switcher = new Switcher("answer", actions.switchTo);
    this.#problem = new Problem(actions.retry);
    this.#copy = copyButton("Copy answer", async () => (await actions.text()) ?? this.#body.innerText);
    this.#retry = iconButton("retry", "Retry: another answer beside this one", actions.retry);
    this.#foot = h("footer", { class: "answer-foot" },
      this.#copy,
      this.#retry, this.switcher.element, this.#meta);
    this.element = h("article", { class: "answer", "aria-label": "Answer" },
      this.#reasoning, this.#body, this.#status, this.#mark, this.#unkept, this.#problem.element, this.#foot);
  }

  // Whether another answer can be asked for: not while one is under way.
  allow(retrying) {
    this.#retry.disabled = !retrying;
  }

  // as it was kept

  fill(answer) {
    this.#setModel(answer.model, answer.provider);
    if (answer.reasoning) this.#think(answer.reasoning);
    this.#writing.put({ done: answer.blocks ?? [["p", {}, [answer.text]]] });
    this.#usage = answer.usage;
    this.#showMeta({ elapsed: answer.elapsed, firstToken: answer.first_token });
    if (answer.ending === "failed" || answer.ending === "cut by the network") {
      this.#problem.show({ message: answer.error || "This answer failed.", partial: Boolean(answer.text) });
    } else if (answer.ending) {
      this.#setMark(SHORT[answer.stop_reason] ?? (answer.ending === "interrupted" ? "Stopped here." : "This answer is unfinished."));
    }
  }

  // Until everything that was given is on the page.
  written() {
    return this.#writing.written();
  }

  // as it arrives

  // From nothing: what is shown comes in events from now on.
  begin(model) {
    this.#setModel(model);
    this.element.classList.add("is-live");
    this.element.setAttribute("aria-busy", "true");
    this.#foot.hidden = true;
    this.#speech = new Speech();
    this.status("");
  }

  get isLive() {
    return this.element.classList.contains("is-live");
  }

  event(name, data) {
    switch (name) {
      case "start": return this.#setModel(data.model, data.provider);
      case "retry": return this.#retrying(data);
      case "reasoning": return this.#think(data.t);
      case "blocks": return this.#write(data);
      case "usage": return this.#count(data);
      case "done": return this.#finish(data);
      case "error": return this.failed(data);
      default: return undefined; // a newer server says more
    }
  }

  // A quiet line where the answer goes on: how the way to it is.
  status(text, ...more) {
    this.#endCountdown();
    this.#status.hidden = !text;
    if (text) this.#status.replaceChildren(text, ...more);
  }

  reconnecting(wait, now) {
    say("Reconnecting.");
    this.status("");
    const line = h("span");
    this.status(line, " ", h("button", { type: "button", class: "link", onclick: now }, "Now"));
    this.#endCountdown = countdown(wait / 1000, (left) => setText(line, `Reconnecting in ${left} s…`), () => setText(line, "Reconnecting…"));
  }

  connected() {
    this.status("");
  }

  failed(error) {
    this.#end();
    this.#setUnkept(error.trouble);
    if (error.code === "stopped") this.#setMark("Stopped here.");
    else this.#problem.show(error);
    say(error.code === "stopped" ? "Stopped." : `The answer failed. ${error.message}`);
  }

  // Its rest is not to be had; what was kept is what there is.
  lost(text) {
    this.#end();
    this.#problem.show({ message: text, partial: true });
    say(text);
  }

  #retrying({ wait, attempt, attempts, reason }) {
    const line = h("span");
    this.status(line);
    const say_ = (when) => setText(line, `${reason}: trying again ${when}, ${attempt} of ${attempts}`);
    this.#endCountdown = countdown(wait, (left) => say_(`in ${left} s`), () => say_("now"));
  }

  #think(text) {
    if (this.isLive && this.#thoughtSince === 0) {
      this.#thoughtSince = performance.now();
      this.status("");
      setText(this.#thinking, "Thinking…");
      this.#reasoning.classList.add("is-thinking");
      say("Thinking.");
    }
    this.#reasoning.hidden = false;
    this.#thoughts.appendData(text);
  }

  #write(blocks) {
    this.#thoughtOver();
    this.status("");
    this.#writing.put(blocks);
    this.#speech?.blocks(blocks);
  }

  #thoughtOver() {
    if (!this.#reasoning.classList.contains("is-thinking")) return;
    this.#reasoning.classList.remove("is-thinking");
    const spentThinking = (performance.now() - this.#thoughtSince) / 1000;
    setText(this.#thinking, spentThinking < 1 ? "Reasoning" : `Thought for ${Math.round(spentThinking)} s`);
  }

  #count(usage) {
    this.#usage = { ...this.#usage, ...Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null)) };
  }

  #finish({ reason, ms, first_token_ms: first, tokens_per_s: speed, trouble }) {
    this.#end();
    this.#setUnkept(trouble);
    this.#showMeta({ elapsed: ms / 1000, firstToken: (first ?? 0) / 1000, speed });
    if (SHORT[reason]) this.#setMark(SHORT[reason]);
    say(trouble ? `The answer is complete, but it was not kept: ${trouble}` : SHORT[reason] ?? "The answer is complete.");
  }

  #end() {
    this.#thoughtOver();
    this.status("");
    this.#foot.hidden = false;
    this.element.classList.remove("is-live");
    this.element.removeAttribute("aria-busy");
    this.#showMeta({});
  }

  #setMark(text) {
    this.#mark.hidden = false;
    setText(this.#mark, text);
  }

  // What the server could not keep: this page is the only place where the answer is.
  #setUnkept(trouble) {
    this.#unkept.hidden = !trouble;
    if (trouble) setText(this.#unkept, `Not kept, so copy what you need: ${trouble}`);
  }

  #setModel(model, provider) {
    if (!model) return;
    this.#model = provider || !model.includes("/") ? model : model.slice(model.indexOf("/") + 1);
    this.element.setAttribute("aria-label", `Answer of ${this.#model}`);
    this.#meta.title = provider ? `${provider}/${model}` : model;
  }

  #showMeta(times) {
    this.#copy.hidden = !this.#body.hasChildNodes();
    this.#meta.replaceChildren(...[this.#model, ...spent(this.#usage, times)].filter(Boolean).map((part) => h("span", {}, part)));
  }
}
