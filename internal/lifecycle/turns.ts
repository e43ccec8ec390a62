/**
 * How long all long pieces of work together keep the event loop before whatever else has come has its turn, ms. One
 * of them may be in the middle of a step then, so that no step may take long either.
 */
const SLICE_MS = 8;

/** When the slice of this turn ends; undefined: nobody has begun one. */
let end: number | undefined;
const waiting: (() => void)[] = [];

/** Whether this turn of the event loop is used up: who has more to do awaits `nextTurn`. */
export function isTurnOver(): boolean {
  const now = performance.now();
  if (end === undefined) begin(now);
  return now >= end!;
}

/** Waits for a later turn of the event loop; those who wait have their turns in their order. */
export function nextTurn(): Promise<void> {
  if (end === undefined) begin(performance.now());
  return new Promise((resolve) => waiting.push(resolve));
}

function begin(now: number): void {
  end = now + SLICE_MS;
  setImmediate(resume);
}

/** As many as have room in one slice go on. */
async function resume(): Promise<void> {
  end = undefined;
  while (waiting.length > 0 && !isTurnOver()) {
    waiting.shift()!();
    // It works up to its next `await` before this goes on.
    await undefined;
  }
}
