import { randomUUIDv7 } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failpoint } from "../../../internal/failpoint/names.ts";
import type { CreatedMerchant } from "../../../internal/store/merchants.ts";
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

/** Each case has a quarter of an hour of its own, the first one two hours back, where it meets no other events. */
const FIRST_BUCKET = Math.floor(Date.now() / BUCKET_MS) - 8;
let cases = 0;

/** Runs a case: arms, sends until each failpoint has killed its program, restarts, drains and compares. */
export async function runCase(installation: Installation, [first, second]: Case): Promise<void> {
  const hasSpool = first.startsWith("spool-") || second?.startsWith("spool-") === true;
  const crash = new Crash(installation, hasSpool);
  const isSameProgram = second !== undefined && programOf(first) === programOf(second);
  const later = second === undefined ? undefined : { failpoint: second };
  const armed = [{ failpoint: first, next: isSameProgram ? later : undefined }, ...(later ? [later] : [])];
  await crash.arm(isSameProgram ? armed.slice(0, 1) : armed);
  for (const one of armed) await crash.drive(one);
  await crash.settle();
}

/** A failpoint that has not killed yet. */
interface Armed {
  readonly failpoint: Failpoint;
  /** Armed from the restart on. */
  readonly next?: Armed | undefined;
}

class Crash {
  readonly #installation: Installation;
  readonly #collector: Collector;
  readonly #merchants: readonly CreatedMerchant[];
  readonly #time = (FIRST_BUCKET - cases++) * BUCKET_MS;
  readonly #loads: Load[] = [];
  readonly #sending: Promise<void>[] = [];
  readonly #armed = new Set<Armed>();

  constructor(installation: Installation, hasSpool: boolean) {
    this.#installation = installation;
    this.#collector = hasSpool ? installation.spooling : installation.plain;
    // While ingest rests, a collector takes events of merchants whose keys it has learned.
    this.#merchants = hasSpool ? installation.merchants.slice(0, 1) : installation.merchants;
  }

  async arm(all: readonly Armed[]): Promise<void> {
    for (const armed of all) {
      this.#armed.add(armed);
      await this.#program(armed.failpoint).arm(armed.failpoint);
    }
  }

  /** Sends until the failpoint has killed its program. */
  async drive(armed: Armed): Promise<void> {
    const { failpoint } = armed;
    // A collector that has just started knows no key yet, and asks ingest.
    if (failpoint.startsWith("spool-")) await this.#sendAndWait(armed);
    if (failpoint.startsWith("spool-fsync")) {
      await this.#whileIngestRests(() => this.#reach(armed));
    } else if (failpoint.startsWith("spool-delete")) {
      await this.#whileIngestRests(() => this.#sendAndWait(armed));
    }
    await this.#reach(armed);
  }

  /** All is acked in the end, some of it is sent once more, and everything is stored exactly once. */
  async settle(): Promise<void> {
    await Promise.all(this.#sending);
    await this.#collector.loader.send(this.#loads[0]!);
    await expectExactlyOnce(this.#installation, this.#loads);
  }

  #program(failpoint: Failpoint): Program {
    const name = programOf(failpoint);
    if (name === "collector") return this.#collector.program;
    return name === "ingest" ? this.#installation.ingest : this.#installation.aggregator;
  }

  async #reach(armed: Armed): Promise<void> {
    const isDone = () => !this.#armed.has(armed);
    while (!isDone()) {
      if (this.#loads.length >= MOST_LOADS)
        throw new Error(`${armed.failpoint}: not reached by ${MOST_LOADS} loads`);
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
  async #sendAndWait(armed: Armed): Promise<void> {
    let isOver = !this.#armed.has(armed);
    if (isOver) return;
    const over = () => {
      isOver = true;
    };
    this.#send().then(over, over);
    await this.#attend(() => isOver || !this.#armed.has(armed), 60_000);
  }

  /** Starts again what dies at a failpoint, until done or the time is over. */
  async #attend(isDone: () => boolean, ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      for (const armed of this.#armed) {
        const { failpoint, next } = armed;
        const program = this.#program(failpoint);
        if (!program.diedAt(failpoint)) continue;
        if (program === this.#installation.aggregator) await expectAckedIsCommitted(this.#installation);
        this.#armed.delete(armed);
        if (next !== undefined) this.#armed.add(next);
        await program.start(next?.failpoint);
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
    const sending = this.#collector.loader.send(load);
    // A failure is met when all is settled.
    sending.catch(() => {});
    this.#sending.push(sending);
    return sending;
  }
}
