import { request } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import type { CreatedMerchant } from "../../../internal/store/merchants.ts";

/**
 * Where attacks come from: an address of the loopback network that no SDK uses, as limits by address are meant to keep
 * a hostile client from the others.
 */
const SOURCE = "127.0.0.66";

/** Longest time of one attack, ms: answers that have not come by then are not waited for. */
const ATTACK_MS = 2_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What a hostile client can reach, and what it knows: a page's write key, and a read key of its own. */
export class Target {
  readonly collectorPort: number;
  readonly queryPort: number;
  readonly merchant: CreatedMerchant;
  readonly #signal: AbortSignal;

  /** @param signal ends all that is under way. */
  constructor(ports: { collector: number; query: number }, merchant: CreatedMerchant, signal: AbortSignal) {
    this.collectorPort = ports.collector;
    this.queryPort = ports.query;
    this.merchant = merchant;
    this.#signal = AbortSignal.any([signal, AbortSignal.timeout(ATTACK_MS)]);
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** @returns undefined when no answer came. */
  post(
    port: number,
    path: string,
    headers: Record<string, string>,
    body: Buffer | string,
  ): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const options = { port, path, headers, method: "POST", localAddress: SOURCE, signal: this.#signal };
      const call = request({ host: "127.0.0.1", agent: false, ...options }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString() }),
        );
        response.on("error", () => resolve(undefined));
      });
      call.on("error", () => resolve(undefined));
      call.end(body);
    });
  }

  /** A connection that says only what it is told to; gone at the end of the attack. */
  connect(port: number): Socket {
    const socket = connect({ port, host: "127.0.0.1", localAddress: SOURCE });
    socket.on("error", () => {});
    this.#signal.addEventListener("abort", () => socket.destroy(), { once: true });
    return socket;
  }

  /** An HTTP/2 connection; gone at the end of the attack. */
  connectHttp2(port: number): ClientHttp2Session {
    const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection: () => this.connect(port) });
    session.on("error", () => {});
    return session;
  }

  /** Resolves at the end of the attack's time. */
  ended(): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#signal.addEventListener("abort", () => resolve(), { once: true }));
  }
}
