import { randomInt } from "node:crypto";
import type { Life } from "../lifecycle/run-program.ts";
import { type SendSummary, sendTraffic, type Totals } from "./send.ts";
import type { SimulateConfig } from "./settings.ts";
import { historyTraffic, liveTraffic, type Traffic } from "./traffic.ts";

const DAY_MS = 86_400_000;

/** The traffic that a configuration asks for; history ends at `nowMs` (milliseconds since 1970, UTC). */
export function configuredTraffic(config: SimulateConfig, nowMs: number): Traffic {
  const { seed, merchants, batch, rate, events, historyDays } = config;
  if (historyDays === 0) return liveTraffic({ seed, merchants, batch, rate, run: randomInt(2 ** 47) });
  return historyTraffic({
    seed,
    merchants,
    batch,
    // A span of history ends a few visits short; what is sent is cut at exactly the number asked for.
    events: Math.ceil(events * 1.01) + 50,
    fromMs: nowMs - historyDays * DAY_MS,
    toMs: nowMs,
  });
}

/** Where a run of the load client prints. */
export interface Output {
  readonly result: (text: string) => void;
  /** Absent: nobody watches. */
  readonly progress?: (text: string) => void;
}

/**
 * Sends the configured traffic and prints the summary. A signal ends the sending, and what is under way is
 * waited for.
 * @returns the exit code: 1 when an event stayed unanswered, else 0.
 */
export async function simulate(config: SimulateConfig, life: Pick<Life, "stopping">, output: Output) {
  const begin = Date.now();
  let shownMs = begin;
  const summary = await sendTraffic({
    ...config,
    traffic: configuredTraffic(config, begin),
    giveUpMs: config.giveUpSeconds * 1_000,
    signal: life.stopping,
    onRequest: ({ ackedMs }, totals) => {
      if (output.progress === undefined || ackedMs - shownMs < 500) return;
      shownMs = ackedMs;
      output.progress(progressLine(totals, (ackedMs - begin) / 1_000));
    },
  });
  output.result(config.json ? JSON.stringify(summary) : summaryText(summary));
  return summary.unanswered > 0 ? 1 : 0;
}

function progressLine({ sent, accepted, duplicates, rejected, retries }: Totals, seconds: number): string {
  const rate = Math.round((accepted + duplicates + rejected) / seconds);
  return `${sent} sent, ${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected, ${retries} retries, ${rate}/s`;
}

function summaryText(summary: SendSummary): string {
  const { sent, accepted, duplicates, rejected, unanswered, retries, requests, ackLatency } = summary;
  const latency = ackLatency
    ? `ack p50 ${ackLatency.p50Ms.toFixed(1)} ms, p99 ${ackLatency.p99Ms.toFixed(1)} ms, max ${ackLatency.maxMs.toFixed(1)} ms`
    : "no request was answered";
  return [
    `${sent} events in ${requests} requests, ${summary.seconds.toFixed(1)} s: ${Math.round(summary.eventsPerSecond)} events/s`,
    `accepted ${accepted}, duplicates ${duplicates}, rejected ${rejected}, unanswered ${unanswered}; ${retries} retries`,
    latency,
    ...Object.entries(summary.problems).map(([text, count]) => `${count} x ${text}`),
  ].join("\n");
}
