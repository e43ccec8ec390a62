import { fromBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, Metadata } from "@grpc/grpc-js";
import { StreamResponseSchema } from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import { letHeapGrow } from "../../internal/lifecycle/heap-growth.ts";
import { EVENTS, freshMessage, type Message, messagesOf } from "./collect-messages.ts";

/**
 * The client of the `collect` benchmark, in a process of its own: started with fork(), told by messages what to
 * send, and answering each with what it saw.
 */

/** What the client is told to do. */
export interface Task {
  readonly seconds: number;
  /** Events a second; 0: as many as the window lets through. */
  readonly rate: number;
  /** Messages on their way at one time, on all streams together. */
  readonly window: number;
}

/** What the client saw. */
export interface Seen {
  readonly eventsPerSecond: number;
  readonly events: number;
  /** From sending a message to the answer to it, each message, ms. */
  readonly latencies: number[];
}

const PATH = "/footfall.collect.v1.CollectService/Stream";
const MESSAGES_OF_A_SHOP = 20;

/** The answer to 500 accepted events up to its sequence: statuses, each 1, and accepted = 500. */
const ALL_ACCEPTED = Buffer.concat([
  Buffer.from([0x0a, 0xf4, 0x03]),
  Buffer.alloc(EVENTS, 1),
  Buffer.from([0x18, 0xf4, 0x03]),
]);

class Sender {
  readonly #messages: Message[];
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #sentAt = new Map<number, number>();
  #sequence = 0;

  constructor(address: string, key: string, shop: number, answered: (latencyMs: number) => void) {
    this.#messages = messagesOf(shop, MESSAGES_OF_A_SHOP);
    const client = new Client(address, credentials.createInsecure(), { shop });
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${key}`);
    const raw = (bytes: Buffer) => bytes;
    this.#stream = client.makeBidiStreamRequest(PATH, raw, raw, metadata);
    this.#stream.on("data", (bytes: Buffer) => answered(this.#check(bytes)));
    this.#stream.on("error", fail);
  }

  send(): void {
    const sequence = ++this.#sequence;
    const bytes = freshMessage(this.#messages[sequence % this.#messages.length]!, sequence);
    this.#sentAt.set(sequence, performance.now());
    this.#stream.write(bytes);
  }

  /** @returns the latency of the message that is answered, ms; every event must have been accepted. */
  #check(bytes: Buffer): number {
    if (!bytes.subarray(0, ALL_ACCEPTED.length).equals(ALL_ACCEPTED)) {
      const { accepted, duplicates, rejections } = fromBinary(StreamResponseSchema, bytes);
      fail(new Error(`answer: ${JSON.stringify({ accepted, duplicates, rejections })}`));
    }
    const sequence = Number(fromBinary(StreamResponseSchema, bytes.subarray(ALL_ACCEPTED.length)).sequence);
    const sentAt = this.#sentAt.get(sequence);
    if (sentAt === undefined)
      throw new Error(`answer: sequence ${sequence} was not sent, or answered before`);
    this.#sentAt.delete(sequence);
    return performance.now() - sentAt;
  }
}

function fail(error: Error): void {
  process.send!({ error: error.message });
  process.exit(1);
}

letHeapGrow();
const [address = "", ...keys] = process.argv.slice(2);
const latencies: number[] = [];
let onAnswer = () => {};
const senders = keys.map(
  (key, shop) =>
    new Sender(address, key, shop, (ms) => {
      latencies.push(ms);
      onAnswer();
    }),
);

/** Sends for so many seconds; resolves when all is answered. */
function run({ seconds, rate, window }: Task): Promise<Seen> {
  latencies.length = 0;
  let sent = 0;
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  const over = () => elapsed() >= seconds * 1_000;
  const send = () => {
    const due = rate === 0 ? Number.POSITIVE_INFINITY : (elapsed() / 1_000) * (rate / EVENTS);
    while (!over() && sent < due && sent - latencies.length < window) {
      senders[sent++ % senders.length]!.send();
    }
  };
  return new Promise((resolve) => {
    const goOn = () => {
      send();
      if (!over() || latencies.length < sent) return;
      clearInterval(ticks);
      const events = sent * EVENTS;
      resolve({ eventsPerSecond: events / (elapsed() / 1_000), events, latencies: [...latencies] });
    };
    onAnswer = goOn;
    const ticks = setInterval(goOn, 1);
  });
}

process.on("message", (task: Task) => {
  run(task).then((seen) => process.send!(seen), fail);
});
process.on("disconnect", () => process.exit(0));
process.send!({ ready: true });
