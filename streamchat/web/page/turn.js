// A question with one answer to it, as they stand in the thread.

import { AnswerView } from "./answer.js";
import { Branches, turnId } from "./branches.js";
import { h } from "./dom.js";
import { QuestionView } from "./question.js";


export class TurnView {
  #actions;
  #versions = { questions: [], answers: [] };

  // `turn` as the server has it; a turn that was only just asked has a question without an id.
  constructor(turn, actions) {
    this.turn = turn;
    this.#actions = actions;
    const { question } = turn;
    const asked = question.role === "user";
    this.question = asked ? new QuestionView(question, {
      edit: (text) => actions.edit(this, text),
      switchTo: (index, by) => this.#switch("questions", index, by),
    }) : null;
    this.answer = new AnswerView({
      retry: () => actions.retry(this),
      switchTo: (index, by) => this.#switch("answers", index, by),
      text: async () => this.turn.answer?.text ?? null,
    });
    this.element = h("div", { class: "turn" }, this.question?.element, this.answer.element);
    if (!asked) this.answer.fill({ text: question.content, blocks: question.blocks });
    else if (turn.answer) this.answer.fill(turn.answer);
    else this.answer.element.hidden = true;
  }

  // The answer is about to come.
  begin(model) {
    this.answer.element.hidden = false;
    this.answer.begin(model);
  }

  // Where it stands among those beside it; `busy`: nothing else can be asked now.
  place(branches, busy) {
    const known = branches instanceof Branches && branches.byId.has(turnId(this.turn));
    this.#versions = known ? { questions: branches.questions(this.turn), answers: branches.answers(this.turn) } : { questions: [], answers: [] };
    const { questions, answers } = this.#versions;
    this.question?.switcher.show(questions.findIndex((other) => other.question.id === this.turn.question.id), busy ? 0 : questions.length);
    this.answer.switcher.show(answers.findIndex((other) => turnId(other) === turnId(this.turn)), busy ? 0 : answers.length);
    this.question?.allow(!busy);
    this.answer.allow(!busy);
  }

  #switch(kind, index, by) {
    this.#actions.go(this.#versions[kind][index], kind, by);
  }
}
