import { waitFor } from "./installation-wait.ts";

/** Batches in a collector's spool. @param opsUrl of its operators' port. */
export async function spooledBatches(opsUrl: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  return Number(/^footfall_collector_spool_batches\{.*\} (\d+)$/m.exec(text)![1]);
}

/** Waits until a collector's spool is empty: all that was acked before is on its way to the rows. */
export async function waitUntilDrained(opsUrl: string, timeoutMs = 60_000): Promise<void> {
  await waitFor("an empty spool", async () => (await spooledBatches(opsUrl)) === 0, timeoutMs);
}
