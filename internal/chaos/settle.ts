import { setTimeout as sleep } from "node:timers/promises";
import { streamEnd } from "../stream/streams.ts";
import type { AckLedger } from "./ack-ledger.ts";
import { compareRows } from "./compare.ts";
import type { Problem } from "./problem.ts";
import { readPositions, readRows } from "./stored.ts";
import type { System } from "./system.ts";

const POLL_MS = 100;

/**
 * Waits until the aggregators have worked all streams off.
 * @returns the partitions that did not get there within `timeoutMs`.
 */
export async function workedOff(system: System, timeoutMs: number): Promise<Problem[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const behind = await partitionsBehind(system).catch((error: Error) => [error.message]);
    if (behind.length === 0) return [];
    if (performance.now() > deadline) return behind.map((message) => ({ kind: "stuck", message }));
    await sleep(POLL_MS);
  }
}

async function partitionsBehind({ pool, nats }: System): Promise<string[]> {
  const positions = await readPositions(pool);
  const ends = await Promise.all(positions.map((_, partition) => streamEnd(nats, partition)));
  return ends.flatMap(({ lastSeq }, partition) => {
    if (positions[partition] === lastSeq) return [];
    return `partition ${partition} is committed up to ${positions[partition]}, its stream ends at ${lastSeq}`;
  });
}

/** Compares merchants' rows with the ledger; what seems lost may still be on its way for `timeoutMs`. */
export async function compareStored(
  { pool }: System,
  ledger: AckLedger,
  merchantIds: readonly number[],
  timeoutMs: number,
): Promise<Problem[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const problems = compareRows(ledger, merchantIds, await readRows(pool, merchantIds));
    if (!problems.some(({ kind }) => kind === "lost") || performance.now() > deadline) return problems;
    await sleep(POLL_MS);
  }
}
