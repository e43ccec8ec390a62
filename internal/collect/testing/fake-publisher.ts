import { open } from "../../event/seal.ts";
import type { PlainRow } from "../../event/testing/plain-row.ts";
import { readSealed } from "../../event/testing/read-sealed.ts";

/** A batch as ingest hands it to JetStream. */
export interface Published {
  readonly partition: number;
  readonly batchId: string;
  readonly bytes: Uint8Array;
}

/** In JetStream's place: remembers what it was given, and acks when the test lets it. */
export class FakePublisher {
  /** Every batch that came, again for each time that it was sent. */
  readonly arrived: Published[] = [];
  /** The batches that were acked, in that order. */
  readonly stored: Published[] = [];
  readonly refused: { reason: string; message: string }[] = [];
  /** What the ack waits for; a rejection stands for JetStream's own. */
  ack: (batch: Published) => Promise<void> | void = () => {};

  async publish(partition: number, batchId: string, bytes: Uint8Array): Promise<number> {
    // The bytes are a view of gRPC's buffer.
    const batch = { partition, batchId, bytes: Uint8Array.from(bytes) };
    this.arrived.push(batch);
    await this.ack(batch);
    this.stored.push(batch);
    return this.stored.length;
  }

  async reject(_partition: number | undefined, reason: string, message: string): Promise<void> {
    this.refused.push({ reason, message });
  }

  /** The events of all acked batches, each batch once, as a reader of its own finds them. */
  rows(): PlainRow[] {
    const once = new Map(this.stored.map(({ batchId, bytes }) => [batchId, bytes]));
    return [...once.values()].flatMap((bytes) => readSealed(bytes).rows);
  }

  /** All texts of the acked batches, those that no row refers to included. */
  texts(): string {
    const batches = this.stored.map(({ bytes }) => open(bytes).batch!);
    return batches.map(({ dictionary }) => Buffer.from(dictionary).toString()).join("\n");
  }

  names(): string[] {
    return this.rows().map(({ name }) => name);
  }

  /** Holds all acks back until the function returned is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ack = () => promise;
    return () => {
      this.ack = () => {};
      resolve();
    };
  }
}
