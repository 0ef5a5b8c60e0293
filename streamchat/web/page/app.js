// The page: its parts are made here, and told of one another.

import { address, call, conversationPath, whenLocked } from "./api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { showDoor, useAddress } from "./door.js";
import { byId, h, setText } from "./dom.js";
import { Follow } from "./follow.js";
import { bindKeys, searchKey } from "./keys.js";
import { menu } from "./menu.js";
import { complain, notice } from "./notices.js";
import { Settings } from "./settings.js";
import { Sidebar } from "./sidebar.js";
import { say, speakIn } from "./speech.js";
import { followTheme } from "./theme.js";

const FORMATS = [["md", "Markdown"], ["html", "Web page"], ["txt", "Plain text"], ["json", "JSON"], ["jsonl", "JSON lines"]];
const BODY = 1 << 20;

followTheme();
speakIn(byId("spoken"));
whenLocked(showDoor);
await useAddress();
await begin();

async function begin() {
  let config;
  try {
    config = await call("GET", "api/config");
  } catch (problem) {
    if (problem.status !== 401) document.body.append(unreachable(problem));
    return;
  }
  run(config);
}

function run(config) {
  const settings = new Settings(config);
  const keeps = config.features?.conversations !== false;
  const follow = new Follow(byId("scroller"), byId("thread"), byId("to-end"));
  const empty = h("div", { class: "empty" }, h("h2", {}, "What would you like to know?"),
    h("p", {}, ...(keeps ? ["Answers are kept where the terminal keeps its own: ", h("code", {}, "streamchat -c"), " goes on with what was begun here."]
      : ["Nothing of what is asked here is kept: it is gone with the page."])));

  const chat = new Chat(byId("thread"), empty, keeps, {
    settings: () => settings.fields(),
    turned(conversation) { // before it is all on the page, which may take a while: what is typed or asked meanwhile is meant for it
      settings.follow(conversation);
      composer.follow(conversation.id);
    },
    opened(conversation) {
      showTitle(conversation);
      for (const text of conversation.notices ?? []) notice(text);
      history[conversation.id === current() ? "replaceState" : "pushState"](null, "", conversation.id ? `#c=${encodeURIComponent(conversation.id)}` : location.pathname + location.search);
      sidebar.follow(conversation.id);
    },
    busy(live) {
      composer.busy(live !== null);
      showTitle(chat.conversation);
      if (live) follow.toEnd();
    },
    changed(live) {
      sidebar.refresh();
      if (chat.live !== live) return;
      composer.became(live.conversation);
      history.replaceState(null, "", `#c=${encodeURIComponent(live.conversation)}`);
      sidebar.follow(live.conversation);
      showTitle(chat.conversation);
    },
    ended(live, onPage) {
      sidebar.refresh();
      if (!onPage && live.conversation) sidebar.markUnread(live.conversation);
      if (document.hidden) news = true;
      if (!onPage) say("An answer in another conversation has ended.");
      showTitle(chat.conversation);
    },
    crossed({ id, content, attachments }) {
      if (id === undefined) composer.giveBack(content, attachments);
      notice(`Another answer of this conversation is under way: here it is.${id === undefined ? " What you wrote is in its field again." : ""}`);
    },
    unasked: ({ content, attachments }) => composer.giveBack(content, attachments),
    failed(problem, id) {
      if (id === undefined) return complain(problem);
      complain(problem.status === 404 ? { message: "That conversation is not there any more." } : problem);
      if (chat.conversation.id === null) history.replaceState(null, "", location.pathname + location.search);
    },
  });

  const composer = new Composer({
    send: (text, attachments) => chat.ask(text, attachments),
    stop: () => chat.stop(),
    editLast: () => chat.editLast(),
    limits: () => ({ images: settings.model.images !== false, limit: Math.floor((config.limits?.body ?? BODY) * 0.9) }),
  });

  const sidebar = new Sidebar({
    open: (id) => open(id),
    gone: () => open(null),
    renamed: (id, name) => chat.renamed(id, name),
    answering: () => chat.answering,
  });

  let news = false;

  async function open(id) {
    if (id !== null && id === chat.conversation.id) return composer.focus();
    if (!(await chat.open(id))) return undefined;
    follow.toEnd();
    return composer.focus();
  }

  function showTitle({ id, name, title }) {
    const shown = name || title || (id ? "…" : "New chat");
    setText(byId("title"), shown);
    byId("conversation-menu").hidden = id === null;
    const mark = news || sidebar?.unread ? "● " : chat.live ? "… " : "";
    document.title = `${mark}${id ? `${shown} – ` : ""}streamchat`;
  }

  function conversationMenu() {
    const { id, name, title } = chat.conversation;
    return [
      [["Rename", () => sidebar.rename(id, byId("title"), name || title)], ["Make a copy", () => copy(id)]],
      [...FORMATS.map(([format, label]) => [`Export as ${label}`, address(conversationPath(id, `/export?format=${format}`)), { download: "" }]),
        ["Print", () => print()]],
      [["Delete", () => sidebar.remove(id, name || title || "Untitled")]],
    ];
  }

  async function copy(id) {
    try {
      const made = await call("POST", "api/conversations", { body: { fork: id } });
      await open(made.id);
      sidebar.refresh();
    } catch (problem) {
      complain(problem);
    }
  }

  const help = bindKeys({
    escape: () => (sidebar.isOpen ? sidebar.drawer(false) : chat.stop()),
    search: () => sidebar.focusSearch(),
    begin: () => open(null),
    step: (by) => sidebar.step(by),
    model: () => settings.choose(),
  });
  byId("help-button").addEventListener("click", help);
  setText(byId("search-key"), searchKey);
  setText(byId("composer-note"), "Enter sends, Shift and Enter makes a new line. Models make mistakes: check what matters.");
  byId("conversation-menu").append(menu("More for this conversation", conversationMenu));

  addEventListener("popstate", () => open(current()));
  addEventListener("pagehide", () => chat.letGo());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    sidebar.refresh();
    chat.refresh();
    news = false;
    showTitle(chat.conversation);
  });

  composer.busy(false);
  settings.follow(chat.conversation);
  byId("app").hidden = false;
  sidebar.refresh();
  composer.follow(null);
  showTitle(chat.conversation);
  if (current() !== null) open(current());
  else composer.focus();
}

// The conversation that the address names.
function current() {
  return new URLSearchParams(location.hash.slice(1)).get("c");
}

function unreachable(problem) {
  return h("main", { class: "door" }, h("span", { class: "brand" }, "streamchat"), h("h1", {}, "The server does not answer"), h("p", {}, problem.message),
    h("button", { type: "button", class: "button primary", onclick: () => location.reload() }, "Try again"));
}
