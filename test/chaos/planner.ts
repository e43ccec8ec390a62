import { Random, Weighted } from "../../internal/simulate/random.ts";
import { kindOf, LINE_TARGETS, PARTITIONS, PARTS, PROGRAMS, partsOfKind } from "./topology.ts";

export type FaultKind =
  | "kill"
  | "stop"
  | "restart"
  | "cut"
  | "stall"
  | "delay"
  | "lose answers"
  | "truncate"
  | "new leader"
  | "full disk"
  | "clock";

/** One thing that goes wrong in a round, for a while. */
export interface Fault {
  readonly kind: FaultKind;
  /** The part, the line or lines, or the stream that is struck. */
  readonly target: string;
  /** When it begins, ms after the round's load has begun. */
  readonly atMs: number;
  /** How long it lasts, ms; a process that was killed is started again after it. */
  readonly forMs: number;
  /** ms of a delay or of a clock's shift, bytes that pass before a line breaks; else 0. */
  readonly amount: number;
}

interface Draw {
  /** How often, against the others. */
  readonly weight: number;
  readonly targets: readonly string[];
  readonly amount?: (random: Random) => number;
}

const CLOCKED = PARTS.filter((part) => (PROGRAMS as readonly string[]).includes(kindOf(part)));

const STREAMS = Array.from({ length: PARTITIONS }, (_, partition) => `EVENTS_${partition}`);

/** Every kind of fault, what it can strike, and how. */
const DRAWS: Readonly<Record<FaultKind, Draw>> = {
  kill: { weight: 6, targets: PARTS },
  stop: { weight: 5, targets: PARTS },
  restart: { weight: 4, targets: PARTS },
  cut: { weight: 4, targets: LINE_TARGETS },
  stall: { weight: 4, targets: LINE_TARGETS },
  delay: { weight: 2, targets: LINE_TARGETS, amount: (random) => 20 + random.below(300) },
  "lose answers": { weight: 3, targets: LINE_TARGETS },
  truncate: { weight: 3, targets: LINE_TARGETS, amount: (random) => 1 + random.below(20_000) },
  "new leader": { weight: 2, targets: STREAMS },
  // Together with a cut from ingest: otherwise a collector has nothing to write.
  "full disk": { weight: 2, targets: partsOfKind("collector") },
  clock: {
    weight: 2,
    targets: CLOCKED,
    amount: (random) => (random.chance(0.5) ? 1 : -1) * 60_000 * (1 + random.below(15)),
  },
};

const KINDS = new Weighted(
  Object.entries(DRAWS).map(([kind, { weight }]) => [kind as FaultKind, weight] as const),
);

/** Longest wait before a fault begins, ms. */
const BEGIN_MS = 600;

/**
 * Shortest and longest time that a fault lasts, ms. Most are short, so that a round is; a few outlast leases, the
 * time-outs of deliveries, and the pings by which dead connections are noticed.
 */
const SHORT_MS = [200, 1_800] as const;
const LONG_MS = [3_000, 7_000] as const;
const LONG_SHARE = 0.1;

/** Keeps the plan's random numbers apart from those of the traffic. */
const PLAN = 1;

/** What goes wrong in a round: one or two faults, on different targets. A function of its arguments alone. */
export function planRound(seed: number, round: number): Fault[] {
  const random = new Random(seed, round, PLAN);
  const faults = [draw(random)];
  while (faults.length < 2 && random.chance(0.6)) {
    const other = draw(random);
    if (faults.every(({ target }) => target !== other.target)) faults.push(other);
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function draw(random: Random): Fault {
  const kind = KINDS.pick(random);
  const [shortest, longest] = random.chance(LONG_SHARE) ? LONG_MS : SHORT_MS;
  const { targets, amount } = DRAWS[kind];
  return {
    kind,
    target: random.of(targets),
    atMs: random.below(BEGIN_MS),
    forMs: shortest + random.below(longest - shortest),
    amount: amount?.(random) ?? 0,
  };
}

const UNITS: Partial<Record<FaultKind, string>> = { delay: "ms", truncate: "bytes", clock: "ms" };

/** A fault as a line of the progress shows it. */
export function describeFault({ kind, target, atMs, forMs, amount }: Fault): string {
  const unit = UNITS[kind];
  return `${kind} ${target}${unit === undefined ? "" : ` ${amount} ${unit}`} (${atMs}+${forMs} ms)`;
}
