/** A value that a row may not have. */
type Optional<T> = (T | undefined)[];

/**
 * Archived events as columns, one value a row: what the batch was, then what the event is. Rows of a batch
 * stand together, in their order. Times are ms since 1970-01-01 UTC, amounts micros, ids 16 bytes.
 */
export interface Table {
  readonly batchId: Uint8Array[];
  /** The batch's sequence in its partition's stream: it tells one batch from the next. */
  readonly streamSeq: number[];
  /** When JetStream stored the batch. */
  readonly storedTime: number[];
  /** When the collector closed it. */
  readonly closedTime: number[];
  readonly collectorId: string[];
  /** CRC-32 of the batch's payload as it arrived. */
  readonly batchChecksum: number[];
  readonly merchantId: number[];
  readonly eventId: Uint8Array[];
  readonly name: string[];
  readonly receivedTime: number[];
  readonly clientTime: number[];
  readonly sentTime: Optional<number>;
  readonly visitorId: Optional<string>;
  readonly sessionId: Optional<string>;
  readonly url: Optional<string>;
  readonly referrer: Optional<string>;
  readonly userAgent: Optional<string>;
  readonly ip: Optional<string>;
  readonly language: Optional<string>;
  readonly screenWidth: Optional<number>;
  readonly screenHeight: Optional<number>;
  /** The text of a JSON object. */
  readonly properties: Optional<string>;
  readonly orderId: Optional<string>;
  readonly orderRevenueMicros: Optional<bigint>;
  readonly orderTaxMicros: Optional<bigint>;
  readonly orderShippingMicros: Optional<bigint>;
  readonly orderDiscountMicros: Optional<bigint>;
  readonly orderCurrency: Optional<string>;
  readonly orderCoupon: Optional<string>;
  /** Whether the event says by more than its name that the order is refunded; undefined without an order. */
  readonly orderIsRefund: Optional<boolean>;
  readonly refundId: Optional<string>;
  readonly items: Optional<TableItem[]>;
  /** In a batch's first row: its bytes as they arrived, where the columns do not hold all of it. */
  readonly sealedBatch: Optional<Uint8Array>;
}

export interface TableItem {
  readonly id: string;
  readonly name: string | undefined;
  readonly brand: string | undefined;
  readonly category: string | undefined;
  readonly variant: string | undefined;
  readonly priceMicros: bigint;
  /** Millionths of one. */
  readonly quantityMicros: bigint;
}

/** What is known of a batch beside its rows. */
export interface BatchFacts {
  readonly batchId: Uint8Array;
  readonly streamSeq: number;
  readonly storedTime: number;
  readonly closedTime: number;
  readonly collectorId: string;
  readonly batchChecksum: number;
  /** The batch's bytes, where they are kept. */
  readonly sealedBatch: Uint8Array | undefined;
}

/** Appends the facts of a batch to the rows that were appended of it last. */
export function appendFacts(table: Table, facts: BatchFacts, rows: number): void {
  for (let row = 0; row < rows; row++) {
    table.batchId.push(facts.batchId);
    table.streamSeq.push(facts.streamSeq);
    table.storedTime.push(facts.storedTime);
    table.closedTime.push(facts.closedTime);
    table.collectorId.push(facts.collectorId);
    table.batchChecksum.push(facts.batchChecksum);
    table.sealedBatch.push(row === 0 ? facts.sealedBatch : undefined);
  }
}
