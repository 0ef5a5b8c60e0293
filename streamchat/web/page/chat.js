// What a person does with conversations: open one, ask, ask again, edit, stop. The server's copy is the truth; what is shown
// before it is known is put right by it at the end of each answer.

import { ApiError, call, conversationPath } from "./api.js";
import { Branches, turnId } from "./branches.js";
import { Live } from "./live.js";
import { Thread } from "./thread.js";
import { TurnView } from "./turn.js";
import { messagesOf, remembered } from "./unkept.js";

const EMPTY = { id: null, name: null, title: "", at: null, model: null, system: null, run: null, turns: [] };

export class Chat {
  #thread;
  #hooks;
  #actions = {
    edit: (view, text) => this.edit(view, text),
    retry: (view) => this.retry(view),
    go: (turn, kind, by) => this.go(turn, kind, by),
  };
  #keeps;
  #conversation = { ...EMPTY };
  #branches = new Branches([]);
  #lives = new Set();
  #opening = 0;
  #stranded = null; // what the server refused and did not keep

  // `hooks`: settings() for what to ask with, turned(conversation) to another, opened(conversation), busy(live), changed(),
  // ended(live, seen), failed(error), crossed(question) for one that was not asked, for another is being answered,
  // unasked(question) for one that was refused and is left.
  constructor(element, empty, keeps, hooks) {
    this.#hooks = hooks;
    this.#keeps = keeps;
    this.#thread = new Thread(element, empty, this.#actions);
  }

  get conversation() {
    return this.#conversation;
  }

  // What is under way in the conversation on the page.
  get live() {
    return this.#liveOf(this.#conversation.id);
  }

  // The conversations that are being answered through this page.
  get answering() {
    return new Set([...this.#lives].map((live) => live.conversation));
  }

  // Show this conversation; null is one that has not begun.
  async open(id) {
    const opening = ++this.#opening;
    let conversation = { ...EMPTY };
    if (id !== null) {
      try {
        conversation = await this.#load(id, "?view=page");
      } catch (problem) {
        if (opening === this.#opening) this.#hooks.failed(problem, id);
        return false;
      }
    }
    if (opening !== this.#opening) return false;
    this.#giveBack();
    this.#thread.clear();
    const isOther = id === null || id !== this.#conversation.id;
    this.#set(conversation);
    if (isOther) this.#hooks.turned(conversation);
    if (conversation.run && !this.live) this.#join(conversation);
    this.#hooks.opened(conversation);
    this.#hooks.busy(this.live);
    await this.#show();
    return true;
  }

  // What was asked meanwhile in another tab or in a terminal; what stands on the page stays there.
  async refresh() {
    const before = this.#conversation;
    const isFree = () => this.#conversation === before && !this.live && !this.#stranded;
    if (before.id === null || !isFree()) return;
    const now = await this.#load(before.id, "").catch(() => null);
    if (now === null || (!now.run && now.at === before.at && now.turns.length === before.turns.length)) return;
    const whole = await this.#load(before.id, "?view=page").catch(() => null);
    if (whole === null || !isFree()) return;
    this.#set(whole);
    if (whole.run) this.#join(whole);
    this.#hooks.busy(this.live);
    await this.#show();
  }

  // A question where the conversation stands. `attachments`: {name, media_type, data, preview}.
  ask(input, attachments = []) {
    const { id, at } = this.#conversation;
    const sent = attachments.map(({ name, media_type, data }) => ({ name, media_type, data }));
    const body = { ...(id ? { conversation: id } : {}), input, ...(sent.length ? { attachments: sent } : {}) };
    this.#begin(body, at, { parent: at, content: input, attachments });
  }

  // The same question in other words, beside it.
  edit(view, text) {
    const { parent, attachments } = view.turn.question;
    if (this.live) return;
    if (view.turn.question.id === undefined) return this.#again(view, text);
    const kept = (attachments ?? []).map(({ name, media_type }) => ({ name, media_type, question: view.turn.question.id }));
    const body = { conversation: this.#conversation.id, parent: parent ?? null, input: text, ...(kept.length ? { attachments: kept } : {}) };
    this.#begin(body, parent ?? null, { ...view.turn.question, id: undefined, time: undefined, content: text });
  }

  // Another answer to the same question, beside those it has.
  retry(view) {
    const { question } = view.turn;
    if (this.live) return;
    if (question.id === undefined) return this.#again(view);
    this.#begin({ conversation: this.#conversation.id, parent: question.id }, question.parent ?? null, question);
  }

  // The question that is shown last, to be edited.
  editLast() {
    this.#thread.last?.question?.beginEdit();
  }

  stop() {
    const { live } = this;
    live?.stop();
    return Boolean(live);
  }

  // Show the branch through this turn, here and, so that it stays so, on the server.
  async go(turn, kind, by) {
    await this.#moveTo(this.#branches.end(turn));
    this.#thread.view(turn)?.[kind === "questions" ? "question" : "answer"].switcher.focus(by);
  }

  // The name of the conversation changed elsewhere on the page.
  renamed(id, name) {
    if (id !== this.#conversation.id) return;
    this.#conversation.name = name;
    this.#hooks.opened(this.#conversation);
  }

  // The page is going.
  letGo() {
    this.#giveBack();
    for (const live of this.#lives) live.run.letGo();
  }

  // inside

  #begin(body, parent, question, model = this.#hooks.settings().model) {
    const view = new TurnView({ question: { role: "user", ...question }, answer: null }, this.#actions);
    view.body = body;
    if (!this.#keeps) {
      this.#conversation.id = null; // it goes on here alone
      body = { messages: messagesOf(this.#branches.path(parent), question.content) };
    }
    const live = new Live({ ...this.#hooksOf(), view, asked: this.#conversation, conversation: this.#conversation.id, parent, model });
    this.#lives.add(live);
    this.#hooks.busy(live);
    this.#show();
    live.ask({ ...body, ...this.#hooks.settings(this.#conversation) });
  }

  // What was refused before the server kept it is asked as it was.
  #again(view, text = view.body.input) {
    this.#stranded = null;
    this.#begin({ ...view.body, input: text }, view.turn.question.parent ?? null, { ...view.turn.question, content: text });
  }

  // Go on reading what is under way.
  #join(conversation) {
    const turn = this.#branches.path(conversation.at).at(-1);
    if (!turn) return;
    const { parent } = turn.question;
    const view = new TurnView({ question: turn.question, answer: null }, this.#actions);
    const model = turn.answer?.model ?? conversation.model;
    const live = new Live({ ...this.#hooksOf(), view, conversation: conversation.id, parent: parent ?? null, model });
    live.message = turn.answer?.id ?? null;
    this.#lives.add(live);
    live.resume(conversation.run);
  }

  #hooksOf() {
    return {
      changed: (live) => {
        if (live.asked === this.#conversation) this.#set({ ...EMPTY, id: live.conversation, title: titleOf(live.view.turn.question) });
        this.#hooks.changed(live);
      },
      after: (live) => this.#settle(live),
    };
  }

  // An answer has ended: what the server kept of it is what there is.
  async #settle(live) {
    let conversation = null;
    if (live.conversation !== null) conversation = await this.#load(live.conversation, "").catch(() => null);
    const onPage = this.#isShown(live);
    this.#lives.delete(live);
    if (onPage && live.error?.code === "run_active" && conversation?.run) {
      this.#hooks.crossed(live.view.turn.question);
      await this.open(conversation.id);
      return;
    }
    if (onPage) {
      if (conversation) this.#adopt(live, conversation);
      else if (this.#keeps || !(await this.#remember(live))) this.#strand(live);
      this.#hooks.busy(null);
      await this.#show();
    }
    this.#hooks.ended(live, onPage);
  }

  #adopt(live, conversation) {
    const known = new Map(this.#conversation.turns.map((turn) => [turnId(turn), turn]));
    for (const turn of conversation.turns) {
      if (turn.answer) turn.answer.blocks = known.get(turnId(turn))?.answer?.blocks;
    }
    this.#set(conversation);
    const turn = this.#branches.byId.get(live.message ?? conversation.at);
    const isOurs = turn && (live.message !== null || (!known.has(turnId(turn)) && turn.question.content === live.view.turn.question.content));
    if (!isOurs) return this.#strand(live);
    live.view.turn = turn;
    if (live.ending === "lost") return this.#showKept(live);
    this.#thread.keep(live.view);
  }

  async #remember(live) {
    const turn = await remembered(live);
    if (turn === null || live.asked !== this.#conversation) return false;
    this.#set({ ...this.#conversation, turns: [...this.#conversation.turns, turn], at: turn.answer.id });
    live.view.turn = turn;
    this.#thread.keep(live.view);
    return true;
  }

  // The server kept nothing of it: it stays on the page until something else is asked.
  #strand(live) {
    if (live.ending === "lost") live.view.answer.lost(live.loss);
    live.view.isRefused = live.ending === "refused" && live.view.turn.question.id === undefined;
    this.#stranded = live.view;
  }

  // A question that was refused is kept nowhere but on the page: it is not lost with its place there.
  #giveBack() {
    if (this.#stranded?.isRefused) this.#hooks.unasked(this.#stranded.turn.question);
    this.#stranded = null;
  }

  // The view that was cut short gives way to what the server has.
  async #showKept(live) {
    const { id } = this.#conversation;
    const whole = await this.#load(id, "?view=page").catch(() => null);
    if (whole === null || this.#conversation.id !== id) return live.view.answer.lost(live.loss);
    this.#set(whole);
    live.view.element.remove();
    await this.#show();
    this.#thread.view(live.view.turn)?.answer.lost(live.loss);
  }

  async #moveTo(at) {
    const { id } = this.#conversation;
    this.#conversation.at = at;
    this.#giveBack();
    // Who leaves the page once the branch is seen finds it again.
    if (id !== null) call("PATCH", conversationPath(id), { body: { at }, keepalive: true }).catch((problem) => this.#hooks.failed(problem));
    await this.#show();
  }

  async #show() {
    const live = this.live?.view ?? this.#stranded;
    const conversation = this.#conversation;
    const at = this.live ? this.live.parent : conversation.at;
    if (conversation.id !== null && this.#lacks(this.#branches.path(at))) {
      const whole = await this.#load(conversation.id, "?view=page").catch(() => null);
      if (this.#conversation !== conversation) return;
      if (whole) this.#set({ ...whole, at: conversation.at }, this.#stranded);
    }
    await this.#thread.show(this.#branches, this.#branches.path(at), live, this.live !== null);
    this.#tellOfMore();
  }

  // Whether something is to be shown that is known as text only.
  #lacks(path) {
    return path.some((turn) => turn.answer?.text && !turn.answer.blocks && !this.#thread.view(turn));
  }

  // The conversation was taken back to an earlier place, here or in a terminal.
  #tellOfMore() {
    const last = this.#branches.path(this.#conversation.at).at(-1);
    const end = last && !this.live ? this.#branches.end(last) : null;
    if (end === null || end === turnId(last)) return this.#thread.note("");
    this.#thread.note("The conversation was taken back to here.", "Show what followed", () => this.#moveTo(end));
  }

  #set(conversation, stranded = null) {
    this.#conversation = conversation;
    this.#branches = new Branches(conversation.turns);
    this.#stranded = stranded;
  }

  async #load(id, view) {
    const conversation = await call("GET", conversationPath(id, view));
    if (!Array.isArray(conversation?.turns)) throw new ApiError(0, { message: "The server’s answer is no conversation." });
    return conversation;
  }

  #liveOf(id) {
    const isOfIt = id === null ? (live) => live.asked === this.#conversation : (live) => live.conversation === id;
    return [...this.#lives].find(isOfIt) ?? null;
  }

  #isShown(live) {
    return live.conversation === this.#conversation.id && live.view.element.isConnected;
  }
}

// What a conversation is called until the server has named it.
function titleOf({ content }) {
  return content.trim().split("\n", 1)[0].slice(0, 80);
}
