import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../../internal/simulate/random.ts";
import type { CreatedMerchant } from "../../../internal/store/merchants.ts";
import type { Problem } from "../problem.ts";
import { ATTACKS } from "./attacks.ts";
import type { Sent } from "./sent.ts";
import { type Answer, Target } from "./target.ts";

export interface HostileOptions {
  /** The collectors' own ports, and the query service's: no proxy between. */
  readonly collectorPorts: readonly number[];
  readonly queryPort: number;
  readonly merchant: CreatedMerchant;
  readonly random: Random;
  readonly sent: Sent;
}

/** Pause between two attacks, ms: the others' traffic needs the machine, too. */
const PAUSE_MS = 100;

/** An answer with one of these codes says that the program failed, where it should say what is wrong with the call. */
const FAILED = /"code":"(internal|unknown)"/;

/** A client that sends one attack after another until it is told to end. */
export class HostileClient {
  readonly #options: HostileOptions;
  readonly #end = new AbortController();
  readonly #problems: Problem[] = [];
  readonly #attacking: Promise<void>;

  constructor(options: HostileOptions) {
    this.#options = options;
    this.#attacking = this.#run();
  }

  /** Answers that a hostile client must not get either. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Ends the attack that is under way; resolves when all its connections are gone. */
  end(): Promise<void> {
    this.#end.abort();
    return this.#attacking;
  }

  async #run(): Promise<void> {
    const { random } = this.#options;
    const { signal } = this.#end;
    while (!signal.aborted) {
      await this.#attack(random.of(Object.keys(ATTACKS)));
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #attack(name: string): Promise<void> {
    const { collectorPorts, queryPort, merchant, random, sent } = this.#options;
    // Ends what the attack has left open.
    const over = new AbortController();
    const signal = AbortSignal.any([this.#end.signal, over.signal]);
    const target = new Target({ collector: random.of(collectorPorts), query: queryPort }, merchant, signal);
    const answers = await ATTACKS[name]!(target, random, sent);
    over.abort();
    this.#problems.push(...answers.flatMap((answer) => failures(name, answer)));
  }
}

function failures(attack: string, answer: Answer | undefined): Problem[] {
  if (answer === undefined || !FAILED.test(answer.body)) return [];
  return [{ kind: "failed", message: `${attack}: answered ${answer.status} ${answer.body.slice(0, 200)}` }];
}
