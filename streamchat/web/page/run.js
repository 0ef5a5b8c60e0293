// One answer's stream, whatever happens to the connection: begun, cut and taken up again where it was, given back while
// nobody looks, stopped. Exactly one of `done`, `error`, `lost` and `refused` ends it.

import { ApiError, request, runPath } from "./api.js";
import { Decoder } from "./sse.js";

const BACKOFF = [500, 1000, 2000, 4000, 8000, 15000];
const SILENT = 40000; // the server pings after 15 s without a word: what is silent for so long is dead (a laptop slept)
const HIDDEN = 10000; // a browser has six connections for all tabs of a server: who does not look gives theirs back
const HELD = 900; // seconds for which the server is asked to go on without us meanwhile
const ANSWERED = 2000; // how long the answer to that is waited for
const POLL = 30000;
const LAST = new Set(["done", "error"]);

export class Run {
  #listener;
  #open;
  #id = null;
  #place = null;
  #reader = null; // AbortController of the connection
  #over = false;
  #stopping = false;
  #away = false;
  #kept = false;
  #nudge = () => {};
  #hiding = 0;

  // `listener.event(name, data)`, `.reconnecting(wait)`, `.connected()`, `.refused(error)`, `.lost(error)`.
  constructor(listener) {
    this.#listener = listener;
    this.onVisibility = this.onVisibility.bind(this);
    this.onOnline = this.onOnline.bind(this);
  }

  get id() {
    return this.#id;
  }

  get over() {
    return this.#over;
  }

  // Ask. The same request id makes a request that is sent again, for its answer was cut off, the same question.
  ask(body) {
    const asked = { ...body, view: "page", request_id: crypto.randomUUID?.() ?? String(Math.random()).slice(2) };
    this.#open = (signal) => request("POST", "api/chat", { body: asked, signal });
    return this.#live();
  }

  // Read a run that is under way from its beginning.
  resume(id) {
    this.#id = id;
    this.#open = (signal) => this.#again(signal);
    return this.#live();
  }

  // Stop: the provider is told at once; the stream then ends with what came.
  stop() {
    if (this.#over || this.#stopping) return;
    this.#stopping = true;
    if (this.#id !== null) this.#sendStop();
    else this.#nudge();
  }

  // Try now rather than when the wait is over.
  now() {
    this.#nudge();
  }

  onVisibility() {
    clearTimeout(this.#hiding);
    if (document.visibilityState === "hidden") this.#hiding = setTimeout(() => this.#leave(), HIDDEN);
    else this.#return();
  }

  onOnline() {
    this.#nudge();
  }

  async #live() {
    document.addEventListener("visibilitychange", this.onVisibility);
    window.addEventListener("online", this.onOnline);
    if (document.visibilityState === "hidden") this.onVisibility();
    try {
      for (let cuts = 0; !this.#over; ) {
        const place = this.#place;
        try {
          await this.#read();
        } catch (problem) {
          if (this.#isFinal(problem)) return;
        }
        if (this.#over) return;
        cuts = this.#place === place && !this.#kept ? cuts + 1 : 0;
        this.#kept = false;
        await (this.#away ? this.#comeBack() : this.#pause(cuts));
      }
    } finally {
      this.#over = true;
      clearTimeout(this.#hiding);
      document.removeEventListener("visibilitychange", this.onVisibility);
      window.removeEventListener("online", this.onOnline);
    }
  }

  // Whether this ends it all; a cut, and a server that is away or busy, do not.
  #isFinal(problem) {
    if (problem.name === "AbortError") return false;
    if (!(problem instanceof ApiError)) return this.#fail(problem);
    if (this.#id === null && problem.run) return this.#refusedByProvider(problem.run);
    if (this.#id === null) return (problem.status !== 0 || this.#stopping) && this.#end("refused", problem);
    if (problem.status === 404 || problem.status === 401) return this.#end("lost", problem);
    return problem.status !== 0 && problem.status < 429 && this.#end("refused", problem);
  }

  // The run is there all the same, and says what the refusal does not: in which conversation its question is kept.
  #refusedByProvider(run) {
    this.#id = run;
    this.#open = (signal) => this.#again(signal);
    this.#kept = true;
    return false;
  }

  #fail(problem) {
    console.error(problem);
    return this.#end("refused", new ApiError(0, { code: "page", message: `This page failed: ${problem.message}` }));
  }

  #end(how, error) {
    this.#over = true;
    this.#listener[how](error);
    return true;
  }

  async #read() {
    const reader = new AbortController();
    this.#reader = reader;
    let silence = setTimeout(() => reader.abort(), SILENT);
    try {
      const response = await this.#open(reader.signal);
      this.#id ??= response.headers.get("X-Run-Id");
      this.#open = (signal) => this.#again(signal);
      if (this.#stopping) this.#sendStop();
      this.#listener.connected();
      const decoder = new Decoder();
      const body = response.body.getReader();
      for (;;) {
        const piece = await body.read().catch(() => ({ done: true })); // cut, or left
        if (piece.done) return;
        clearTimeout(silence);
        silence = setTimeout(() => reader.abort(), SILENT);
        for (const event of decoder.feed(piece.value)) this.#take(event);
        if (this.#over) return;
      }
    } finally {
      clearTimeout(silence);
      reader.abort();
    }
  }

  #take({ event, data, id }) {
    if (this.#over) return;
    if (id !== undefined && id !== null && id !== "") this.#place = id;
    if (LAST.has(event)) this.#over = true;
    this.#listener.event(event, JSON.parse(data));
  }

  #again(signal) {
    if (this.#id === null) throw new ApiError(0, { message: "The answer has no name." });
    const headers = this.#place === null ? {} : { "Last-Event-ID": this.#place };
    return request("GET", runPath(this.#id, "/events?view=page"), { headers, signal });
  }

  #pause(cuts) {
    if (cuts === 0) return Promise.resolve();
    const wait = BACKOFF[Math.min(cuts, BACKOFF.length) - 1] * (0.75 + Math.random() / 2);
    this.#listener.reconnecting(wait);
    return this.#sleep(wait);
  }

  #sleep(wait) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#nudge = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  // a tab that nobody sees

  async #leave() {
    if (this.#over || this.#id === null || document.visibilityState !== "hidden") return;
    const held = this.#hold(HELD);
    const known = await Promise.race([held, new Promise((resolve) => setTimeout(resolve, ANSWERED, null))]);
    if (known === false) return; // a server that would not go on without us keeps its reader
    if (this.#over || document.visibilityState !== "hidden") return;
    this.#away = true;
    this.#reader?.abort(); // unknown: all connections are taken by such tabs, and the request goes out on this one
    if (!(await held)) this.#return();
  }

  #return() {
    if (!this.#away) return;
    this.#away = false;
    this.#nudge();
  }

  // Until the tab is seen again, or the answer has ended meanwhile, which its title is to say.
  async #comeBack() {
    while (this.#away) {
      await this.#sleep(POLL);
      if (this.#away && !(await this.#isUnderWay())) this.#away = false;
    }
  }

  async #isUnderWay() {
    try {
      const running = await (await request("GET", "api/runs?active=1")).json();
      return running.some((one) => one.run === this.#id);
    } catch {
      return true; // not known: ask later
    }
  }

  async #hold(seconds) {
    try {
      await request("PATCH", runPath(this.#id), { body: { grace: seconds } });
      return true;
    } catch {
      return false;
    }
  }

  // The page is going: a run that was to go on without its reader is not to go on for long.
  letGo() {
    if (this.#over || !this.#away || this.#id === null) return;
    request("PATCH", runPath(this.#id), { body: { grace: null }, keepalive: true }).catch(() => {});
  }

  async #sendStop() {
    try {
      await request("DELETE", runPath(this.#id));
    } catch (problem) {
      this.#stopping = problem.status === 404; // still under way: Stop may be pressed again
      this.#listener.notStopped?.(problem);
    }
  }
}
