// Server-sent events from a fetch() body: bytes cut anywhere in, events out, by the rules of the WHATWG event-stream
// format (EventSource itself can neither POST nor say what went wrong).

// Takes the stream's bytes in pieces and gives the events that each piece completed. An event at the end of the stream
// that lacks its blank line is none.
export class Decoder {
  #utf8 = new TextDecoder(); // keeps half a character for the next piece, and drops a byte order mark at the start
  #line = ""; // without its end so far
  #afterCr = false;
  #data = [];
  #event = "";
  #id = null;

  // The last id that an event had; what to resume from.
  get id() {
    return this.#id;
  }

  feed(bytes) {
    let text = this.#utf8.decode(bytes, { stream: true });
    const events = [];
    if (!text) return events;
    if (this.#afterCr && text[0] === "\n") text = text.slice(1);
    if (text) this.#afterCr = text.endsWith("\r");
    else {
      this.#afterCr = false;
      return events;
    }
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop();
    for (const line of lines) {
      if (line) this.#field(line);
      else this.#dispatch(events);
    }
    return events;
  }

  #field(line) {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value[0] === " ") value = value.slice(1);
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  #dispatch(events) {
    if (this.#data.length) {
      events.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
      this.#data = [];
    }
    this.#event = "";
  }
}

// The events of a ReadableStream of bytes, until it ends; leaving the loop cancels the stream.
export async function* events(stream) {
  const decoder = new Decoder();
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        ended = true;
        return;
      }
      yield* decoder.feed(value);
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}
