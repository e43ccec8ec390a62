import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Logger } from "../../telemetry/logger.ts";
import type { IngestClient } from "../ingest-client.ts";
import type { Spool } from "./spool.ts";

export interface ReporterOptions {
  readonly spool: Pick<Spool, "id" | "heldBack" | "totals">;
  readonly client: Pick<IngestClient, "reportSpool">;
  readonly collectorId: string;
  readonly log: Logger;
}

/** Pause between two reports, also after one that failed, ms. */
const EVERY_MS = 1_000;

/** How often it is looked at whether the spool is no longer empty, ms: that is told at once. */
const LOOK_MS = 100;

/**
 * Tells ingest what the spool holds, so that merchants' reports stay behind it: at the start, as soon as there is
 * something, once a second from then on, and when it is empty again. An ingest that cannot be told is told later.
 */
export class SpoolReporter {
  readonly #options: ReporterOptions;
  readonly #timer: NodeJS.Timeout;
  /** Whether ingest knows the spool as empty; undefined before the first report that got there. */
  #isToldEmpty: boolean | undefined;
  #nextTime = 0;
  #telling: Promise<void> | undefined;
  #failed = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Tells now. Resolves when ingest knows, or could not be told. */
  tell(): Promise<void> {
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  /** Tells for the last time, if that is news: what is left will be held back until a collector drains this spool. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#telling;
    if (this.#isNews()) await this.tell();
  }

  #isNews(): boolean {
    return this.#options.spool.totals.batches > 0 || this.#isToldEmpty !== true;
  }

  #look(): void {
    const isFirst = this.#isToldEmpty === true && !this.#failed;
    if (this.#isNews() && (isFirst || performance.now() >= this.#nextTime)) void this.tell();
  }

  async #tell(): Promise<void> {
    const { spool, client, collectorId, log } = this.#options;
    this.#nextTime = performance.now() + EVERY_MS;
    try {
      const held = await spool.heldBack();
      const now = Date.now();
      const heldBack = held.map(({ partition, events, oldestTime }) => {
        return {
          partition,
          events: BigInt(events),
          oldestAge: durationFromMs(Math.max(0, now - oldestTime)),
        };
      });
      await client.reportSpool({ spoolId: spool.id, collectorId, heldBack });
      this.#isToldEmpty = held.length === 0;
      if (this.#failed) log.info("ingest knows again what the spool holds");
      this.#failed = false;
    } catch (err) {
      if (!this.#failed)
        log.warn({ err }, "ingest could not be told what the spool holds, will be tried again");
      this.#failed = true;
    }
  }
}
