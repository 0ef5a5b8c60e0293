// Seconds that go down to nothing.

// Calls `show(seconds left)` at once and every second, `over()` at the end; gives what ends it before.
export function countdown(wait, show, over = () => {}) {
  const until = performance.now() + wait * 1000;
  let timer = 0;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000 - 0.02);
    if (left <= 0) return over();
    show(left);
    timer = setTimeout(tick, Math.max(50, (until - performance.now()) % 1000 || 1000));
  };
  tick();
  return () => clearTimeout(timer);
}
