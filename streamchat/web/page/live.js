// An answer under way in some conversation, on the page or behind it: its run and its view.

import { Run } from "./run.js";

const LOST = {
  401: "The server no longer knows this page; what was kept of the answer is in its conversation.",
  404: "The server no longer has this answer: it was started again, or it is long ago. This is what was kept of it.",
};

export class Live {
  #after;
  #changed;

  // `view` is a TurnView; `asked` the conversation as it was then; `parent` the answer after which was asked. `changed(live)` when the conversation becomes known,
  //  `after(live)` at the end.
  constructor({ view, asked, conversation, parent, model, changed, after }) {
    Object.assign(this, { view, asked, conversation, parent, model, message: null, ending: null, error: null, over: false });
    this.#changed = changed;
    this.#after = after;
    this.run = new Run(this);
    view.begin(model);
  }

  ask(body) {
    this.view.answer.status("Asking…");
    this.run.ask(body);
    return this;
  }

  resume(runId) {
    this.view.answer.status("Reading what has come…");
    this.run.resume(runId);
    return this;
  }

  stop() {
    this.view.answer.status("Stopping…");
    this.run.stop();
  }

  // from its run

  event(name, data) {
    if (name === "start") this.#started(data);
    this.view.answer.event(name, data);
    if (name === "start") this.view.answer.status("Waiting for the first word…");
    if (name === "done" || name === "error") this.#end(name, name === "error" ? data : null);
  }

  reconnecting(wait) {
    this.view.answer.reconnecting(wait, () => this.run.now());
  }

  connected() {
    this.view.answer.connected();
  }

  refused(error) {
    this.view.answer.failed({ ...error, message: error.message });
    this.#end("refused", error);
  }

  lost(error) {
    this.#end("lost", error);
  }

  notStopped(error) {
    this.view.answer.status(`Not stopped: ${error.message}`);
  }

  // What to say of an answer whose rest is not to be had.
  get loss() {
    return LOST[this.error?.status] ?? LOST[404];
  }

  #started({ conversation, message }) {
    this.message = message ?? this.message;
    if (conversation && conversation !== this.conversation) {
      this.conversation = conversation;
      this.#changed(this);
    }
  }

  #end(ending, error) {
    Object.assign(this, { over: true, ending, error });
    this.#after(this);
  }
}
