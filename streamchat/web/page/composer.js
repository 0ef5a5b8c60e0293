// Where a question is written: its text and files, kept per conversation until they are sent.

import { byId, icon } from "./dom.js";
import { chip, fenced, readFile } from "./files.js";
import { notice } from "./notices.js";
import { draft, keepDraft } from "./store.js";

const WAIT = 300;
const GROWS = CSS.supports("field-sizing", "content");

export class Composer {
  #hooks;
  #field = byId("prompt");
  #send = byId("send");
  #list = byId("files");
  #conversation = null;
  #files = [];
  #filesOf = new Map();
  #reading = 0; // files that are not read yet
  #busy = false;
  #timer = 0;

  // `hooks`: send(text, attachments), stop(), editLast(), limits() for files.
  constructor(hooks) {
    this.#hooks = hooks;
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    byId("attach").addEventListener("click", () => byId("picker").click());
    byId("picker").addEventListener("change", ({ target }) => {
      this.add([...target.files]);
      target.value = "";
    });
    this.#field.addEventListener("paste", (event) => this.#pasted(event));
    addEventListener("pagehide", () => this.keep());
    this.#acceptDrops();
  }

  // The draft of this conversation in the place of the last one.
  follow(conversation) {
    if (conversation !== this.#conversation) {
      this.keep();
      this.#filesOf.set(this.#conversation, this.#files);
    }
    this.#conversation = conversation;
    this.#files = this.#filesOf.get(conversation) ?? [];
    this.#field.value = draft(conversation);
    this.#changed(false);
    this.#showFiles();
  }

  // The conversation that had not begun has a name now: its draft goes with it.
  became(conversation) {
    if (this.#conversation !== null) return;
    clearTimeout(this.#timer);
    keepDraft(null, "");
    this.#filesOf.delete(null);
    this.#conversation = conversation;
    this.keep();
  }

  // While an answer is under way the button is Stop.
  busy(busy) {
    this.#busy = busy;
    this.#send.classList.toggle("is-stop", busy);
    this.#send.setAttribute("aria-label", busy ? "Stop" : "Send");
    this.#send.title = busy ? "Stop (Esc)" : "Send (Enter)";
    this.#send.replaceChildren(icon(busy ? "stop" : "send"));
    this.#enable();
  }

  // Where a finger points, the field would bring up a keyboard over half of what is to be read.
  focus() {
    const place = matchMedia("(pointer: coarse)").matches ? byId("scroller") : this.#field;
    place.focus({ preventScroll: true });
  }

  keep() {
    clearTimeout(this.#timer);
    keepDraft(this.#conversation, this.#field.value);
  }

  // What was sent and not asked, in front of what was written since.
  giveBack(text, attachments = []) {
    this.#field.value = [text, this.#field.value].filter((part) => part.trim()).join("\n\n");
    this.#files.unshift(...attachments.filter((file) => file.data !== undefined));
    this.#changed(false);
    this.keep();
    this.#showFiles();
  }

  // They go with the conversation that they were given in, whichever is on the page when they are read.
  async add(files) {
    const into = this.#files;
    this.#reading += 1;
    this.#enable();
    for (const file of files) {
      try {
        into.push(await readFile(file, this.#hooks.limits()));
      } catch (problem) {
        notice(problem.message);
      }
    }
    this.#reading -= 1;
    this.#showFiles();
    if (into === this.#files) this.focus();
  }

  #submit() {
    if (this.#busy) return this.#hooks.stop();
    if (this.#reading) return notice("A file is still being read.", { shown: 3000 }); // it would be left behind
    const text = this.#field.value.trim();
    const texts = this.#files.filter((file) => file.text !== undefined).map(fenced);
    const images = this.#files.filter((file) => file.data !== undefined);
    if (!text && !this.#files.length) return undefined;
    this.#files = [];
    this.#field.value = "";
    this.#changed(false);
    this.keep();
    this.#showFiles();
    return this.#hooks.send([...texts, text].filter(Boolean).join("\n\n"), images);
  }

  #pressed(event) {
    if (event.isComposing || event.keyCode === 229) return; // Enter that ends a composition sends nothing
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (!this.#busy) this.#submit();
      else if (this.#field.value.trim()) notice("An answer is under way. Esc stops it.", { shown: 3000 });
    } else if (event.key === "ArrowUp" && !event.altKey && this.#field.value === "" && !this.#busy) {
      event.preventDefault();
      this.#hooks.editLast();
    }
  }

  #changed(typed = true) {
    if (typed) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.keep(), WAIT);
    }
    if (!GROWS) {
      this.#field.style.height = "auto";
      this.#field.style.height = `${this.#field.scrollHeight}px`;
    }
    this.#enable();
  }

  #enable() {
    const empty = this.#field.value.trim() === "" && this.#files.length === 0;
    this.#send.disabled = !this.#busy && (empty || this.#reading > 0);
  }

  #showFiles() {
    this.#list.hidden = this.#files.length === 0;
    this.#list.replaceChildren(...this.#files.map((file) => chip(file, () => {
      this.#files.splice(this.#files.indexOf(file), 1);
      this.#showFiles();
      this.focus();
    })));
    this.#enable();
  }

  #pasted(event) {
    const { clipboardData } = event;
    const files = [...(clipboardData?.files ?? [])];
    if (!files.length || isRichText(clipboardData)) return;
    event.preventDefault();
    this.add(files);
  }

  #acceptDrops() {
    const cover = byId("dropping");
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    let depth = 0;
    const leave = () => {
      depth = 0;
      cover.hidden = true;
    };
    addEventListener("dragenter", (event) => {
      if (!hasFiles(event)) return;
      depth += 1;
      cover.hidden = false;
    });
    addEventListener("dragleave", () => {
      depth -= 1;
      if (depth <= 0) leave();
    });
    addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      leave();
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
  }
}

// What an office program copies is text, and a picture of it beside.
function isRichText(data) {
  return data.types.includes("text/html") && data.getData("text/plain").trim() !== "";
}
