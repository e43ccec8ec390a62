import { setTimeout as sleep } from "node:timers/promises";
import { streamEnd } from "../../internal/stream/streams.ts";
import type { AckLedger } from "./ack-ledger.ts";
import { compareRows } from "./compare.ts";
import type { Problem } from "./problem.ts";
import { readPositions, readRows } from "./stored.ts";
import type { System } from "./system.ts";
import { partsOfKind } from "./topology.ts";

const POLL_MS = 100;

/**
 * Waits until the collectors have drained their spools, and then the aggregators have worked all streams off.
 * @returns what did not get there within `timeoutMs`.
 */
export async function workedOff(system: System, timeoutMs: number): Promise<Problem[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const behind = await leftOver(system).catch((error: Error) => [error.message]);
    if (behind.length === 0) return [];
    if (performance.now() > deadline) return behind.map((message) => ({ kind: "stuck", message }));
    await sleep(POLL_MS);
  }
}

async function leftOver(system: System): Promise<string[]> {
  const spools = await Promise.all(
    partsOfKind("collector").map(async (part) => {
      const batches = await system.spooled(part);
      return batches === 0 ? [] : `${part} has ${batches} batches in its spool`;
    }),
  );
  const left = spools.flat();
  return left.length > 0 ? left : partitionsBehind(system);
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
