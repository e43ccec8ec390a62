import { Registry } from "prom-client";
import { createCollector } from "../collect/collector.ts";
import { importLog } from "../collect/import-log.ts";
import { IngestClient } from "../collect/ingest-client.ts";
import { WriteKeys } from "../collect/keys.ts";
import { NO_LIMITS } from "../collect/limits/limits.ts";
import { sendTraffic } from "../simulate/send.ts";
import type { Traffic } from "../simulate/traffic.ts";
import type { Installation } from "../standalone/installation.ts";
import type { CreatedMerchant } from "../store/merchants.ts";
import type { FreshnessWatch } from "./freshness.ts";
import type { Progress } from "./progress.ts";

/** What became of what was sent. */
export interface Sent {
  readonly sent: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly seconds: number;
}

export interface SendContext {
  readonly installation: Installation;
  readonly watch: FreshnessWatch;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Sends simulated traffic over gRPC, as SDKs would. @param merchants in the order of the traffic's. */
export async function sendSimulated(
  { installation, watch, progress, signal }: SendContext,
  merchants: readonly CreatedMerchant[],
  traffic: Traffic,
  events: number,
): Promise<Sent> {
  progress.begin("sending simulated traffic over gRPC", events);
  const summary = await sendTraffic({
    target: installation.collectorUrl,
    writeKeys: merchants.map(({ writeKey }) => writeKey),
    traffic,
    events,
    rate: 0,
    inFlight: 8,
    signal,
    onRequest({ merchant, events, sentMs, ackedMs }, totals) {
      watch.add({ merchant: merchants[merchant]!, events, sentMs, ackedMs });
      progress.at(totals.accepted + totals.duplicates + totals.rejected);
    },
  });
  progress.end();
  return summary;
}

/** Reads an access log as `cmd/collector --access-log` does. */
export async function sendLog(
  { installation, watch, progress, signal }: SendContext,
  merchant: CreatedMerchant,
  file: string,
  site: string,
): Promise<Sent> {
  const { FOOTFALL_INGEST_ADDRESS: address = "", FOOTFALL_INGEST_TOKEN: token = "" } = installation.env;
  const client = new IngestClient(address, token);
  const collector = createCollector(client, new Registry(), LOG_COLLECTOR);
  const began = performance.now();
  progress.begin(`sending ${file}`, 0);
  try {
    const { lines, ...counts } = await importLog(collector, new WriteKeys(client, 60_000), {
      file,
      key: merchant.writeKey,
      site,
      follow: false,
      signal,
      onFormat: (message) => progress.say(`  ${message}`),
      onRefused: (line, reason) => progress.say(`  line ${line} refused: ${reason}`),
      onChunk: (chunk) => watch.add({ merchant, ...chunk }),
    });
    return { sent: lines, ...counts, seconds: (performance.now() - began) / 1_000 };
  } finally {
    progress.end();
    await collector.close();
    client.close();
  }
}

/** The log's collector: the settings' defaults of cmd/collector. */
const LOG_COLLECTOR = {
  ...NO_LIMITS,
  collectorId: "access-log",
  compression: "zstd",
  maxRows: 8_192,
  maxBytes: 2 << 20,
  maxAgeMs: 20,
  maxPendingBytes: 64 << 20,
  deliverTimeoutMs: 10_000,
  recentEvents: 500_000,
  onLinkState: () => {},
} as const;
