import type { Batcher } from "../batcher.ts";
import type { Receipt } from "../receipt.ts";
import { PARTITIONS } from "./fake-ingest.ts";

/** Adds an event of which only the name and the merchant matter. @returns the receipt of its batch. */
export function addEvent(batcher: Batcher, name: string, merchantId = 1): Receipt {
  const openBatch = batcher.openBatch(merchantId, PARTITIONS);
  const { builder, receipt } = openBatch;
  builder.texts.name[builder.rows] = builder.dictionary.add(name);
  builder.setTimes(1, 1, 0);
  batcher.commit(openBatch, merchantId);
  return receipt;
}
