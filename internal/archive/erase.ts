import { eventTime } from "../event/event-time.ts";
import { partitionOf } from "../event/partition.ts";
import { objectName, parseObjectName } from "../lake/object-name.ts";
import type { ObjectStore } from "../lake/object-store.ts";
import type { Table } from "../lake/table.ts";
import {
  archivedPartitions,
  deadLettersToExpire,
  MARGIN_DAYS,
  noteDeleted,
  noteErased,
  type ObjectToErase,
  objectsToDelete,
  objectsToErase,
  replaceObject,
  unknownObjects,
  unreadableObjects,
} from "../store/erasure/archive.ts";
import type { PersonKind } from "../store/erasure/subject.ts";
import { readTombstones, type Tombstones } from "../store/erasure/tombstones.ts";
import { listMerchants } from "../store/merchants.ts";
import type { Pool } from "../store/pool.ts";
import { sha256 } from "./encode.ts";
import { without } from "./without.ts";

/** What is stored of a person's id, by what it is. */
export type PersonHashes = Readonly<Record<PersonKind, (merchantId: number, id: string) => bigint>>;

type Store = Pick<ObjectStore, "get" | "put" | "purge" | "listDeleted">;

export interface EraseOptions {
  readonly pool: Pool;
  readonly store: Store;
  readonly hashes: PersonHashes;
  /** How many partitions the installation has. */
  readonly partitions: number;
  /** Ms since 1970-01-01 UTC. */
  readonly now: number;
}

/** What erasing from the archive has done. */
export interface ErasedArchive {
  /** Objects that were read. */
  readonly objects: number;
  /** Those that held something that was to go, and were replaced. */
  readonly rewritten: number;
  /** Events that are gone with them. */
  readonly removed: number;
  /** Batches that nobody could read, older than every merchant's retention: their bytes are gone. */
  readonly expiredUnreadable: number;
  /** Objects of batches that nobody could read, in partitions with erasures: they are as they were. */
  readonly unreadable: number;
  /** Objects that were deleted before, and of which a bucket that keeps versions still had some. */
  readonly purged: number;
}

/**
 * Takes out of the archive the events of erased persons and merchants, and those that were stored longer ago than their
 * merchant's retention: reads each object that it has not been through since, and replaces those that hold any, in a
 * bucket that keeps versions with all versions of them. An object is read once for each erasure, and once for each
 * different retention of its partition's merchants. A crash repeats the object in hand, and loses none: an old object is
 * deleted only when the ledger names the new one, and is noted until then.
 */
export async function eraseFromArchive(options: EraseOptions): Promise<ErasedArchive> {
  const { pool, store, now } = options;
  const done = { objects: 0, rewritten: 0, removed: 0 };
  const today = dayOf(now);
  const retentions = await retentionsByPartition(options);
  await deleteReplaced(pool, store);
  for (const erased of await archivedPartitions(pool)) {
    const merchants = retentions.get(erased.partition) ?? new Map<number, number>();
    const tombstones = await readTombstones(pool, erased.partition, erased.version);
    for (const object of await objectsToErase(pool, erased, [...new Set(merchants.values())], today)) {
      const rule = { tombstones, merchants, before: Date.parse(today) - MARGIN_DAYS * DAY_MS };
      const removed = await eraseFromObject(options, object, rule);
      done.objects++;
      done.removed += removed;
      if (removed === 0) continue;
      done.rewritten++;
      await deleteReplaced(pool, store);
    }
  }
  const longest = Math.max(0, ...[...retentions.values()].flatMap((days) => [...days.values()]));
  const expiredUnreadable = longest === 0 ? 0 : await emptyDeadLetters(options, longest, today);
  return {
    ...done,
    expiredUnreadable,
    unreadable: await unreadableObjects(pool),
    purged: await purge(options),
  };
}

const DAY_MS = 86_400_000;

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The retention of each merchant, days, by its partition. */
async function retentionsByPartition({ pool, partitions }: EraseOptions) {
  const found = new Map<number, Map<number, number>>();
  for (const { merchantId, retentionDays } of await listMerchants(pool)) {
    const partition = partitionOf(merchantId, partitions);
    found.set(partition, (found.get(partition) ?? new Map()).set(merchantId, retentionDays));
  }
  return found;
}

/** Which rows of an object are to go. */
interface Rule {
  readonly tombstones: Tombstones;
  /** Days by merchant. */
  readonly merchants: ReadonlyMap<number, number>;
  /** A retention is over for what was stored so much before this time, ms. */
  readonly before: number;
}

/** @returns how many events went. */
async function eraseFromObject(
  { pool, store, hashes }: EraseOptions,
  { name, day, days }: ObjectToErase,
  { tombstones, merchants, before }: Rule,
): Promise<number> {
  const storedDay = Date.parse(day);
  const isPast = (merchantId: number) => storedDay + (merchants.get(merchantId) ?? NEVER) * DAY_MS <= before;
  const isErased = (table: Table, row: number) =>
    isPast(table.merchantId[row]!) || covers(tombstones, hashes, table, row);
  const filtered = await without(await store.get(name), isErased);
  const erased = { version: tombstones.version, days };
  if (filtered === undefined) {
    await noteErased(pool, name, erased);
    return 0;
  }
  const { events, batches, rows, removed } = filtered;
  await replace(pool, store, name, { content: events, batches, rows }, erased);
  return removed;
}

/** Days of a merchant that nobody knows: no retention is over. */
const NEVER = Number.POSITIVE_INFINITY;

interface Content {
  readonly content: Uint8Array;
  readonly batches: number;
  readonly rows: number;
}

async function replace(
  pool: Pool,
  store: Store,
  name: string,
  { content, ...counts }: Content,
  erased: { version: number; days: number },
): Promise<void> {
  const digest = await sha256(content);
  const newName = objectName({ ...parseObjectName(name)!, digest: digest.toString("hex").slice(0, 16) });
  await store.put(newName, content);
  const object = { name: newName, ...counts, bytes: content.length, sha256: digest };
  await replaceObject(pool, name, object, erased);
}

/** Nobody knows whose the bytes of an unreadable batch are: they go after the longest retention, and leave an empty object. */
async function emptyDeadLetters(
  { pool, store }: EraseOptions,
  longest: number,
  today: string,
): Promise<number> {
  const names = await deadLettersToExpire(pool, longest, today);
  for (const name of names) {
    const content = { content: new Uint8Array(0), batches: 1, rows: 0 };
    await replace(pool, store, name, content, { version: 0, days: longest });
    await deleteReplaced(pool, store);
  }
  return names.length;
}

/** Removes what is left of objects that were deleted while nobody looked for their versions; none that the ledger has. */
async function purge({ pool, store }: EraseOptions): Promise<number> {
  let purged = 0;
  for (const folder of ["events/", "dead-letter/"]) {
    for await (const names of store.listDeleted(folder)) {
      for (const name of await unknownObjects(pool, names)) {
        await store.purge(name);
        purged++;
      }
    }
  }
  return purged;
}

/** What an archived event names persons by. */
const ID_COLUMNS = { visitor: "visitorId", user: "userId", customer: "orderCustomerId" } as const;

/** The aggregator's own rule, of an event as it came. */
function covers(tombstones: Tombstones, hashes: PersonHashes, table: Table, row: number): boolean {
  const merchantId = table.merchantId[row]!;
  const hashOf = (kind: PersonKind) => {
    const id = table[ID_COLUMNS[kind]][row];
    return id === undefined ? undefined : hashes[kind](merchantId, id);
  };
  const received = table.receivedTime[row]!;
  const time = eventTime(table.clientTime[row]!, table.sentTime[row] ?? 0, received);
  return tombstones.coversEvent(merchantId, hashOf, Math.min(time, received));
}

async function deleteReplaced(pool: Pool, store: Store): Promise<void> {
  for (const name of await objectsToDelete(pool)) {
    await store.purge(name);
    await noteDeleted(pool, name);
  }
}
