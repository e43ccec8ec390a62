import { setTimeout as sleep } from "node:timers/promises";
import { Backoff } from "../../lifecycle/backoff.ts";
import { type Client, hasSqlState, type Pool, transaction } from "../pool.ts";
import { isTemporary } from "../temporary.ts";

const TRIES = 12;
const BACKOFF = { firstMs: 50, longestMs: 5_000 };

/** PostgreSQL's internal error: two statements met in a batch of the columnstore ("tuple concurrently deleted"). */
const INTERNAL = "XX000";

/** Runs a step in a transaction, and again where only the moment was wrong: another's lock, a restart. */
export async function patiently<T>(pool: Pool, step: (client: Client) => Promise<T>): Promise<T> {
  const backoff = new Backoff(BACKOFF);
  for (let tried = 1; ; tried++) {
    try {
      return await transaction(pool, step);
    } catch (error) {
      const isMoment =
        isTemporary(error) || (hasSqlState(error, INTERNAL) && /concurrent/.test(String(error)));
      if (!isMoment || tried === TRIES) throw error;
      await sleep(backoff.next());
    }
  }
}
