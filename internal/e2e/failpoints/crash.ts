import { randomUUIDv7 } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failpoint } from "../../failpoint/names.ts";
import type { CreatedMerchant } from "../../store/merchants.ts";
import { type Case, programOf } from "./cases.ts";
import type { Load } from "./client.ts";
import type { Collector, Installation } from "./installation.ts";
import type { Program } from "./program.ts";
import { expectAckedIsCommitted, expectExactlyOnce } from "./verify.ts";

/** Events of a request. */
const EVENTS = 3;
/** How long a load may take to reach an armed failpoint before another one is sent, ms. */
const REACH_MS = 2_000;
/** Loads that may be needed. On a machine that is busy, the first ones may all be late. */
const MOST_LOADS = 20;
const POLL_MS = 10;
const BUCKET_MS = 15 * 60_000;

let cases = 0;

/** Runs a case: arms, sends until each failpoint has killed its program, restarts, drains and compares. */
export async function runCase(installation: Installation, [first, second]: Case): Promise<void> {
  const hasSpool = first.startsWith("spool-") || second?.startsWith("spool-") === true;
  const crash = new Crash(installation, hasSpool);
  const isSameProgram = second !== undefined && programOf(first) === programOf(second);
  await crash.arm(first, isSameProgram ? second : undefined);
  if (second !== undefined && !isSameProgram) await crash.arm(second);
  await crash.drive(first);
  if (second !== undefined) await crash.drive(second);
  await crash.settle();
}

class Crash {
  readonly #installation: Installation;
  readonly #collector: Collector;
  readonly #merchants: readonly CreatedMerchant[];
  /** Each case has a quarter of an hour of its own, the first one two hours back. */
  readonly #time = (Math.floor(Date.now() / BUCKET_MS) - 8 - cases++) * BUCKET_MS;
  readonly #loads: Load[] = [];
  readonly #sending: Promise<void>[] = [];
  /** What has not killed yet, and what is armed when its program starts again. */
  readonly #armed = new Map<Failpoint, Failpoint | undefined>();

  constructor(installation: Installation, hasSpool: boolean) {
    this.#installation = installation;
    this.#collector = hasSpool ? installation.spooling : installation.plain;
    // While ingest rests, a collector takes events of merchants whose keys it has learned.
    this.#merchants = hasSpool ? installation.merchants.slice(0, 1) : installation.merchants;
  }

  /** @param next armed from the restart on. */
  async arm(failpoint: Failpoint, next?: Failpoint): Promise<void> {
    this.#armed.set(failpoint, next);
    await this.#program(failpoint).arm(failpoint);
  }

  /** Sends until the failpoint has killed its program. */
  async drive(failpoint: Failpoint): Promise<void> {
    if (failpoint.startsWith("spool-fsync")) {
      // A collector that has just started knows no key yet, and asks ingest.
      await this.#sendAndWait(failpoint);
      await this.#whileIngestRests(() => this.#reach(failpoint));
      return;
    }
    if (failpoint.startsWith("spool-delete") && this.#armed.has(failpoint)) {
      await this.#sendAndWait(failpoint);
      await this.#whileIngestRests(() => this.#sendAndWait(failpoint));
    }
    await this.#reach(failpoint);
  }

  /** All is acked in the end, some of it is sent once more, and everything is stored exactly once. */
  async settle(): Promise<void> {
    await Promise.all(this.#sending);
    await this.#collector.sdk.send(this.#loads[0]!);
    await expectExactlyOnce(this.#installation, this.#loads);
  }

  #program(failpoint: Failpoint): Program {
    const name = programOf(failpoint);
    if (name === "collector") return this.#collector.program;
    return name === "ingest" ? this.#installation.ingest : this.#installation.aggregator;
  }

  async #reach(failpoint: Failpoint): Promise<void> {
    const isDone = () => !this.#armed.has(failpoint);
    while (!isDone()) {
      if (this.#loads.length >= MOST_LOADS)
        throw new Error(`${failpoint}: not reached by ${MOST_LOADS} loads`);
      void this.#send();
      await this.#attend(isDone, REACH_MS);
    }
  }

  async #whileIngestRests(work: () => Promise<void>): Promise<void> {
    const { ingest } = this.#installation;
    ingest.signal("SIGSTOP");
    try {
      await work();
    } finally {
      ingest.signal("SIGCONT");
    }
  }

  /** Sends a load until it is acked, or the failpoint has killed: a collector may then have to wait for ingest. */
  async #sendAndWait(failpoint: Failpoint): Promise<void> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    this.#send().then(over, over);
    await this.#attend(() => isOver || !this.#armed.has(failpoint), 60_000);
  }

  /** Starts again what dies at a failpoint, until done or the time is over. */
  async #attend(isDone: () => boolean, ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      for (const [failpoint, next] of this.#armed) {
        const program = this.#program(failpoint);
        if (!program.diedAt(failpoint)) continue;
        if (program === this.#installation.aggregator) await expectAckedIsCommitted(this.#installation);
        this.#armed.delete(failpoint);
        if (next !== undefined) this.#armed.set(next, undefined);
        await program.start(next);
      }
      if (isDone()) return;
      await sleep(POLL_MS);
    }
  }

  #send(): Promise<void> {
    const load: Load = {
      merchant: this.#merchants[this.#loads.length % this.#merchants.length]!,
      ids: Array.from({ length: EVENTS }, () => randomUUIDv7()),
      time: this.#time + this.#loads.length * 1_000,
    };
    this.#loads.push(load);
    const sending = this.#collector.sdk.send(load);
    // A failure is met when all is settled.
    sending.catch(() => {});
    this.#sending.push(sending);
    return sending;
  }
}
