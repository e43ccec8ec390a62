import { type Drained, Drainer } from "./aggregate/drain.ts";
import { type RawCopy, rawCopy } from "./aggregate/raw-copy.ts";
import { batchesOf } from "./lib/batches.ts";
import { type Bench, short } from "./lib/result.ts";
import { startServers } from "./lib/servers.ts";
import { shopRows } from "./lib/shop-events.ts";

const PARTITIONS = 4;
const BATCH_ROWS = 4_000;
const ROUND_ROWS = 500_000;
const ROUND_SECONDS = 20;

interface Round {
  readonly raw: RawCopy;
  readonly drained: Drained;
}

/**
 * From a JetStream backlog to committed rows, ledger and event keys on, by cmd/aggregator as it is; against
 * raw COPY BINARY of the same rows into the same tables (events and items, without ledger, keys and
 * aggregates) over one connection. In rounds of both, because the machine's speed drifts; the first round, in
 * which code is compiled and files of the database's log are made, is not counted.
 */
export const aggregate: Bench = async ({ seconds, say }) => {
  const servers = await startServers(PARTITIONS);
  say(`servers: ${JSON.stringify(servers.versions)}`);
  try {
    const drainer = await Drainer.start(servers, PARTITIONS);
    const rounds: Round[] = [];
    try {
      const count = 1 + Math.max(1, Math.round(seconds / ROUND_SECONDS));
      for (let seed = 1; seed <= count; seed++) {
        const batches = batchesOf(shopRows(ROUND_ROWS, 1_000, seed), {
          partitions: PARTITIONS,
          size: BATCH_ROWS,
        });
        const raw = await rawCopy(servers.pool, batches);
        const drained = await drainer.drain(batches);
        say(`${seed === 1 ? "warm-up: " : ""}${described(raw, drained)}`);
        if (seed > 1) rounds.push({ raw, drained });
      }
    } finally {
      await drainer.stop();
    }
    return result(rounds, servers.versions);
  } finally {
    await servers.stop();
  }
};

function described(raw: RawCopy, drained: Drained): string {
  return [
    `raw COPY ${short(rateOf([raw]))} rows/s, ${raw.cpu} CPU s a million`,
    `aggregator ${short(rateOf([drained]))} rows/s, ${JSON.stringify(drained.cpu)}, refresh done ${drained.refreshMs.toFixed(0)} ms later`,
  ].join("; ");
}

function result(rounds: readonly Round[], versions: Readonly<Record<string, string>>) {
  const raw = rateOf(rounds.map((round) => round.raw));
  const figure = rateOf(rounds.map(({ drained }) => drained));
  return {
    bench: "aggregate",
    figure,
    unit: "rows/s",
    ratio: figure / raw,
    against: "raw COPY BINARY of the same rows over one connection",
    details: {
      round_rows: ROUND_ROWS,
      partitions: PARTITIONS,
      batch_rows: BATCH_ROWS,
      raw,
      rounds,
      versions,
    },
  };
}

/** Rows a second over several spans of time. */
function rateOf(spans: readonly { readonly rows: number; readonly seconds: number }[]): number {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return sum(spans.map(({ rows }) => rows)) / sum(spans.map(({ seconds }) => seconds));
}
