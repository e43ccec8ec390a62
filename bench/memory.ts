import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryDirectory } from "../internal/embedded/temporary.ts";
import { formatId } from "../internal/event/event-id.ts";
import { sealedBytes } from "../internal/event/seal.ts";
import { connectNats } from "../internal/stream/connect.ts";
import { BatchPublisher } from "../internal/stream/publisher.ts";
import { batchesOf } from "./lib/batches.ts";
import { type Rig, runAtRate, startLoadRig } from "./lib/load.ts";
import { type Bench, short } from "./lib/result.ts";
import { type Servers, startServers } from "./lib/servers.ts";
import { shopRows } from "./lib/shop-events.ts";

const PARTITIONS = 4;
const MERCHANTS = 50;
/** A billion a day, rounded up. */
const RATE = 12_000;
const BACKLOG_SECONDS = 600;
const BATCH_ROWS = 4_000;
const SAMPLE_MS = 500;
const LIMIT_BYTES = 512 * 2 ** 20;

/**
 * Resident memory of each process at the pipeline's rate, and while a backlog of ten minutes is worked off.
 * The figure is the largest of all, against the limit of 512 MiB.
 */
export const memory: Bench = async ({ seconds, say }) => {
  const servers = await startServers(PARTITIONS);
  say(`servers: ${JSON.stringify(servers.versions)}`);
  const folder = await temporaryDirectory("memory");
  const rig = await startLoadRig(servers, folder.path, PARTITIONS, MERCHANTS);
  try {
    const live = await sampled(rig, () => runAtRate(rig, RATE, seconds, 1));
    say(`at ${short(RATE)}/s for ${seconds} s, MiB: ${JSON.stringify(live)}`);
    const events = RATE * BACKLOG_SECONDS;
    const backlog = await sampled(rig, () => workBacklog(rig, servers, events));
    say(`with a backlog of ${short(events)} events, MiB: ${JSON.stringify(backlog)}`);
    const figure = Math.max(...[live, backlog].flatMap((run) => Object.values(run).map(({ most }) => most)));
    return {
      bench: "memory",
      figure,
      unit: "MiB",
      ratio: (figure * 2 ** 20) / LIMIT_BYTES,
      against: "512 MiB",
      details: { live, backlog, rate: RATE, backlog_events: events, versions: servers.versions },
    };
  } finally {
    await rig.installation.stop();
    await folder.remove();
    await servers.stop();
  }
};

/** Median of the first and the last third of the samples, and the largest, MiB. */
interface Resident {
  readonly early: number;
  readonly late: number;
  readonly most: number;
}

async function sampled(rig: Rig, work: () => Promise<unknown>): Promise<Record<string, Resident>> {
  const samples = new Map<string, number[]>(Object.keys(rig.pids).map((name) => [name, []]));
  const timer = setInterval(() => {
    for (const [name, pid] of Object.entries(rig.pids)) samples.get(name)!.push(residentMiB(pid));
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Object.fromEntries([...samples].map(([name, values]) => [name, summary(values)]));
}

function summary(values: number[]): Resident {
  const third = Math.max(1, Math.floor(values.length / 3));
  const middle = (part: number[]) => part.toSorted((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0;
  return {
    early: middle(values.slice(0, third)),
    late: middle(values.slice(-third)),
    most: Math.max(...values),
  };
}

function residentMiB(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(match?.[1] ?? 0) / 1_024);
}

/** Publishes the backlog faster than it can be worked, and waits until it is. */
async function workBacklog({ pool }: Rig, { natsUrl }: Servers, events: number): Promise<void> {
  const nats = await connectNats(natsUrl, "bench", 10_000);
  const publisher = new BatchPublisher(nats, 30_000);
  const { rows } = await pool.query<{ stored: string }>(
    "SELECT coalesce(sum(stored), 0) AS stored FROM batch_ledger",
  );
  const target = Number(rows[0]!.stored) + events;
  let published = 0;
  for (let seed = 2; published < events; seed++) {
    const left = Math.min(200_000, events - published);
    const batches = batchesOf(shopRows(left, MERCHANTS, seed), { partitions: PARTITIONS, size: BATCH_ROWS });
    for (const { sealed } of batches) {
      await publisher.publish(sealed.partition, formatId(sealed.batchId), sealedBytes(sealed));
    }
    published += left;
  }
  await nats.close();
  for (;;) {
    const { rows: now } = await pool.query<{ stored: string }>(
      "SELECT sum(stored) AS stored FROM batch_ledger",
    );
    if (Number(now[0]!.stored) >= target) return;
    await sleep(500);
  }
}
