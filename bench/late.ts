import { setTimeout as sleep } from "node:timers/promises";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { temporaryDirectory } from "../internal/embedded/temporary.ts";
import { sendTraffic } from "../internal/simulate/send.ts";
import { liveTraffic, type Traffic } from "../internal/simulate/traffic.ts";
import { convertOld } from "../internal/store/maintenance/columnstore.ts";
import type { Pool } from "../internal/store/pool.ts";
import { type Rig, runAtRate, startLoadRig } from "./lib/load.ts";
import { type Bench, short } from "./lib/result.ts";
import { startServers } from "./lib/servers.ts";

const PARTITIONS = 4;
const MERCHANTS = 50;
const DAY_MS = 86_400_000;

/** Events/s: half a billion a day live, and late ones beside them. */
const LIVE_RATE = 6_000;
const LATE_RATE = 10_000;
/** How old late events are, at random. */
const AGES = { from: DAY_MS, to: 60 * DAY_MS };

/**
 * How soon live events are in reports while late ones arrive, of random ages, into weeks that are in the columnstore:
 * against the same without late events, just before. A history of the same ages is loaded and converted first.
 */
export const late: Bench = async ({ seconds, events, say }) => {
  const count = events ?? (process.env.DATABASE_URL === undefined ? 50_000 : 1_000_000);
  const servers = await startServers(PARTITIONS);
  say(`servers: ${JSON.stringify(servers.versions)}`);
  const folder = await temporaryDirectory("late");
  const rig = await startLoadRig(servers, folder.path, PARTITIONS, MERCHANTS);
  try {
    const history = await sendLate(rig, Math.ceil(count / 4), 0, 1);
    await refreshed(rig.pool);
    await convertOld(rig.pool, Date.now() - DAY_MS);
    say(`history: ${short(history.accepted)} events, converted`);
    const alone = await runAtRate(rig, LIVE_RATE, seconds, 2);
    say(`live alone: in reports p50 ${alone.reportable.p50_ms}, p99 ${alone.reportable.p99_ms} ms`);
    let sent = 0;
    const sending = sendLate(rig, count, LATE_RATE, 3).finally(() => {
      sent = performance.now();
    });
    const beside = await runAtRate(rig, LIVE_RATE, count / LATE_RATE, 4);
    const { eventsPerSecond, accepted } = await sending;
    await refreshed(rig.pool);
    const refreshSeconds = (performance.now() - sent) / 1_000;
    say(
      `beside ${short(accepted)} late events at ${short(eventsPerSecond)}/s: p50 ${beside.reportable.p50_ms}, p99 ${beside.reportable.p99_ms} ms; every aggregate refreshed ${refreshSeconds.toFixed(1)} s after the last`,
    );
    const all = [history.accepted, alone.summary.accepted, accepted, beside.summary.accepted];
    await checkStored(
      rig.pool,
      all.reduce((sum, each) => sum + each, 0),
    );
    return {
      bench: "late",
      figure: beside.reportable.p99_ms,
      unit: "ms (p99, live events in reports)",
      ratio: beside.reportable.p99_ms / alone.reportable.p99_ms,
      against: "the same without late events",
      details: {
        alone: alone.reportable,
        beside: beside.reportable,
        live_rate: beside.summary.eventsPerSecond,
        late_events: accepted,
        late_rate: eventsPerSecond,
        late_refreshed_after_s: refreshSeconds,
        merchants: MERCHANTS,
        partitions: PARTITIONS,
        versions: servers.versions,
      },
    };
  } finally {
    await rig.installation.stop();
    await folder.remove();
    await servers.stop();
  }
};

function sendLate({ installation, merchants }: Rig, events: number, rate: number, seed: number) {
  const live = liveTraffic({ seed, merchants: merchants.length, batch: 500, run: Date.now() });
  return sendTraffic({
    target: installation.collectorUrl,
    writeKeys: merchants.map(({ writeKey }) => writeKey),
    traffic: aged(live),
    events,
    rate,
    inFlight: 32,
  });
}

/** The same traffic, each event of another age. */
function aged(traffic: Traffic): Traffic {
  const nextRequest = (nowMs: number) => {
    const request = traffic.nextRequest(nowMs);
    const age = () => AGES.from + Math.random() * (AGES.to - AGES.from);
    const events = request?.events.map((event) => ({
      ...event,
      clientTime: timestampFromMs(Math.floor(nowMs - age())),
    }));
    return request && { ...request, events: events! };
  };
  return { shops: traffic.shops, nextRequest };
}

/** Waits until no quarter hour is stale. */
async function refreshed(pool: Pool): Promise<void> {
  const stale = "SELECT 1 FROM invalidations WHERE grain = '15m' LIMIT 1";
  while ((await pool.query(stale)).rowCount !== 0) await sleep(100);
}

/** @throws Error unless every accepted event is stored, and in the totals. */
async function checkStored(pool: Pool, accepted: number): Promise<void> {
  const { rows } = await pool.query<{ events: string; totals: string }>(
    "SELECT (SELECT count(*) FROM events) AS events, (SELECT sum(events) FROM totals_15m) AS totals",
  );
  const { events, totals } = rows[0]!;
  if (Number(events) !== accepted || Number(totals) !== accepted)
    throw new Error(`${accepted} events were accepted, ${events} are stored, ${totals} in the totals`);
}
