// What this browser remembers: drafts, the theme, the model asked last. A browser that forbids it loses only that.

const PREFIX = "streamchat.";
const DRAFT = "draft.";
const DRAFTS = 60;

function read(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

function write(name, value) {
  try {
    if (value === null || value === "") localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // full or forbidden: it is remembered as long as the page is open
  }
}

export const preference = (name) => read(name) ?? "";

export const prefer = (name, value) => write(name, value);

// The unsent text of a conversation; null is the one that has not begun.
export function draft(conversation) {
  const kept = read(DRAFT + (conversation ?? ""));
  return kept === null ? "" : kept.slice(kept.indexOf(" ") + 1);
}

// With the time in front, so that the oldest of too many can be dropped.
export function keepDraft(conversation, text) {
  write(DRAFT + (conversation ?? ""), text.trim() === "" ? null : `${Date.now()} ${text}`);
  dropOldest();
}

function dropOldest() {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX + DRAFT));
    if (names.length <= DRAFTS) return;
    names.sort((a, b) => parseInt(localStorage.getItem(a), 10) - parseInt(localStorage.getItem(b), 10));
    for (const name of names.slice(0, names.length - DRAFTS)) localStorage.removeItem(name);
  } catch {
    // as above
  }
}
