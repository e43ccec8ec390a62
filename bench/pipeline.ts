import { temporaryDirectory } from "../internal/embedded/temporary.ts";
import { cpuSeconds, perMillion } from "./lib/cpu.ts";
import { type Rig, runAtRate, startLoadRig } from "./lib/load.ts";
import { type Bench, short } from "./lib/result.ts";
import { startServers } from "./lib/servers.ts";

const PARTITIONS = 4;
const MERCHANTS = 50;

/** Rates that are tried in turn, events/s: a billion a day is the second, five billion the last. */
const RATES = [6_000, 12_000, 18_000, 24_000, 36_000, 58_000];

/** A rate is held when this much of it was sent and all of it was fresh, ms at the 99th percentile. */
const HELD_SHARE = 0.97;
const FRESH_MS = 5_000;

/** A billion events a day, spread evenly. */
const BILLION_A_DAY = 1e9 / 86_400;

/**
 * From SDK to reportable: the highest rate that is held. Reports count what is committed and not refreshed yet
 * from the rows, so that "reportable" is the commit; how soon the continuous aggregates have it is told beside.
 * The load comes from this process, on the same machine.
 */
export const pipeline: Bench = async ({ seconds, say }) => {
  const servers = await startServers(PARTITIONS);
  say(`servers: ${JSON.stringify(servers.versions)}`);
  const folder = await temporaryDirectory("pipeline");
  const rig = await startLoadRig(servers, folder.path, PARTITIONS, MERCHANTS);
  try {
    const steps: Awaited<ReturnType<typeof step>>[] = [];
    for (const [index, rate] of RATES.entries()) {
      const found = await step(rig, rate, seconds, index + 1);
      say(
        `${short(rate)}/s asked: ${short(found.sent_rate)}/s sent, in reports p99 ${found.reportable.p99_ms} ms, in aggregates p99 ${found.refreshed.p99_ms} ms, ${found.held ? "held" : "not held"}; CPU s per million ${JSON.stringify(found.cpu_seconds_per_million)}`,
      );
      steps.push(found);
      if (!found.held) break;
    }
    const best = steps.filter(({ held }) => held).at(-1);
    const figure = best?.sent_rate ?? 0;
    return {
      bench: "pipeline",
      figure,
      unit: "events/s",
      ratio: figure / BILLION_A_DAY,
      against: "a billion events a day, spread evenly",
      details: {
        p99_ms: best?.reportable.p99_ms,
        refreshed_p99_ms: best?.refreshed.p99_ms,
        merchants: MERCHANTS,
        partitions: PARTITIONS,
        steps,
        versions: servers.versions,
      },
    };
  } finally {
    await rig.installation.stop();
    await folder.remove();
    await servers.stop();
  }
};

async function step(rig: Rig, rate: number, seconds: number, seed: number) {
  const all = { ...rig.pids, client: process.pid };
  const before = cpuSeconds(all);
  const { summary, reportable, refreshed } = await runAtRate(rig, rate, seconds, seed);
  const cpu_seconds_per_million = perMillion(before, cpuSeconds(all), summary.sent);
  const sent_rate = summary.eventsPerSecond;
  const complete = summary.accepted + summary.duplicates === summary.sent;
  const held = complete && sent_rate >= HELD_SHARE * rate && reportable.p99_ms <= FRESH_MS;
  return {
    rate,
    sent_rate,
    held,
    reportable,
    refreshed,
    ack_p99_ms: summary.ackLatency?.p99Ms,
    cpu_seconds_per_million,
  };
}
