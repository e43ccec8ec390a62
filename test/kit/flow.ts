import type { Socket } from "node:net";
import type { NetworkFault } from "./network-fault.ts";

/** What happens to the bytes of one direction. */
export type FlowFault = NetworkFault | { readonly kind: "lose" };

/** The bytes of one direction of a connection, in order, as fast as the reader takes them. */
export class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #cut: () => void;
  #fault: FlowFault = { kind: "none" };
  /** Bytes that may still pass before the connection breaks. */
  #budget = Number.POSITIVE_INFINITY;
  /** Bytes on a long way, and when each piece arrives, by performance.now(). */
  readonly #late: { readonly bytes: Buffer | undefined; readonly dueMs: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #waitsForReader = false;
  /** Until then what comes stays in the socket. */
  #isStarted = false;

  /** @param cut breaks the connection. */
  constructor(from: Socket, to: Socket, cut: () => void) {
    this.#from = from;
    this.#to = to;
    this.#cut = cut;
    from.on("close", () => clearTimeout(this.#timer));
    to.on("drain", () => {
      this.#waitsForReader = false;
      this.#listen();
    });
  }

  start(): void {
    this.#isStarted = true;
    this.#from.on("data", (bytes: Buffer) => this.#take(bytes)).on("end", () => this.#take(undefined));
    this.#listen();
  }

  get isLosing(): boolean {
    return this.#fault.kind === "lose";
  }

  meet(fault: FlowFault): void {
    this.#fault = fault;
    this.#budget = fault.kind === "truncate" ? fault.bytes : Number.POSITIVE_INFINITY;
    this.#listen();
  }

  #listen(): void {
    if (!this.#isStarted) return;
    if (this.#fault.kind === "stall" || this.#waitsForReader) this.#from.pause();
    else this.#from.resume();
  }

  /** @param bytes undefined is the end. */
  #take(bytes: Buffer | undefined): void {
    if (this.#fault.kind === "lose") return;
    const ms = this.#fault.kind === "delay" ? this.#fault.ms : 0;
    // What is sent later never overtakes.
    if (ms === 0 && this.#late.length === 0) {
      this.#pass(bytes);
      return;
    }
    const dueMs = Math.max(performance.now() + ms, this.#late.at(-1)?.dueMs ?? 0);
    this.#late.push({ bytes, dueMs });
    if (this.#late.length === 1) this.#passLater();
  }

  #passLater(): void {
    const wait = Math.max(0, this.#late[0]!.dueMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#pass(this.#late.shift()!.bytes);
      if (this.#late.length > 0) this.#passLater();
    }, wait);
  }

  #pass(bytes: Buffer | undefined): void {
    if (bytes === undefined) {
      this.#to.end();
      return;
    }
    const passed = bytes.length > this.#budget ? bytes.subarray(0, this.#budget) : bytes;
    this.#budget -= bytes.length;
    if (!this.#to.write(passed, this.#budget < 0 ? this.#cut : undefined)) {
      this.#waitsForReader = true;
      this.#listen();
    }
  }
}
