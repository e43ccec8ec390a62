import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { letHeapGrow } from "../../internal/lifecycle/heap-growth.ts";
import { freshMessage, type Message, messagesOf } from "./collect-messages.ts";

/**
 * The clients of the `connections` benchmark, in a process of their own: started with fork(), told by messages how much
 * to send, and answering with what each request took.
 */

export interface Visit {
  readonly connections: number;
  /** Requests over each connection, one after the other. */
  readonly requests: number;
  /** From one request of a connection to its next, ms, and 0: it follows at once. Connections take turns within it. */
  readonly everyMs: number;
}

/** From sending a request to its answer, ms. */
export interface Answered {
  /** The first one of each connection, the making of the connection included. */
  readonly first: number[];
  readonly later: number[];
}

const SEND = "/footfall.collect.v1.CollectService/Send";
/** Events of a request: what a small shop's server has at a time. */
const EVENTS = 10;
const raw = (bytes: Buffer) => bytes;
let sequence = 0;

interface Shop {
  readonly address: string;
  readonly key: string;
  readonly messages: readonly Message[];
}

/** @param turn of the connection among all, 0 to 1. */
async function sendOver(
  { address, key, messages }: Shop,
  { requests, everyMs, turn }: Visit & { readonly turn: number },
  answered: Answered,
): Promise<void> {
  const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${key}`);
  const started = performance.now() + turn * everyMs;
  for (let at = 0; at < requests; at++) {
    if (everyMs > 0) await sleep(Math.max(0, started + at * everyMs - performance.now()));
    const sent = performance.now();
    const bytes = freshMessage(messages[sequence % messages.length]!, ++sequence);
    await new Promise<void>((resolve, reject) => {
      const answer = (error: Error | null) => (error ? reject(error) : resolve());
      client.makeUnaryRequest(SEND, raw, raw, bytes, metadata, {}, answer);
    });
    (at === 0 ? answered.first : answered.later).push(performance.now() - sent);
  }
  client.close();
}

letHeapGrow();
const [address = "", ...keys] = process.argv.slice(2);
const shops = keys.map((key, shop) => ({ address, key, messages: messagesOf(shop, 20, EVENTS) }));

process.on("message", async (visit: Visit) => {
  const { connections } = visit;
  const answered: Answered = { first: [], later: [] };
  const all = Array.from({ length: connections }, (_, at) =>
    sendOver(shops[at % shops.length]!, { ...visit, turn: at / connections }, answered),
  );
  await Promise.all(all).then(
    () => process.send!(answered),
    (error: Error) => process.send!({ error: error.message }),
  );
});
process.on("disconnect", () => process.exit(0));
process.send!({ ready: true });
