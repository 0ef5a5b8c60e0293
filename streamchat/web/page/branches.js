// The turns of a conversation as a tree: pure. A question follows an answer; what is asked or answered again stands beside
// the first, and `at` is the place where the conversation goes on.

// A turn's id: its answer's, or its question's where it has none.
export const turnId = (turn) => (turn.answer ? turn.answer.id : turn.question.id);

export class Branches {
  #latest; // when a turn or one that follows it was last answered

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
    this.#latest = latest(turns, this.following);
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

  // One turn for each question that follows the same answer: that whose branch was gone on with last.
  questions(turn) {
    const found = new Map();
    for (const other of this.#beside(turn)) {
      if (other.question.role !== "user") continue;
      const { id } = other.question;
      found.set(id, this.#newest([found.get(id) ?? other, other]));
    }
    return [...found.values()];
  }

  // The end of the branch through this turn that was gone on with last.
  end(turn) {
    const seen = new Set();
    let last = turn;
    for (let next = turn; next && !seen.has(next); next = this.#newest(this.following.get(turnId(next)))) {
      seen.add(next);
      last = next;
    }
    return turnId(last);
  }

  #newest(turns = []) {
    return turns.reduce((best, turn) => (best && this.#latest.get(best) > this.#latest.get(turn) ? best : turn), undefined);
  }

  #beside(turn) {
    return this.following.get(turn.question.parent ?? null) ?? [turn];
  }

  #find(id) {
    if (id === null || id === undefined) return undefined;
    return this.byId.get(id) ?? this.turns.findLast((turn) => turn.question.id === id);
  }
}

// Without recursion, which a long conversation would be too deep for: what follows stands behind.
function latest(turns, following) {
  const found = new Map();
  for (const turn of turns.toReversed()) {
    const after = (following.get(turnId(turn)) ?? []).map((next) => found.get(next) ?? "");
    found.set(turn, [turn.answer?.time || turn.question.time, ...after].reduce((a, b) => (b > a ? b : a)));
  }
  return found;
}
