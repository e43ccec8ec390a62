import type { Batcher } from "../batcher.ts";
import type { Ticket } from "../ticket.ts";
import { PARTITIONS } from "./fake-ingest.ts";

/** Adds an event of which only the name and the merchant matter. @returns the ticket of its batch. */
export function addEvent(batcher: Batcher, name: string, merchantId = 1): Ticket {
  const openBatch = batcher.openBatch(merchantId, PARTITIONS);
  const { builder, ticket } = openBatch;
  builder.texts.name[builder.rows] = builder.dictionary.add(name);
  builder.setTimes(1, 1, 0);
  batcher.commit(openBatch, merchantId);
  return ticket;
}
