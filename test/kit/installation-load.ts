import { expect } from "vitest";
import { type RequestRecord, type SendSummary, sendTraffic } from "../../internal/simulate/send.ts";
import type { Traffic } from "../../internal/simulate/traffic.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { bearer, type QueryClient } from "./installation-clients.ts";
import { allDays, dataThroughOf, reportNumbers, waitUntilReported } from "./installation-reports.ts";
import { waitUntilDrained } from "./installation-spool.ts";
import { waitFor } from "./installation-wait.ts";

export interface LoadOptions {
  readonly target: string;
  /** The operators' port of the collector there. */
  readonly targetOps: string;
  readonly client: QueryClient;
  /** By the traffic's merchants. The first one's report is watched. */
  readonly merchants: readonly CreatedMerchant[];
  readonly traffic: Traffic;
  /** Events per second. */
  readonly rate: number;
}

/** Longest wait for a part that died to be back and at work, ms. */
const RECOVERY_MS = 60_000;

/** Traffic that goes on, with retries, until it is told to end. */
export class Load {
  readonly #options: LoadOptions;
  readonly #end = new AbortController();
  readonly #answered: RequestRecord[] = [];
  readonly #sending: Promise<SendSummary>;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#sending = sendTraffic({
      ...options,
      writeKeys: options.merchants.map(({ writeKey }) => writeKey),
      events: 0,
      inFlight: 32,
      giveUpMs: 2 * RECOVERY_MS,
      signal: this.#end.signal,
      onRequest: (record) => void this.#answered.push(record),
    });
  }

  /** Waits until half a second's worth of events that come from now on is answered, and is in the report. */
  async flows(): Promise<void> {
    const { client, merchants, rate, targetOps } = this.#options;
    const goal = count(this.#answered) + rate / 2;
    await waitFor("answers to events", () => count(this.#answered) >= goal, RECOVERY_MS);
    await waitUntilDrained(targetOps, RECOVERY_MS);
    await waitUntilReported(client, merchants[0]!, Date.now(), RECOVERY_MS);
    for (let i = 0; i < 5; i++) await this.#expectDataThroughIsTrue();
  }

  /** No new events; resolves when those under way are answered or given up. */
  end(): Promise<SendSummary> {
    this.#end.abort();
    return this.#sending;
  }

  /** What was acked before data_through is in the report, at any moment at which the spool is empty. */
  async #expectDataThroughIsTrue(): Promise<void> {
    const { client, merchants } = this.#options;
    const report = await client.runReport(allDays(1), bearer(merchants[0]!.readKey));
    const through = dataThroughOf(report)!;
    const acked = this.#answered.filter(({ merchant, ackedMs }) => merchant === 0 && ackedMs < through);
    expect(Number(reportNumbers(report).total.events)).toBeGreaterThanOrEqual(count(acked));
  }
}

function count(requests: readonly RequestRecord[]): number {
  return requests.reduce((sum, { events, unanswered }) => sum + events - unanswered, 0);
}
