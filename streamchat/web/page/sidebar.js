// The conversations: found, opened, named, deleted, the newest first; on a narrow page a drawer.

import { call, conversationPath } from "./api.js";
import { byId, h } from "./dom.js";
import { when } from "./format.js";
import { menu } from "./menu.js";
import { complain, notice } from "./notices.js";

const PAGE = 40;
const TYPING = 200;
const UNDO = 6000;
const DAY = 86400000;

export class Sidebar {
  #hooks;
  #list = byId("conversations");
  #search = byId("search");
  #rows = [];
  #next = null;
  #current = null;
  #unread = new Set();
  #doomed = new Map(); // deleted here, and on the server when there is no undoing any more
  #asked = 0;
  #listed = ""; // the words that the rows were found by
  #timer = 0;

  // `hooks`: open(id), gone(id), renamed(id, name), answering() gives the ids of those that are being answered.
  constructor(hooks) {
    this.#hooks = hooks;
    byId("new-chat").addEventListener("click", () => this.#open(null));
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.refresh(), TYPING);
    });
    this.#search.addEventListener("keydown", (event) => this.#searching(event));
    this.#list.addEventListener("keydown", (event) => this.#walking(event));
    byId("open-sidebar").addEventListener("click", () => this.drawer(true));
    byId("close-sidebar").addEventListener("click", () => this.drawer(false));
    byId("scrim").addEventListener("click", () => this.drawer(false));
    addEventListener("pagehide", () => [...this.#doomed.keys()].forEach((id) => this.#delete(id, "", true)));
  }

  get unread() {
    return this.#unread.size;
  }

  // Mark the one that is on the page.
  follow(id) {
    this.#current = id;
    this.#unread.delete(id);
    this.#show();
  }

  markUnread(id) {
    this.#unread.add(id);
    this.#show();
  }

  // Ask the server for the newest, or for what has the words of the search.
  async refresh() {
    await this.#load(null);
  }

  focusSearch() {
    this.drawer(true);
    this.#search.focus();
    this.#search.select();
  }

  // The next conversation below (1) or above (-1) the one on the page.
  step(by) {
    const ids = this.#shown().map((row) => row.id);
    const at = ids.indexOf(this.#current);
    const id = at < 0 ? ids[by > 0 ? 0 : -1] : ids[at + by];
    if (id !== undefined) this.#hooks.open(id);
    else if (at === 0 && by < 0) this.#hooks.open(null);
  }

  get isOpen() {
    return document.body.classList.contains("has-drawer");
  }

  // Only a narrow page has it as a drawer; what is behind it cannot be reached meanwhile.
  drawer(open) {
    const narrow = matchMedia("(max-width: 52rem)").matches;
    if (open && !narrow) return;
    const was = this.isOpen;
    document.body.classList.toggle("has-drawer", open);
    byId("scrim").hidden = !open;
    byId("open-sidebar").setAttribute("aria-expanded", String(open));
    document.querySelector(".column").inert = open;
    if (open) byId("close-sidebar").focus();
    else if (was) byId("open-sidebar").focus();
  }

  remove(id, title) {
    if (this.#hooks.answering().has(id)) {
      notice(`“${title}” is being answered. Stop the answer, or wait for its end, then delete it.`);
      return;
    }
    const end = notice(`Deleted “${title}”.`, {
      label: "Undo", shown: UNDO,
      act: () => {
        this.#doomed.delete(id);
        this.#show();
      },
      gone: () => this.#delete(id, title),
    });
    this.#doomed.set(id, end);
    this.#show();
    if (id === this.#current) this.#hooks.gone(id);
  }

  // In its row, or in a dialog's place where it has none: the name becomes a field.
  rename(id, place = this.#list.querySelector(`[data-id="${CSS.escape(id)}"] .row-link`), title = place?.firstChild.textContent ?? "") {
    const field = h("input", { class: "field rename", "aria-label": "Name of the conversation", maxlength: "200" });
    field.value = title;
    let over = false;
    const end = async (keep) => {
      if (over) return;
      over = true;
      const name = field.value.trim();
      field.replaceWith(place);
      place.focus?.();
      if (!keep || !name || name === title) return;
      try {
        await call("PATCH", conversationPath(id), { body: { name } });
        this.#rows.filter((row) => row.id === id).forEach((row) => (row.name = name));
        this.#show();
        this.#hooks.renamed(id, name);
      } catch (problem) {
        complain(problem);
      }
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter") end(true);
      else if (event.key === "Escape") end(false);
    });
    field.addEventListener("blur", () => end(true));
    place.replaceWith(field);
    field.focus();
    field.select();
  }

  // inside

  async #load(cursor) {
    const asked = ++this.#asked;
    const words = this.#words;
    const query = new URLSearchParams({ limit: PAGE, ...(cursor ? { cursor } : {}), ...(words ? { q: words } : {}) });
    try {
      const { conversations, next } = await call("GET", `api/conversations?${query}`);
      if (asked !== this.#asked) return;
      const known = new Set(cursor ? this.#rows.map((row) => row.id) : []);
      this.#rows = [...(cursor ? this.#rows : []), ...conversations.filter((row) => !known.has(row.id))];
      this.#next = next ?? null;
      this.#listed = words;
      this.#show();
    } catch (problem) {
      if (asked === this.#asked && this.#rows.length === 0) this.#list.replaceChildren(h("p", { class: "list-note" }, problem.message));
    }
  }

  // The button that was pressed is gone then: who walks with keys goes on at the first one that came.
  async #showMore() {
    const before = this.#rows.length;
    await this.#load(this.#next);
    const first = this.#rows[before];
    if (first) this.#list.querySelector(`[data-id="${CSS.escape(first.id)}"] .row-link`)?.focus();
  }

  get #words() {
    return this.#search.value.trim();
  }

  async #delete(id, title, keepalive = false) {
    if (!this.#doomed.has(id)) return;
    try {
      await call("DELETE", conversationPath(id), { keepalive });
      this.#rows = this.#rows.filter((row) => row.id !== id);
    } catch (problem) {
      if (problem.status === 409) notice(`“${title}” was not deleted: somebody else has it answered just now. Delete it when that is over.`);
      else if (problem.status !== 404) complain(problem);
    }
    this.#doomed.delete(id);
    this.#show();
  }

  #shown() {
    return this.#rows.filter((row) => !this.#doomed.has(row.id));
  }

  #show() {
    if (this.#list.querySelector(".rename")) return; // not under somebody's hands
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.closest("li")?.dataset.id : undefined;
    const rows = this.#shown();
    const answering = this.#hooks.answering();
    const parts = groups(rows, this.#words !== "").map(([heading, members]) =>
      h("section", { class: "group" }, h("h2", {}, heading), h("ul", {}, ...members.map((row) => this.#row(row, answering.has(row.id))))));
    const note = rows.length ? "" : this.#words ? "Nothing found." : "Conversations are listed here.";
    this.#list.replaceChildren(...parts, ...(note ? [h("p", { class: "list-note", role: "status" }, note)] : []),
      ...(this.#next ? [h("button", { type: "button", class: "button more", onclick: () => this.#showMore() }, "Show more")] : []));
    if (focused !== undefined) this.#list.querySelector(`[data-id="${CSS.escape(focused)}"] .row-link`)?.focus();
  }

  #row(row, answering) {
    const title = row.name || row.title || "Untitled";
    const unread = this.#unread.has(row.id);
    const link = h("a", { class: "row-link", href: `./#c=${encodeURIComponent(row.id)}`, title, "aria-current": row.id === this.#current ? "page" : null }, h("span", { class: "row-title" }, title),
      answering ? h("span", { class: "row-mark is-answering" }, h("span", { class: "unseen" }, "being answered")) : null,
      unread && !answering ? h("span", { class: "row-mark is-unread" }, h("span", { class: "unseen" }, "new answer")) : null,
      h("time", { class: "row-time", datetime: row.updated }, when(row.updated)));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#open(row.id);
    });
    return h("li", { class: `row${unread ? " has-news" : ""}`, "data-id": row.id }, link, menu(`More for ${title}`, () => [[
      ["Rename", () => this.rename(row.id)],
      ["Delete", () => this.remove(row.id, title)],
    ]]));
  }

  #open(id) {
    this.drawer(false);
    this.#hooks.open(id);
  }

  // The first of what was found, and never of what was there before it was.
  async #openFirst() {
    clearTimeout(this.#timer);
    if (this.#listed !== this.#words) await this.refresh();
    const first = this.#shown()[0];
    if (first && this.#listed === this.#words) this.#open(first.id);
  }

  #searching(event) {
    if (event.isComposing || event.keyCode === 229) return; // Enter that ends a composition opens nothing
    if (event.key === "Enter") this.#openFirst();
    else if (event.key === "ArrowDown") this.#list.querySelector(".row-link")?.focus();
    else if (event.key === "Escape" && this.#search.value) {
      this.#search.value = "";
      this.refresh();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #walking(event) {
    if (event.altKey || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    const links = [...this.#list.querySelectorAll(".row-link")];
    const at = links.indexOf(event.target.closest("li")?.querySelector(".row-link"));
    if (at < 0) return;
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    (next < 0 ? this.#search : links[next])?.focus();
  }
}

// By day, the newest first; what was searched for is not.
function groups(rows, isFound) {
  if (isFound) return rows.length ? [["Found", rows]] : [];
  const midnight = new Date().setHours(0, 0, 0, 0);
  const found = new Map();
  for (const row of rows) {
    const age = midnight - new Date(row.updated).valueOf();
    const name = age <= 0 ? "Today" : age <= DAY ? "Yesterday" : age <= 7 * DAY ? "Last seven days" : "Older";
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(row);
  }
  return [...found];
}
