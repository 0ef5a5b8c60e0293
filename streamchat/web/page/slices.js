// Long work in short pieces: between two of them the page sees keys and draws.

const SLICE = 8; // milliseconds

// Takes the time from when it is made.
export class Slices {
  #since = performance.now();

  get isOver() {
    return performance.now() - this.#since > SLICE;
  }

  // Let others have their turn; a new slice begins after it.
  async pause() {
    await new Promise((resolve) => {
      const channel = new MessageChannel(); // a timer would wait 4 ms, and a second in a hidden tab
      channel.port1.onmessage = resolve;
      channel.port2.postMessage(null);
    });
    this.#since = performance.now();
  }
}
