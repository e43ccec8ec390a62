import { setTimeout as sleep } from "node:timers/promises";
import { isTemporary } from "../../internal/store/temporary.ts";

const TRIES = 5;
const PAUSE_MS = 200;

/** Does work that leaves nothing behind when it fails, again where only the moment was wrong, as the aggregator would: a deadlock. */
export async function inTries<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (tried === TRIES || !isTemporary(error)) throw error;
      await sleep(PAUSE_MS * tried);
    }
  }
}
