import { parseObjectName } from "../lake/object-name.ts";
import { openObject } from "../lake/object-reader.ts";
import { isMissing, type ObjectStore } from "../lake/object-store.ts";
import {
  type ArchiveDays,
  type LedgerObject,
  listObjects,
  type SequenceRange,
  unaccounted,
} from "../store/archive-objects.ts";
import type { Pool } from "../store/pool.ts";
import { sha256 } from "./encode.ts";

/** An object that is not what the ledger says. */
export interface Mismatch {
  readonly name: string;
  /** What differs, with both values. */
  readonly problem: string;
}

export interface Verified {
  /** Whether nothing is wrong. Orphans are no fault. */
  readonly ok: boolean;
  readonly objects: number;
  readonly rows: number;
  readonly bytes: number;
  readonly mismatches: readonly Mismatch[];
  /** Sequences that neither an object nor a recorded gap accounts for, of all days. */
  readonly unaccounted: readonly SequenceRange[];
  /** Objects that the ledger does not know: left by an archiver that died, they do not count. */
  readonly orphans: readonly string[];
}

/** Reads every object of some days again and compares it with the ledger. */
export async function verifyArchive(pool: Pool, store: ObjectStore, days: ArchiveDays): Promise<Verified> {
  const objects = await listObjects(pool, days);
  const mismatches: Mismatch[] = [];
  for (const object of objects) {
    const problem = await verifyObject(store, object);
    if (problem !== undefined) mismatches.push({ name: object.name, problem });
  }
  const missing = await unaccounted(pool);
  return {
    ok: mismatches.length === 0 && missing.length === 0,
    objects: objects.length,
    rows: sum(objects.map(({ rows }) => rows)),
    bytes: sum(objects.map(({ bytes }) => bytes)),
    mismatches,
    unaccounted: missing,
    // Listed last, the ledger read again: what was committed meanwhile is no orphan.
    orphans: await orphans(pool, store, days),
  };
}

async function verifyObject(store: ObjectStore, object: LedgerObject): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await store.get(object.name);
  } catch (error) {
    if (isMissing(error)) return "is missing in the store";
    throw error;
  }
  if (bytes.length !== object.bytes) return `${bytes.length} bytes, the ledger says ${object.bytes}`;
  const digest = await sha256(bytes);
  if (!digest.equals(object.sha256)) {
    return `SHA-256 ${digest.toString("hex")}, the ledger says ${Buffer.from(object.sha256).toString("hex")}`;
  }
  return object.kind === "events" ? await verifyEvents(bytes, object) : undefined;
}

async function verifyEvents(bytes: Uint8Array, expected: LedgerObject): Promise<string | undefined> {
  try {
    const object = await openObject(bytes);
    for (const name of ["partition", "firstSeq", "lastSeq", "rows"] as const) {
      if (object[name] !== expected[name]) {
        return `${name} ${object[name]}, the ledger says ${expected[name]}`;
      }
    }
    return undefined;
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : error}`;
  }
}

async function orphans(pool: Pool, store: ObjectStore, { from, to }: ArchiveDays): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ["events/", "dead-letter/"]) {
    for await (const { name } of store.list(folder)) {
      const day = parseObjectName(name)?.day ?? "";
      if (day >= (from ?? "") && day <= (to ?? "9999")) found.push(name);
    }
  }
  const known = new Set((await listObjects(pool, { from, to })).map(({ name }) => name));
  return found.filter((name) => !known.has(name));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
