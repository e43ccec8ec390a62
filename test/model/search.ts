/** A system of states and steps, to be explored whole. */
export interface System<S> {
  readonly initial: S;
  /** The same for states that need not be told apart. */
  readonly key: (state: S) => string;
  readonly steps: (state: S, take: (label: string, next: S, fault?: boolean) => void) => void;
  /** What is wrong with a state. */
  readonly problem: (state: S) => string | undefined;
  /** Whether a state is one in which everything has come to rest as it should. */
  readonly atRest: (state: S) => boolean;
}

export interface Found {
  readonly states: number;
  readonly transitions: number;
  /** Steps to the state that is farthest away. */
  readonly depth: number;
  /** The first problem, with a shortest way to it. */
  readonly problem?: { readonly what: string; readonly trace: readonly string[] };
}

export const NEVER_AT_REST = "from here it never comes to rest as it should, though no more faults come";

/** More states than this are a mistake in the choice of sizes. */
const MOST_STATES = 3_000_000;

/**
 * Explores every state that can be reached, breadth first. Stops at the first state with a problem. In the end,
 * every state must have a way, without further faults, to one at rest.
 */
export function search<S>(system: System<S>): Found {
  const seen = new Map<string, number>();
  // A state is forgotten when its steps are taken: traces are found again from the numbers of its parents.
  const open: S[] = [];
  const parents: number[] = [];
  const atRest: boolean[] = [];
  const edges = new Edges();
  let transitions = 0;
  let problem: string | undefined;
  const visit = (state: S, parent: number): number => {
    const key = system.key(state);
    const before = seen.get(key);
    if (before !== undefined) return before;
    const index = parents.push(parent) - 1;
    if (index === MOST_STATES) throw new Error(`more than ${MOST_STATES} states`);
    seen.set(key, index);
    open.push(state);
    atRest.push(system.atRest(state));
    problem ??= system.problem(state);
    return index;
  };
  visit(system.initial, -1);
  for (let at = 0; at < parents.length && problem === undefined; at++) {
    const state = open[at]!;
    delete open[at];
    system.steps(state, (_label, next, fault = false) => {
      if (problem !== undefined) return;
      transitions++;
      const to = visit(next, at);
      if (!fault) edges.add(at, to);
    });
  }
  const last = parents.length - 1;
  const trace = (at: number) => labelsTo(system, (state) => seen.get(system.key(state))!, wayTo(parents, at));
  const counts = { states: parents.length, transitions, depth: wayTo(parents, last).length };
  if (problem !== undefined) return { ...counts, problem: { what: problem, trace: trace(last) } };
  const stuck = edges.firstWithoutWayTo(atRest);
  return stuck === -1 ? counts : { ...counts, problem: { what: NEVER_AT_REST, trace: trace(stuck) } };
}

/** The numbers of the states on a shortest way, without the first. */
function wayTo(parents: readonly number[], to: number): number[] {
  const way: number[] = [];
  for (let at = to; at > 0; at = parents[at]!) way.push(at);
  return way.reverse();
}

/** What the steps of a way are called. */
function labelsTo<S>(system: System<S>, numberOf: (state: S) => number, way: readonly number[]): string[] {
  const labels: string[] = [];
  let here = system.initial;
  for (const wanted of way) {
    let found: { label: string; next: S } | undefined;
    system.steps(here, (label, next) => {
      if (found === undefined && numberOf(next) === wanted) found = { label, next };
    });
    labels.push(found!.label);
    here = found!.next;
  }
  return labels;
}

/** Steps between states, by their numbers. */
class Edges {
  #from = new Int32Array(1 << 16);
  #to = new Int32Array(1 << 16);
  #count = 0;

  add(from: number, to: number): void {
    if (this.#count === this.#from.length) {
      this.#from = grown(this.#from);
      this.#to = grown(this.#to);
    }
    this.#from[this.#count] = from;
    this.#to[this.#count++] = to;
  }

  /** The first state from which no way leads to a goal; -1 when there is none. */
  firstWithoutWayTo(goals: readonly boolean[]): number {
    const starts = new Int32Array(goals.length + 1);
    for (let i = 0; i < this.#count; i++) starts[this.#to[i]! + 1]!++;
    for (let i = 0; i < goals.length; i++) starts[i + 1]! += starts[i]!;
    const before = new Int32Array(this.#count);
    const free = starts.slice();
    for (let i = 0; i < this.#count; i++) before[free[this.#to[i]!]!++] = this.#from[i]!;
    const reached = Uint8Array.from(goals, Number);
    const open = goals.flatMap((isGoal, at) => (isGoal ? [at] : []));
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (let i = starts[at]!; i < starts[at + 1]!; i++) {
        const from = before[i]!;
        if (reached[from]) continue;
        reached[from] = 1;
        open.push(from);
      }
    }
    return reached.indexOf(0);
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
