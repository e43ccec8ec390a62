import { eventTime } from "../event/event-time.ts";
import { objectName, parseObjectName } from "../lake/object-name.ts";
import type { ObjectStore } from "../lake/object-store.ts";
import type { Table } from "../lake/table.ts";
import {
  noteDeleted,
  noteErased,
  objectsToDelete,
  objectsToErase,
  partitionsToErase,
  replaceObject,
  unreadableObjects,
} from "../store/erasure/archive.ts";
import { readTombstones, type Tombstones } from "../store/erasure/tombstones.ts";
import type { Pool } from "../store/pool.ts";
import { sha256 } from "./encode.ts";
import { without } from "./without.ts";

/** What is stored of a merchant's visitor with an SDK's id. */
export type HashOf = (merchantId: number, visitorId: string) => bigint;

type Store = Pick<ObjectStore, "get" | "put" | "delete">;

/** What erasing from the archive has done. */
export interface ErasedArchive {
  /** Objects that were read. */
  readonly objects: number;
  /** Those that held something of the erased, and were replaced. */
  readonly rewritten: number;
  /** Events that are gone with them. */
  readonly removed: number;
  /** Objects of batches that nobody could read, in partitions with erasures: they are as they were. */
  readonly unreadable: number;
}

/**
 * Takes the events of erased visitors and merchants out of the archive: reads each object of their partitions that
 * it has not been through since, and replaces those that hold any. A crash repeats the object in hand, and loses
 * none: an old object is deleted only when the ledger names the new one, and is noted until then.
 */
export async function eraseFromArchive(pool: Pool, store: Store, hashOf: HashOf): Promise<ErasedArchive> {
  const done = { objects: 0, rewritten: 0, removed: 0 };
  await deleteReplaced(pool, store);
  for (const erased of await partitionsToErase(pool)) {
    const tombstones = await readTombstones(pool, erased.partition, erased.version);
    for (const name of await objectsToErase(pool, erased)) {
      const removed = await eraseFromObject(pool, store, name, { tombstones, hashOf });
      done.objects++;
      done.removed += removed;
      if (removed === 0) continue;
      done.rewritten++;
      await deleteReplaced(pool, store);
    }
  }
  return { ...done, unreadable: await unreadableObjects(pool) };
}

interface Erased {
  readonly tombstones: Tombstones;
  readonly hashOf: HashOf;
}

/** @returns how many events went. */
async function eraseFromObject(
  pool: Pool,
  store: Store,
  name: string,
  { tombstones, hashOf }: Erased,
): Promise<number> {
  const isErased = (table: Table, row: number) => covers(tombstones, hashOf, table, row);
  const filtered = await without(await store.get(name), isErased);
  if (filtered === undefined) {
    await noteErased(pool, name, tombstones.version);
    return 0;
  }
  const { events, batches, rows, removed } = filtered;
  const digest = await sha256(events);
  const newName = objectName({ ...parseObjectName(name)!, digest: digest.toString("hex").slice(0, 16) });
  await store.put(newName, events);
  const object = { name: newName, batches, rows, bytes: events.length, sha256: digest };
  await replaceObject(pool, name, object, tombstones.version);
  return removed;
}

/** The aggregator's own rule, of an event as it came. */
function covers(tombstones: Tombstones, hashOf: HashOf, table: Table, row: number): boolean {
  const merchantId = table.merchantId[row]!;
  const visitor = () => {
    const id = table.visitorId[row];
    return id === undefined ? undefined : hashOf(merchantId, id);
  };
  const received = table.receivedTime[row]!;
  const time = eventTime(table.clientTime[row]!, table.sentTime[row] ?? 0, received);
  return tombstones.coversEvent(merchantId, visitor, Math.min(time, received));
}

async function deleteReplaced(pool: Pool, store: Store): Promise<void> {
  for (const name of await objectsToDelete(pool)) {
    await store.delete(name);
    await noteDeleted(pool, name);
  }
}
