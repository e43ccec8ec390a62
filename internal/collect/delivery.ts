import type { Logger } from "../telemetry/logger.ts";
import type { OutgoingBatch } from "./batcher.ts";
import type { IngestClient } from "./ingest-client.ts";
import { IngestLink } from "./ingest-link.ts";
import { type Outcome, Receipt } from "./receipt.ts";
import { Drainer } from "./spool/drainer.ts";
import { SpoolReporter } from "./spool/reporter.ts";
import type { Spool } from "./spool/spool.ts";

export interface DeliveryOptions {
  readonly collectorId: string;
  readonly deliverTimeoutMs: number;
  readonly spool: Spool;
  /** How long ingest may take to answer before a batch goes to the spool, ms. */
  readonly spoolAfterMs: number;
  readonly log: Logger;
  readonly onLinkState: (problem: string | undefined) => void;
  /** Told at each change: why no event can be taken now, or undefined. */
  readonly onProblem: (problem: string | undefined) => void;
}

/** A live batch between its closing and its answer. */
interface Delivered {
  readonly batch: OutgoingBatch;
  /** When it was closed, by performance.now(). */
  readonly since: number;
  /** Ingest's answer, or that the link gave it back. */
  outcome?: Outcome;
  /** In the spool, once it is there. */
  position?: number;
}

/** Longest wait for ingest's answer once the program is stopping, ms. */
const SHUTDOWN_SPOOL_AFTER_MS = 500;

/** How long an ingest that was late counts as such when nothing is on its way to it, ms. */
const LATE_MS = 5_000;

/**
 * Brings closed batches to safety: ingest's answer, or, while the link is down or ingest does not answer in
 * time, the spool. Whichever comes first settles the batch's receipt. A batch of the spool is drained under the
 * id that it has, also when ingest may have stored it already.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #spool: Spool;
  readonly #link: IngestLink;
  readonly #drainer: Drainer;
  readonly #reporter: SpoolReporter;
  /** Ingest was told what the spool held at the start, or could not be: only then is it drained. */
  #told: Promise<void> | undefined;
  #closing = false;
  /** Neither answered nor on their way into the spool, oldest first. */
  readonly #waiting = new Set<Delivered>();
  readonly #spooling = new Set<Promise<void>>();
  #spoolAfterMs: number;
  #linkProblem: string | undefined;
  /** When a batch had last waited too long, by performance.now(). */
  #lateTime = -1;
  #problem: string | undefined;
  readonly #sweep: NodeJS.Timeout;

  constructor(client: IngestClient, options: DeliveryOptions) {
    this.#options = options;
    this.#spool = options.spool;
    this.#spoolAfterMs = options.spoolAfterMs;
    this.#link = new IngestLink(client, {
      deliverTimeoutMs: options.deliverTimeoutMs,
      onState: (problem) => this.#linkChanged(problem),
    });
    this.#drainer = new Drainer(options.spool, this.#link, options.log);
    this.#reporter = new SpoolReporter({ ...options, client });
    this.#sweep = setInterval(() => this.#spoolLate(), Math.min(250, options.spoolAfterMs / 4));
  }

  /** Takes a batch; its receipt is settled when ingest or the spool has it, or neither could take it. */
  deliver(batch: OutgoingBatch): void {
    const delivered: Delivered = { batch, since: performance.now() };
    const receipt = new Receipt();
    this.#waiting.add(delivered);
    void receipt.settled.then((outcome) => this.#answered(delivered, outcome));
    this.#link.deliver({ ...batch, receipt });
    if (!this.#flowing) this.#toSpool(delivered);
  }

  /** @throws Failure exhausted while neither the link nor the spool can take a batch. */
  checkRoom(): void {
    const refusal = this.#flowing ? undefined : this.#spool.refusal;
    if (refusal !== undefined) throw refusal;
  }

  /** From now on ingest has little time to answer before a batch goes to the spool: the program is stopping. */
  beginShutdown(): void {
    this.#spoolAfterMs = Math.min(this.#spoolAfterMs, SHUTDOWN_SPOOL_AFTER_MS);
  }

  /** Waits until every batch is with ingest or in the spool, and closes both. */
  async close(): Promise<void> {
    this.beginShutdown();
    this.#closing = true;
    this.#drainer.stop();
    await this.#link.close();
    await Promise.all(this.#spooling);
    clearInterval(this.#sweep);
    await this.#reporter.close();
    await this.#spool.close();
  }

  /** The link stands, and ingest answers. */
  get #flowing(): boolean {
    if (this.#linkProblem !== undefined) return false;
    if (this.#lateTime <= this.#link.answeredTime) return true;
    // With nothing to drain, only a live batch can tell whether ingest answers again.
    return this.#spool.totals.batches === 0 && performance.now() - this.#lateTime > LATE_MS;
  }

  #linkChanged(problem: string | undefined): void {
    this.#linkProblem = problem;
    this.#options.onLinkState(problem);
    if (problem === undefined) {
      this.#told ??= this.#reporter.tell();
      void this.#told.then(() => {
        if (this.#linkProblem === undefined && !this.#closing) this.#drainer.start();
      });
    } else {
      this.#drainer.stop();
      for (const delivered of this.#waiting) this.#toSpool(delivered);
    }
    this.#tell();
  }

  #spoolLate(): void {
    const before = performance.now() - this.#spoolAfterMs;
    for (const delivered of this.#waiting) {
      if (delivered.since > before) break;
      this.#lateTime = performance.now();
      this.#toSpool(delivered);
    }
    this.#tell();
  }

  #tell(): void {
    const refusal = this.#flowing ? undefined : this.#spool.refusal;
    const link = this.#linkProblem ?? "ingest: does not answer";
    const problem = refusal === undefined ? undefined : `${link}; ${refusal.message}`;
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onProblem(problem);
  }

  #toSpool(delivered: Delivered): void {
    this.#waiting.delete(delivered);
    const spooling = this.#writeToSpool(delivered).finally(() => this.#spooling.delete(spooling));
    this.#spooling.add(spooling);
  }

  async #writeToSpool(delivered: Delivered): Promise<void> {
    const { batch } = delivered;
    try {
      delivered.position = await this.#spool.write(batch);
    } catch (error) {
      // While the link stands ingest may still take it, until the deliver timeout.
      if (this.#linkProblem === undefined) return;
      batch.receipt.settle({ stored: false, retry: true, message: (error as Error).message });
      this.#link.release(batch.batchId);
      return;
    }
    batch.receipt.settle({ stored: true });
    if (delivered.outcome !== undefined) this.#drainer.settle(delivered.position, batch, delivered.outcome);
    else this.#link.release(batch.batchId);
  }

  #answered(delivered: Delivered, outcome: Outcome): void {
    this.#waiting.delete(delivered);
    delivered.outcome = outcome;
    const { batch, position } = delivered;
    if (position === undefined) batch.receipt.settle(outcome);
    else this.#drainer.settle(position, batch, outcome);
  }
}
