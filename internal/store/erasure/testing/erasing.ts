import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import type { EventRow } from "../../../../test/kit/columns.ts";
import { openTestDatabase, type TestDatabase } from "../../../../test/kit/database.ts";
import { verifyAggregates } from "../../maintenance/verify.ts";
import { createMerchant } from "../../merchants.ts";
import type { Pool } from "../../pool.ts";
import { beginErasure } from "../begin.ts";
import type { Receipt } from "../receipt.ts";
import { runErasure } from "../run.ts";
import type { Person } from "../subject.ts";
import { DAY, idsOf, storedIds, storedTotals, totalsOf } from "./shops.ts";

export const ALL = { from: Date.UTC(2020, 0, 1), to: Date.UTC(2030, 0, 1) };
export const OPTIONS = { refreshWaitMs: 0, streamMaxAgeMs: 7 * DAY };
const SHOP = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 760 };

/** A database for a test file, with two merchants and nothing else at the start of each test. */
export class Erasing {
  #database: TestDatabase | undefined;
  /** Of the two merchants. */
  writeKeys: string[] = [];

  constructor() {
    beforeAll(async () => {
      this.#database = await openTestDatabase(1);
    });
    afterAll(() => this.#database?.close());
    beforeEach(() => this.#empty());
  }

  get pool(): Pool {
    return this.#database!.pool;
  }

  get url(): string {
    return this.#database!.url;
  }

  async query<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.pool.query(sql, values)).rows as T[];
  }

  /** Begins an erasure and runs it to its end. @param who a visitor's hash, or a person; undefined: the merchant. */
  async erase(merchantId: number, who?: bigint | Person): Promise<Receipt> {
    const person: Person | undefined = typeof who === "bigint" ? { kind: "visitor", hash: who } : who;
    const erasure = await beginErasure(this.pool, { merchantId, person }, 0);
    return runErasure(this.pool, erasure, OPTIONS);
  }

  /** Rows, items, claimed orders and aggregates are those of a list, counted there. */
  async expectExactly(list: readonly EventRow[]): Promise<void> {
    expect(await storedIds(this.pool)).toEqual(idsOf(list));
    expect(await storedTotals(this.pool)).toEqual(totalsOf(list));
    expect(await verifyAggregates(this.pool, ALL)).toEqual([]);
  }

  async #empty(): Promise<void> {
    await this.pool.query(`TRUNCATE events, items, event_keys, distant_keys, order_keys, refund_keys, visitor_sessions, visitors, batch_ledger,
      invalidations, erasures, erasure_removals, goals, merchants, api_keys RESTART IDENTITY`);
    await this.pool.query("UPDATE partitions SET erasure_version = 0");
    await this.pool.query("CALL refresh_continuous_aggregate('totals_15m', NULL, NULL)");
    const merchants = [await createMerchant(this.pool, SHOP), await createMerchant(this.pool, SHOP)];
    this.writeKeys = merchants.map(({ writeKey }) => writeKey);
  }
}

export const isOf = (merchant: number, visitor: bigint) => (row: EventRow) =>
  row.merchant_id === merchant && row.visitor_id === visitor;
