import { jetstreamManager } from "@nats-io/jetstream";
import { ConfigError } from "../config/config-error.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { NatsConnection } from "./connect.ts";
import { checkLimits, checkPayload, checkSync, checkVersion } from "./durability-checks.ts";
import { readServer, type ServerFacts } from "./server-facts.ts";
import { promisedStreams, type StreamLimits } from "./stream-settings.ts";
import { streamInfo } from "./streams.ts";

export interface DurabilityPromise {
  readonly partitions: number;
  readonly limits: StreamLimits;
  /** Largest batch that is to be taken, bytes. */
  readonly maxBatchBytes: number;
  /** Monitoring addresses of the NATS servers; none: what only they tell is not checked. */
  readonly monitorUrls: readonly string[];
}

export interface DurabilityReport {
  /** Settings of ours that promise less than the strict mode does: a choice, where it is relaxed. */
  readonly choices: readonly string[];
  /** Ways in which an acked batch could be lost, or a promised one not be taken. */
  readonly violations: readonly string[];
  /** What could not be seen, and need not be wrong. */
  readonly warnings: readonly string[];
}

/**
 * Checks whether the NATS servers can keep what is promised: an acked batch survives the loss of any one server
 * and of power at all of them, and every batch within the limits finds room. Changes nothing.
 */
export async function checkDurability(
  nc: NatsConnection,
  promise: DurabilityPromise,
): Promise<DurabilityReport> {
  const { limits, monitorUrls, maxBatchBytes } = promise;
  const answers = await Promise.all(monitorUrls.map(ask));
  const servers = answers.flatMap(({ facts }) => facts ?? []);
  const silent = answers.flatMap(({ problem }) => problem ?? []);
  // One that is down must not keep the others from working; when most are silent, nothing is known.
  const blind = servers.length === 0 || silent.length >= servers.length;
  const violations = [
    ...checkPayload("the NATS server", nc.info!.max_payload, maxBatchBytes),
    ...servers.flatMap((server) => checkPayload(server.name, server.maxPayload, maxBatchBytes)),
    ...servers.flatMap(checkSync),
    ...servers.flatMap(checkVersion),
    ...(servers.length > 0 && silent.length === 0 ? await checkStorage(nc, promise, servers) : []),
    ...(blind ? silent : []),
  ];
  const choices = [...checkLimits(limits), ...(monitorUrls.length === 0 ? [NO_MONITOR] : [])];
  return { choices, violations: [...new Set(violations)], warnings: blind ? [] : silent };
}

/**
 * Acts on a report: strict refuses to go on with a violation, relaxed warns of it.
 * @throws ConfigError with all violations.
 */
export function requireDurability(
  mode: "strict" | "relaxed",
  { choices, violations, warnings }: DurabilityReport,
  log: Pick<Logger, "warn">,
): void {
  for (const warning of warnings) log.warn({ warning }, "a NATS server could not be checked");
  if (mode === "relaxed") {
    for (const violation of violations) log.warn({ violation }, "acked batches are not safe");
    return;
  }
  const found = [...choices, ...violations];
  if (found.length === 0) return;
  throw new ConfigError(
    ["FOOTFALL_STREAM_DURABILITY is strict, and that is not what was found:", ...found].join("\n"),
  );
}

const NO_MONITOR =
  "FOOTFALL_NATS_MONITOR_URL is not set: only the servers' monitoring endpoints tell sync_interval and storage";

async function ask(url: string): Promise<{ facts?: ServerFacts; problem?: string }> {
  try {
    return { facts: await readServer(url) };
  } catch (error) {
    return { problem: `${url}: ${error instanceof Error ? error.message : error}` };
  }
}

const GIB = 2 ** 30;
const gib = (bytes: number) => `${(bytes / GIB).toFixed(2)} GiB`;

/** Whether the servers have room for all streams filled to their limits, beside what others store there. */
async function checkStorage(
  nc: NatsConnection,
  { partitions, limits }: DurabilityPromise,
  servers: readonly ServerFacts[],
): Promise<string[]> {
  if (limits.maxBytes === 0) return [];
  const streams = promisedStreams(partitions, limits).map(({ name }) => name);
  const needed = streams.length * limits.maxBytes * limits.replicas;
  const all = sum(servers.map(({ maxStorage }) => maxStorage));
  const used = sum(servers.map(({ usedStorage }) => usedStorage));
  const others = Math.max(0, used - (await storedBy(nc, streams)) * limits.replicas);
  if (needed <= all - others) return [];
  const what = `${streams.length} streams of FOOTFALL_STREAM_MAX_BYTES=${limits.maxBytes} with ${limits.replicas} replicas`;
  return [
    `storage: ${what} need ${gib(needed)}, the servers' max_file_store is ${gib(all)} in all, of which others use ${gib(others)}`,
  ];
}

/** Bytes that the streams hold, one replica of each. */
async function storedBy(nc: NatsConnection, names: readonly string[]): Promise<number> {
  const jsm = await jetstreamManager(nc, { timeout: 10_000 });
  let bytes = 0;
  for (const name of names) bytes += (await streamInfo(jsm, name))?.state.bytes ?? 0;
  return bytes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
