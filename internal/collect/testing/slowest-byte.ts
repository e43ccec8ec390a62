import { setImmediate } from "node:timers/promises";
import { create, toJsonString } from "@bufbuild/protobuf";
import { VISITOR_ID_KEY_BYTES } from "../../event/visitor-id.ts";
import { Failure } from "../../failure/failure.ts";
import { SendResponseSchema } from "../../gen/footfall/collect/v1/collect_pb.js";
import { Codec } from "../../gen/footfall/event/v1/batch_pb.js";
import { createRegistry } from "../../telemetry/metrics.ts";
import { answerRequest, countEvents } from "../answer-request.ts";
import { toWire } from "../answers.ts";
import { Batcher } from "../batcher.ts";
import { Limits, NO_LIMITS } from "../limits/limits.ts";
import { collectMetrics } from "../metrics.ts";
import { RecentEvents } from "../recent-events.ts";
import { countProblem } from "../request.ts";
import { NO_DEFAULTS } from "../take-event.ts";
import { type Body, bodyBytes, mutated, randomFrom, seeds } from "./hostile-bodies.ts";

/** What a body took of the collector. Times are ms of CPU time of this thread. */
export interface Cost {
  readonly body: Body;
  /** Bytes of the body, inflated. */
  readonly bytes: number;
  readonly cpuMs: number;
  /** Longest turn of the event loop. */
  readonly holdMs: number;
  /** Of the JavaScript heap and buffers, garbage and all. */
  readonly heapBytes: number;
}

/** What the search goes after: each is climbed by itself. */
const GOALS = {
  /** Small bodies cost what any request does. */
  "ms a KiB": ({ cpuMs, bytes }: Cost) => cpuMs / (1 + bytes / 1_024),
  "longest hold, ms": ({ holdMs }: Cost) => holdMs,
  "heap bytes a byte": ({ heapBytes, bytes }: Cost) => heapBytes / (16_384 + bytes),
} as const;
export type Goal = keyof typeof GOALS;

export interface SlowestOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Largest body, bytes. */
  readonly most: number;
  readonly onFound?: (goal: Goal, value: number, cost: Cost) => void;
}

/**
 * Looks for the bodies that cost the collector most: seeded bodies are changed in their structure, and of each goal's
 * best the changes go on. @returns the worst of each goal.
 */
export async function slowestBytes({ seed, seconds, most, onFound }: SlowestOptions): Promise<Slowest> {
  const random = randomFrom(seed);
  const run = collector();
  // What the engine compiles at first is no body's doing.
  for (let turn = 0; turn < 5; turn++) for (const body of seeds) await run(body);
  const ordinary: number[] = [];
  for (let turn = 0; turn < 20; turn++) ordinary.push(GOALS["ms a KiB"](await run(seeds[0]!)));
  const best = new Map<Goal, Cost>();
  const goals = Object.keys(GOALS) as Goal[];
  const until = performance.now() + 1_000 * seconds;
  for (let turn = 0; performance.now() < until; turn++) {
    const goal = goals[turn % goals.length]!;
    const from = random() < 0.2 ? undefined : best.get(goal)?.body;
    const body = mutated(from ?? seeds[Math.floor(random() * seeds.length)]!, random, most);
    await keepWorst(await run(body), best, run, onFound);
  }
  const worst = [...best].map(([goal, cost]) => ({ goal, value: GOALS[goal](cost), cost }));
  return { ordinary: ordinary.toSorted((a, b) => a - b)[10]!, worst };
}

export interface Slowest {
  /** Ms a KiB of an ordinary body. */
  readonly ordinary: number;
  readonly worst: readonly { readonly goal: Goal; readonly value: number; readonly cost: Cost }[];
}

async function keepWorst(
  cost: Cost,
  best: Map<Goal, Cost>,
  run: (body: Body) => Promise<Cost>,
  onFound: SlowestOptions["onFound"],
): Promise<void> {
  for (const [goal, rate] of Object.entries(GOALS) as [Goal, (cost: Cost) => number][]) {
    const before = best.get(goal);
    if (before !== undefined && rate(cost) <= rate(before)) continue;
    // Once more, and twice: a collection of garbage in one of them is no fault of the body's.
    let least = cost;
    for (let turn = 0; turn < 2; turn++) {
      const again = await run(cost.body);
      if (rate(again) < rate(least)) least = again;
    }
    if (before !== undefined && rate(least) <= rate(before)) continue;
    best.set(goal, least);
    onFound?.(goal, rate(least), least);
  }
}

const SENDER = {
  merchantId: 1,
  retentionDays: 30,
  partitions: 4,
  truncateIp: true,
  visitorKey: new Uint8Array(VISITOR_ID_KEY_BYTES).fill(7),
};

/** The collector's way of a request from its bytes to the answer's, without the network and ingest. */
function collector(): (body: Body) => Promise<Cost> {
  const metrics = collectMetrics(createRegistry("slowest byte"));
  const batches = { maxRows: 8_192, maxBytes: 2 << 20, maxAgeMs: 20, maxPendingBytes: 64 << 20 };
  const batcher = new Batcher({ collectorId: "c", codec: Codec.ZSTD, ...batches }, ({ receipt }) =>
    receipt.settle({ stored: true }),
  );
  const limits = new Limits(NO_LIMITS);
  const deps = { metrics, batcher, limits, recent: new RecentEvents(100_000) };
  const answer = async (bytes: Uint8Array, isJson: boolean) => {
    const weighed = await countEvents(limits, 1, { bytes, isJson });
    if (countProblem(weighed.request.count) !== undefined) return;
    const answers = await answerRequest(deps, SENDER, weighed, NO_DEFAULTS, () => {});
    toJsonString(SendResponseSchema, create(SendResponseSchema, toWire(answers)));
  };
  return (body) => measured(body, (bytes) => answer(bytes, body.isJson));
}

async function measured(body: Body, work: (bytes: Uint8Array) => Promise<void>): Promise<Cost> {
  const bytes = bodyBytes(body);
  await setImmediate();
  const start = cpuMs();
  const heap = heapBytes();
  let last = start;
  let holdMs = 0;
  let peak = heap;
  let isDone = false;
  const working = work(bytes)
    .catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
    })
    .finally(() => {
      isDone = true;
    });
  while (!isDone) {
    await setImmediate();
    const now = cpuMs();
    holdMs = Math.max(holdMs, now - last);
    last = now;
    peak = Math.max(peak, heapBytes());
  }
  await working;
  return { body, bytes: bytes.length, cpuMs: cpuMs() - start, holdMs, heapBytes: Math.max(0, peak - heap) };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function heapBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A found body as people read it. */
export function shownCost(
  goal: Goal,
  value: number,
  { body, bytes, cpuMs, holdMs, heapBytes }: Cost,
): string {
  const figures = `${bytes} bytes, ${cpuMs.toFixed(1)} ms, hold ${holdMs.toFixed(1)} ms, ${(heapBytes / 2 ** 20).toFixed(1)} MiB`;
  return `${goal}: ${value.toPrecision(3)} (${figures}) ${JSON.stringify(body).slice(0, 300)}`;
}
