import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../internal/simulate/random.ts";
import { waitFor } from "../kit/installation-wait.ts";
import type { ForgetfulDisk } from "./disk/forgetful-disk.ts";
import { Load } from "./load.ts";
import type { Part } from "./part.ts";

/** What one cut of the power left. */
export interface Round {
  readonly number: number;
  /** Events acked in this round. */
  readonly acked: number;
  /** Of all that were acked until the cut, those that were there at the last look and are not there now. */
  readonly lost: number;
  /** Events that are there more than once. */
  readonly doubled: number;
}

export interface RoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onRound?: (round: Round) => void;
}

/** Longest time between the first ack of a load and the cut, ms. */
const LOAD_MS = 2_000;

/**
 * Cuts the power under load, round by round, each at a moment that the seed draws; after each cut the part is started
 * on what the disk still knows, and asked for all that was acked. The part and the disk are closed at the end.
 */
export async function runRounds(
  part: Part,
  disk: ForgetfulDisk,
  { rounds, seed, signal, onRound }: RoundsOptions,
): Promise<Round[]> {
  const done: Round[] = [];
  /** Acked, and not known to be lost. */
  const expected = new Set<string>();
  try {
    await part.start();
    for (let number = 1; number <= rounds && !signal?.aborted; number++) {
      const acked = await loadAndCut(part, disk, new Random(seed, number));
      for (const id of acked) expected.add(id);
      await disk.mount();
      await part.start();
      const round = { number, acked: acked.size, ...compare(expected, await part.stored()) };
      done.push(round);
      onRound?.(round);
    }
    return done;
  } finally {
    await part.close();
    await disk.close();
  }
}

async function loadAndCut(part: Part, disk: ForgetfulDisk, random: Random): Promise<ReadonlySet<string>> {
  await part.ready();
  const load = new Load(part);
  await waitFor("the first ack", () => load.acked.size > 0);
  await sleep(random.below(LOAD_MS));
  // The programs first: a disk without power would answer them with errors, which no machine lives to see.
  await part.kill();
  await disk.cut();
  await load.end();
  return load.acked;
}

/** Takes what is lost out of what is expected, so that it counts in one round only. */
function compare(expected: Set<string>, stored: readonly string[]) {
  const there = new Set(stored);
  const lost = [...expected].filter((id) => !there.has(id));
  for (const id of lost) expected.delete(id);
  return { lost: lost.length, doubled: stored.length - there.size };
}
