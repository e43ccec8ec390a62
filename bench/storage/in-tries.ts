import { setTimeout as sleep } from "node:timers/promises";
import { hasSqlState } from "../../internal/store/pool.ts";
import { isTemporary } from "../../internal/store/temporary.ts";

const TRIES = 5;
const PAUSE_MS = 200;

/** PostgreSQL's internal error: two statements met in the catalogue ("tuple concurrently updated"). */
const INTERNAL = "XX000";

/** Does work that leaves nothing behind when it fails; again where only the moment was wrong, as the aggregator would. */
export async function inTries<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      const isMoment =
        isTemporary(error) || (hasSqlState(error, INTERNAL) && /concurrent/.test(String(error)));
      if (tried === TRIES || !isMoment) throw error;
      await sleep(PAUSE_MS * tried);
    }
  }
}
