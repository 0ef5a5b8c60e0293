// The turns of a conversation as a tree: pure. A question follows an answer; what is asked or answered again stands beside
// the first, and `at` is the place where the conversation goes on.

// A turn's id: its answer's, or its question's where it has none.
export const turnId = (turn) => (turn.answer ? turn.answer.id : turn.question.id);

export class Branches {
  constructor(turns) {
    this.turns = turns;
    this.byId = new Map();
    this.following = new Map();
    for (const turn of turns) {
      this.byId.set(turnId(turn), turn);
      const parent = turn.question.parent ?? null;
      if (!this.following.has(parent)) this.following.set(parent, []);
      this.following.get(parent).push(turn);
    }
  }

  // From the beginning to this place.
  path(at) {
    const path = [];
    const seen = new Set();
    for (let turn = this.#find(at); turn && !seen.has(turn); turn = this.#find(turn.question.parent)) {
      seen.add(turn);
      path.push(turn);
    }
    return path.reverse();
  }

  // All answers to this turn's question, in their order.
  answers(turn) {
    return this.#beside(turn).filter((other) => other.question.id === turn.question.id);
  }

  // One turn (the latest) for each question that follows the same answer.
  questions(turn) {
    const latest = new Map();
    for (const other of this.#beside(turn)) {
      if (other.question.role === "user") latest.set(other.question.id, other);
    }
    return [...latest.values()];
  }

  // The end of the newest branch that goes through this turn.
  end(turn) {
    const seen = new Set();
    let last = turn;
    for (let next = turn; next && !seen.has(next); next = this.following.get(turnId(next))?.at(-1)) {
      seen.add(next);
      last = next;
    }
    return turnId(last);
  }

  #beside(turn) {
    return this.following.get(turn.question.parent ?? null) ?? [turn];
  }

  #find(id) {
    if (id === null || id === undefined) return undefined;
    return this.byId.get(id) ?? this.turns.findLast((turn) => turn.question.id === id);
  }
}
