// A chat that the server does not keep (`[history] save = false`): the page alone remembers it, and sends it whole each time.

import { request, runPath } from "./api.js";
import { Decoder } from "./sse.js";

let made = 0;

// The branch as it goes to a model: what was answered, then the question.
export function messagesOf(path, content) {
  const before = path.filter((turn) => turn.answer?.text).flatMap((turn) => [
    { role: "user", content: turn.question.content },
    { role: "assistant", content: turn.answer.text },
  ]);
  return [...before, { role: "user", content }];
}

// The turn of an answer that has ended, as the server would have kept it; null where there is none.
export async function remembered({ view, parent, run }) {
  const { question } = view.turn;
  const text = run.id === null ? "" : await textOf(run.id).catch(() => "");
  if (!text) return null;
  made += 1;
  return {
    question: { ...question, id: question.id ?? `question-${made}`, parent },
    answer: { id: `answer-${made}`, text, time: new Date().toISOString() },
  };
}

// The page's own stream has trees only; the other one, read again, has the text.
async function textOf(run) {
  const response = await request("GET", runPath(run, "/events"));
  const events = new Decoder().feed(new Uint8Array(await response.arrayBuffer()));
  return events.filter(({ event }) => event === "token").map(({ data }) => JSON.parse(data).t).join("");
}
