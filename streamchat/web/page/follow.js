// Scrolling along with what is written, as long as the reader is at the end, and never otherwise.

const NEAR = 48;

export class Follow {
  #scroller;
  #button;
  #following = true;
  #last = 0;

  // `content` is what grows in `scroller`; `button` leads back to the end and is there only away from it.
  constructor(scroller, content, button) {
    this.#scroller = scroller;
    this.#button = button;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => {
      this.toEnd();
      scroller.focus({ preventScroll: true });
    });
    const watch = new ResizeObserver(() => this.#grown());
    watch.observe(content);
    watch.observe(scroller);
  }

  // To the end, and along with it from now on.
  toEnd() {
    this.#following = true;
    this.#grown();
  }

  get #below() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #atEnd() {
    return this.#below <= NEAR;
  }

  // Only going up ends following, however little at a time, as a touchpad does it: who is brought back from near the end
  // never gets away from it. Content that grows is not the reader's doing, nor one that shrinks, which leaves the very end.
  #scrolled() {
    const top = this.#scroller.scrollTop;
    if (this.#below <= 1) this.#following = true;
    else if (top < this.#last - 1) this.#following = false;
    else if (top > this.#last && this.#atEnd()) this.#following = true;
    this.#last = top;
    this.#button.hidden = this.#following || this.#atEnd();
  }

  #grown() {
    if (this.#following) {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#last = this.#scroller.scrollTop;
    }
    this.#button.hidden = this.#following || this.#atEnd();
  }
}
