// Numbers, times and sizes as people read them.

const whole = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const count = (number, one, many = `${one}s`) => `${whole.format(number)} ${number === 1 ? one : many}`;

export function seconds(value) {
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 90) return `${Math.round(value)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

// US dollars, with as many digits as say something.
export function dollars(value) {
  if (value === 0) return "$0";
  if (value < 0.0001) return "< $0.0001";
  return `$${value < 1 ? value.toPrecision(2).replace(/0+$/, "") : value.toFixed(2)}`;
}

export function bytes(size) {
  if (size < 1000) return `${size} B`;
  return size < 1e6 ? `${Math.round(size / 1000)} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

// Today the time, else the day.
export function when(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.valueOf())) return "";
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  return (date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date);
}

export function moment(iso) {
  const date = new Date(iso);
  return Number.isNaN(date.valueOf()) ? "" : full.format(date);
}

// What an answer took and cost, in one quiet line: only what is known.
export function spent(usage, { elapsed, firstToken, speed }) {
  const { input_tokens: asked, output_tokens: said, reasoning_tokens: thought, cost, estimated } = usage ?? {};
  const known = (value) => value !== null && value !== undefined;
  const pace = speed ?? (known(said) && elapsed - firstToken > 0.1 ? said / (elapsed - firstToken) : null);
  return [
    known(elapsed) && elapsed > 0 ? seconds(elapsed) : "",
    known(pace) ? `${pace < 10 ? pace.toFixed(1) : Math.round(pace)} tokens/s` : "",
    known(asked) && known(said) ? `${whole.format(asked)} in, ${whole.format(said)} out` : "",
    thought ? `${whole.format(thought)} of it reasoning` : "",
    known(cost) ? `${estimated ? "≈ " : ""}${dollars(cost)}` : "",
  ].filter(Boolean);
}
