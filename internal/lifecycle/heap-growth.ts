import { setFlagsFromString } from "node:v8";

/** What a heap may grow by before all of it is collected, in percent of what lived after the last time. */
const PERCENT = 200;

/**
 * For programs through which buffers only pass. V8 collects a small heap anew after each 8 MiB of buffers, four times a
 * second in a busy ingest, which took half of its CPU and 10 to 20 ms of its acks each time. Now at three times of what
 * lives, or after 64 MiB of buffers, which V8 counts apart. Call it at the start; not where much lives.
 */
export function letHeapGrow(): void {
  // V8 reads this flag at the end of each collection, so that it may be set while it runs.
  setFlagsFromString(`--heap-growing-percent=${PERCENT}`);
}
