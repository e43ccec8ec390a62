import { jetstreamManager, type StreamState } from "@nats-io/jetstream";
import { readCommand } from "../../../internal/config/commands.ts";
import type { NatsConnection } from "../../../internal/stream/connect.ts";
import { BatchPublisher, type RefusalOrigin } from "../../../internal/stream/publisher.ts";
import { DEAD_LETTER_STREAM } from "../../../internal/stream/streams.ts";
import { merchantsOf, type TestBatch, type TestEvent, testBatch } from "../../../test/kit/batches.ts";
import { type Finished, launch } from "../../../test/kit/launch.ts";
import { ensureTestStreams, openTestNats, type TestNats } from "../../../test/kit/nats.ts";
import { REPLAY } from "../commands.ts";

export const PARTITIONS = 4;
export const TIME = Date.UTC(2026, 2, 1);

/** A nats-server with the streams, and the commands on it. */
export class DeadLetters {
  readonly nc: NatsConnection;
  readonly publisher: BatchPublisher;
  readonly #nats: TestNats;

  private constructor(nats: TestNats, nc: NatsConnection) {
    this.#nats = nats;
    this.nc = nc;
    this.publisher = new BatchPublisher(nc, 2_000);
  }

  static async open(): Promise<DeadLetters> {
    const nats = await openTestNats();
    const nc = await nats.connect();
    await ensureTestStreams(nc, PARTITIONS);
    return new DeadLetters(nats, nc);
  }

  /** Runs a command in this process; @returns its result. */
  run<T>(name: string, ...flags: string[]): Promise<T> {
    return this.runUntil<T>(new AbortController().signal, name, ...flags);
  }

  async runUntil<T>(signal: AbortSignal, name: string, ...flags: string[]): Promise<T> {
    const argv = [...name.split(" "), ...flags];
    const env = { DATABASE_URL: "postgres://unused" };
    const { command, config } = readCommand(REPLAY, argv, env, new Set());
    return (await command.run({ nats: this.nc, partitions: PARTITIONS, signal }, config)) as T;
  }

  /** Puts a batch into the stream of refused ones; @returns its sequence there. */
  async reject(
    partition: number | undefined,
    reason: string,
    bytes: Uint8Array,
    origin?: RefusalOrigin,
  ): Promise<number> {
    await this.publisher.reject(partition, reason, `because of ${reason}`, bytes, origin);
    return (await this.info(DEAD_LETTER_STREAM)).last_seq;
  }

  async info(stream: string): Promise<StreamState> {
    return (await (await jetstreamManager(this.nc)).streams.info(stream)).state;
  }

  /** Takes everything out of the stream of refused batches. */
  async purge(): Promise<void> {
    await (await jetstreamManager(this.nc)).streams.purge(DEAD_LETTER_STREAM);
  }

  close(): Promise<void> {
    return this.#nats.close();
  }
}

/** A good batch of a partition, of its first merchant unless told otherwise. */
export function partitionBatch(partition: number, ...events: Partial<TestEvent>[]): TestBatch {
  const [merchantId] = merchantsOf(partition, PARTITIONS, 1) as [number];
  return testBatch(
    events.map((event) => ({ merchantId, time: TIME, ...event })),
    { partition },
  );
}

/** Runs the program to its end, as an operator would. */
export const run = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> =>
  launch("replay", { args, env }).finished;
