import type { EventColumns } from "../event-columns.ts";
import type { Client, Pool } from "../pool.ts";
import type { PersonKind } from "./subject.ts";

interface ErasedHash {
  /** High word, unsigned. */
  readonly high: number;
  /** Ms since 1970-01-01 UTC. */
  readonly through: number;
}

/** Erased persons of one kind. */
class ErasedPersons {
  /** By merchant, then by the low word of the person's hash. */
  readonly #merchants = new Map<number, Map<number, ErasedHash[]>>();

  add(merchantId: number, hash: bigint, through: number): void {
    const words = BigInt.asUintN(64, hash);
    const low = Number(words & 0xffff_ffffn);
    const hashes = this.#merchants.get(merchantId) ?? new Map<number, ErasedHash[]>();
    this.#merchants.set(merchantId, hashes);
    hashes.set(low, [...(hashes.get(low) ?? []), { high: Number(words >> 32n), through }]);
  }

  /** Whether a merchant has any. */
  has(merchantId: number): boolean {
    return this.#merchants.has(merchantId);
  }

  /** @param words low and high word of hashes, a pair each. @param at the pair's place. */
  covers(merchantId: number, words: Uint32Array, at: number, earliest: number): boolean {
    const erased = this.#merchants.get(merchantId)?.get(words[2 * at]!);
    return erased?.some(({ high, through }) => high === words[2 * at + 1] && earliest <= through) ?? false;
  }
}

/** Who is erased in a partition. */
export class Tombstones {
  /** The partition's erasure_version that this is known up to. */
  version = 0;
  readonly #merchants = new Set<number>();
  /** Merchants of which somebody is erased. */
  readonly #concerned = new Set<number>();
  readonly #persons: Readonly<Record<PersonKind, ErasedPersons>> = {
    visitor: new ErasedPersons(),
    user: new ErasedPersons(),
    customer: new ErasedPersons(),
  };

  addMerchant(merchantId: number): void {
    this.#merchants.add(merchantId);
    this.#concerned.add(merchantId);
  }

  /** @param hash signed or not. @param through ms since 1970-01-01 UTC. */
  addPerson(kind: PersonKind, merchantId: number, hash: bigint, through: number): void {
    this.#persons[kind].add(merchantId, hash, through);
    this.#concerned.add(merchantId);
  }

  /** The rows whose events must not be stored: of a person, those that happened or were received before the erasure. */
  *rowsOf({
    rows,
    merchantIds,
    visitors,
    users,
    orders,
    time,
    receivedTime,
  }: EventColumns): Generator<number> {
    const { visitor, user, customer } = this.#persons;
    const customers = orders?.customers;
    let order = 0;
    for (let row = 0; row < rows; row++) {
      const merchantId = merchantIds[row]!;
      if (!this.#concerned.has(merchantId)) continue;
      const earliest = Math.min(time.get(row), receivedTime.get(row));
      while (orders !== undefined && order < orders.row.length && orders.row[order]! < row) order++;
      const hasOrder = orders?.row[order] === row;
      if (
        this.#merchants.has(merchantId) ||
        visitor.covers(merchantId, visitors, row, earliest) ||
        (users !== undefined && user.covers(merchantId, users, row, earliest)) ||
        (hasOrder && customers !== undefined && customer.covers(merchantId, customers, order, earliest))
      )
        yield row;
    }
  }

  /**
   * The same of a single event.
   * @param hashOf is asked only for kinds of which the merchant has erased somebody; undefined for an event that names none.
   * @param earliest when it happened or was received, whichever is earlier; ms since 1970-01-01 UTC.
   */
  coversEvent(
    merchantId: number,
    hashOf: (kind: PersonKind) => bigint | undefined,
    earliest: number,
  ): boolean {
    if (this.#merchants.has(merchantId)) return true;
    return Object.entries(this.#persons).some(([kind, persons]) => {
      const hash = persons.has(merchantId) ? hashOf(kind as PersonKind) : undefined;
      if (hash === undefined) return false;
      const words = BigInt.asUintN(64, hash);
      const pair = new Uint32Array([Number(words & 0xffff_ffffn), Number(words >> 32n)]);
      return persons.covers(merchantId, pair, 0, earliest);
    });
  }
}

/** What was read before, by pool and partition: it is read again only when the partition's version is another. */
const known = new WeakMap<Pool, Map<number, Tombstones>>();

interface TombstoneRow {
  readonly merchant_id: number;
  readonly kind: PersonKind | null;
  readonly hash: string | null;
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
    `SELECT merchant_id, person_kind AS kind, person_hash AS hash, (extract(epoch FROM erased_through) * 1000)::float8 AS through
     FROM erasures WHERE partition_id = $1 AND version > $2`,
    [partition, tombstones.version],
  );
  for (const { merchant_id, kind, hash, through } of rows) {
    if (kind === null) tombstones.addMerchant(merchant_id);
    else tombstones.addPerson(kind, merchant_id, BigInt(hash!), through);
  }
  tombstones.version = version;
}

/**
 * Marks the rows of erased persons and merchants, so that they are not written.
 * @returns how many there are.
 */
export function markErased(
  tombstones: Tombstones | undefined,
  { columns, duplicates }: { readonly columns: EventColumns; readonly duplicates: Uint8Array },
): number {
  if (tombstones === undefined) return 0;
  let erased = 0;
  for (const row of tombstones.rowsOf(columns)) {
    duplicates[row] = 1;
    erased++;
  }
  return erased;
}
