import type { EventColumns } from "../event-columns.ts";
import type { Client, Pool } from "../pool.ts";

interface ErasedVisitor {
  /** High word of the visitor's hash, unsigned. */
  readonly high: number;
  /** Ms since 1970-01-01 UTC. */
  readonly through: number;
}

/** Who is erased in a partition. */
export class Tombstones {
  /** The partition's erasure_version that this is known up to. */
  version = 0;
  readonly #merchants = new Set<number>();
  /** By merchant, then by the low word of the visitor's hash. */
  readonly #visitors = new Map<number, Map<number, ErasedVisitor[]>>();

  addMerchant(merchantId: number): void {
    this.#merchants.add(merchantId);
  }

  /** @param visitorId the hash, signed or not. @param through ms since 1970-01-01 UTC. */
  addVisitor(merchantId: number, visitorId: bigint, through: number): void {
    const words = BigInt.asUintN(64, visitorId);
    const low = Number(words & 0xffff_ffffn);
    const visitors = this.#visitors.get(merchantId) ?? new Map<number, ErasedVisitor[]>();
    this.#visitors.set(merchantId, visitors);
    visitors.set(low, [...(visitors.get(low) ?? []), { high: Number(words >> 32n), through }]);
  }

  /** Whether a row's event must not be stored: of a visitor, one that happened or was received before the erasure. */
  covers({ merchantIds, visitors, time, receivedTime }: EventColumns, row: number): boolean {
    const merchantId = merchantIds[row]!;
    if (this.#merchants.has(merchantId)) return true;
    const erased = this.#visitors.get(merchantId)?.get(visitors[2 * row]!);
    if (erased === undefined) return false;
    const earliest = Math.min(time.get(row), receivedTime.get(row));
    return erased.some(({ high, through }) => high === visitors[2 * row + 1] && earliest <= through);
  }

  /**
   * The same of a single event.
   * @param visitorId is asked only where the merchant has erased visitors; undefined for an event without one.
   * @param earliest when it happened or was received, whichever is earlier; ms since 1970-01-01 UTC.
   */
  coversEvent(merchantId: number, visitorId: () => bigint | undefined, earliest: number): boolean {
    if (this.#merchants.has(merchantId)) return true;
    const ofMerchant = this.#visitors.get(merchantId);
    const visitor = ofMerchant && visitorId();
    if (visitor === undefined) return false;
    const words = BigInt.asUintN(64, visitor);
    const erased = ofMerchant?.get(Number(words & 0xffff_ffffn));
    return erased?.some(({ high, through }) => high === Number(words >> 32n) && earliest <= through) ?? false;
  }
}

/** What was read before, by pool and partition: it is read again only when the partition's version is another. */
const known = new WeakMap<Pool, Map<number, Tombstones>>();

interface TombstoneRow {
  readonly merchant_id: number;
  readonly visitor_id: string | null;
  readonly through: number;
}

/**
 * Who is erased in a partition, as of a version of it.
 * @param client in the transaction that has locked the partition's row and read the version there.
 * @returns undefined when nobody is.
 */
export async function tombstonesOf(
  pool: Pool,
  client: Client,
  partition: number,
  version: number,
): Promise<Tombstones | undefined> {
  const partitions = known.get(pool) ?? new Map<number, Tombstones>();
  known.set(pool, partitions);
  if (version === 0) {
    partitions.delete(partition);
    return undefined;
  }
  let tombstones = partitions.get(partition);
  if (tombstones?.version === version) return tombstones;
  // A version that went back is that of a restored database.
  if (tombstones === undefined || tombstones.version > version) tombstones = new Tombstones();
  await readInto(tombstones, client, partition, version);
  partitions.set(partition, tombstones);
  return tombstones;
}

/** Everybody who is erased in a partition, as of a version that was read before. */
export async function readTombstones(pool: Pool, partition: number, version: number): Promise<Tombstones> {
  const tombstones = new Tombstones();
  await readInto(tombstones, pool, partition, version);
  return tombstones;
}

async function readInto(
  tombstones: Tombstones,
  client: Pick<Pool, "query">,
  partition: number,
  version: number,
): Promise<void> {
  const { rows } = await client.query<TombstoneRow>(
    `SELECT merchant_id, visitor_id, (extract(epoch FROM erased_through) * 1000)::float8 AS through
     FROM erasures WHERE partition_id = $1 AND version > $2`,
    [partition, tombstones.version],
  );
  for (const { merchant_id, visitor_id, through } of rows) {
    if (visitor_id === null) tombstones.addMerchant(merchant_id);
    else tombstones.addVisitor(merchant_id, BigInt(visitor_id), through);
  }
  tombstones.version = version;
}

/**
 * Marks the rows of erased visitors and merchants, so that they are not written.
 * @returns how many there are.
 */
export function markErased(
  tombstones: Tombstones | undefined,
  { columns, duplicates }: { readonly columns: EventColumns; readonly duplicates: Uint8Array },
): number {
  if (tombstones === undefined) return 0;
  let erased = 0;
  for (let row = 0; row < columns.rows; row++) {
    if (!tombstones.covers(columns, row)) continue;
    duplicates[row] = 1;
    erased++;
  }
  return erased;
}
