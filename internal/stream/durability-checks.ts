import { MAX_HEADER_BYTES } from "./refusal-headers.ts";
import type { ServerFacts } from "./server-facts.ts";
import type { StreamLimits } from "./stream-settings.ts";

/** Single checks of what keeps acked batches; each returns what is wrong, as a person reads it. */

/** Replicas from which on the loss of any one server loses nothing. */
const SAFE_REPLICAS = 3;

export function checkLimits({ replicas, maxBytes }: StreamLimits): string[] {
  const problems: string[] = [];
  if (replicas < SAFE_REPLICAS) {
    problems.push(
      `FOOTFALL_STREAM_REPLICAS is ${replicas}: the loss of one server would lose acked batches, ${SAFE_REPLICAS} are needed`,
    );
  }
  if (maxBytes === 0) {
    problems.push(
      "FOOTFALL_STREAM_MAX_BYTES is 0: one partition's stream could fill the servers' disks and stop all others",
    );
  }
  return problems;
}

export function checkPayload(server: string, maxPayload: number, maxBatchBytes: number): string[] {
  const needed = maxBatchBytes + MAX_HEADER_BYTES;
  if (maxPayload >= needed) return [];
  return [
    `${server}: max_payload is ${maxPayload} bytes, batches of FOOTFALL_INGEST_MAX_BATCH_BYTES=${maxBatchBytes} with headers need ${needed}`,
  ];
}

export function checkSync({ name, version, syncAlways, syncIntervalMs }: ServerFacts): string[] {
  if (syncAlways) return [];
  const is =
    syncIntervalMs === undefined
      ? "not known: it can be `always` from 2.10 on"
      : `${syncIntervalMs / 1_000} s`;
  return [
    `${name} (${version}): sync_interval is ${is}, \`always\` is needed: without it a loss of power loses acked batches`,
  ];
}

/** Jepsen's analysis of NATS 2.12.1 has a note on it: 2.10.22 lost streams when a process crashed. */
export function checkVersion({ name, version }: ServerFacts): string[] {
  const [major, minor, patch] = version.split(/[.-]/).map(Number);
  if (major !== 2 || minor !== 10 || patch! >= 23) return [];
  return [
    `${name}: version ${version} can lose a stream when its process crashes, 2.10.23 is the first that does not`,
  ];
}
