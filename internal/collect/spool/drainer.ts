import { formatId } from "../../event/event-id.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { IngestLink } from "../ingest-link.ts";
import { type Outcome, Receipt } from "../receipt.ts";
import type { Spool } from "./spool.ts";
import type { SpoolBatch, SpooledBatch } from "./store.ts";

/** Most of the spool's batches that are on their way at a time, beside the live ones. */
const WINDOW = { batches: 32, bytes: 2 << 20 };

/** Pause after a batch that ingest could not take, or a read that failed, ms. */
const PAUSE_MS = 200;

/** Sends what the spool holds to ingest, oldest first, while the link works. */
export class Drainer {
  readonly #spool: Spool;
  readonly #link: IngestLink;
  readonly #log: Logger;
  #inFlight = 0;
  #bytes = 0;
  #up = false;
  #reading = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(spool: Spool, link: IngestLink, log: Logger) {
    this.#spool = spool;
    this.#link = link;
    this.#log = log;
  }

  /** Goes on: the link works. */
  start(): void {
    this.#up = true;
    this.#pump();
  }

  /** Takes nothing more from the spool; what is on its way comes back through its outcome. */
  stop(): void {
    this.#up = false;
  }

  /** What became of a batch of the spool, whoever sent it: one that ingest has not taken will be sent again. */
  settle(position: number, { batchId, rows }: SpoolBatch, outcome: Outcome): void {
    const { metrics } = this.#spool;
    if (!outcome.stored && outcome.retry) {
      this.#spool.giveBack(position);
      this.#later();
      return;
    }
    if (outcome.stored) metrics.drained.inc();
    else {
      metrics.rejected.inc();
      const about = { batchId: formatId(batchId), rows, problem: outcome.message };
      this.#log.error(about, "spool: ingest refused a batch whose events were acked; it is in DEAD_LETTER");
    }
    this.#spool.remove(position);
  }

  async #pump(): Promise<void> {
    if (!this.#up || this.#reading || this.#pause !== undefined || this.#spool.waiting <= 0) return;
    const [batches, bytes] = [WINDOW.batches - this.#inFlight, WINDOW.bytes - this.#bytes];
    if (batches <= 0 || bytes <= 0) return;
    this.#reading = true;
    try {
      const taken = await this.#spool.take(batches, bytes);
      for (const batch of taken) this.#send(batch);
      if (taken.length === 0) this.#later();
    } catch (error) {
      this.#log.error({ err: error }, "spool: cannot be read");
      this.#later();
    } finally {
      this.#reading = false;
    }
    this.#pump();
  }

  async #send(batch: SpooledBatch): Promise<void> {
    this.#inFlight++;
    this.#bytes += batch.bytes.length;
    const receipt = new Receipt();
    this.#link.deliver({ ...batch, receipt }, "spooled");
    const outcome = await receipt.settled;
    this.#inFlight--;
    this.#bytes -= batch.bytes.length;
    this.settle(batch.position, batch, outcome);
    this.#pump();
  }

  #later(): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#pump();
    }, PAUSE_MS);
  }
}
