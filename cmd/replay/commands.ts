import type { replay } from "../../internal/config/programs/replay.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import type { ConfigOf } from "../../internal/config/setting.ts";
import { BatchRejectReason } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { listRejected } from "../../internal/replay/list.ts";
import { printDetails, printList, printRedrive } from "../../internal/replay/print.ts";
import { redrive } from "../../internal/replay/redrive.ts";
import { readRejected } from "../../internal/replay/rejected-batch.ts";
import { type RejectedFilter, type SelectOptions, selectRejected } from "../../internal/replay/select.ts";
import { showRejected } from "../../internal/replay/show.ts";
import type { NatsConnection } from "../../internal/stream/connect.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";
import { RejectedStream } from "../../internal/stream/rejected-stream.ts";

export type Config = ConfigOf<typeof replay.settings>;

export interface CommandDeps {
  readonly config: Config;
  readonly nats: NatsConnection;
  readonly partitions: number;
  /** Ends the work after the batch in hand. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly result: unknown;
  /** The result for a person. */
  readonly text: string;
  readonly exitCode: number;
}

type Command = (deps: CommandDeps) => Promise<Outcome>;

/** The commands by name. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["rejected list", list],
  ["rejected show", show],
  ["rejected redrive", send],
]);

async function list({ config, nats, partitions, signal }: CommandDeps): Promise<Outcome> {
  const stream = await RejectedStream.open(nats);
  const options = { filter: filterOf(config), partitions, signal };
  const result = await listRejected(selectRejected(stream, options), config.limit);
  return { result, text: printList(result), exitCode: 0 };
}

async function show({ config, nats, partitions }: CommandDeps): Promise<Outcome> {
  const [range, ...more] = config.seq ?? [];
  if (range === undefined || range[0] !== range[1] || more.length > 0) {
    throw new ConfigError("rejected show: --seq must name one batch; `rejected list` shows them");
  }
  const [seq] = range;
  const message = await (await RejectedStream.open(nats)).next(seq);
  if (message?.seq !== seq)
    throw new ConfigError(`rejected show: the stream REJECTED has no sequence ${seq}`);
  const result = showRejected(readRejected(message, partitions), config.limit);
  return { result, text: printDetails(result), exitCode: 0 };
}

/** How long to wait for JetStream's ack, ms. */
const PUBLISH_TIMEOUT_MS = 10_000;

async function send({ config, nats, partitions, signal }: CommandDeps): Promise<Outcome> {
  const stream = await RejectedStream.open(nats);
  const options: SelectOptions = { filter: filterOf(config), partitions, signal };
  const publisher = new BatchPublisher(nats, PUBLISH_TIMEOUT_MS);
  const done = await redrive(selectRejected(stream, options), { publisher, stream }, config.dryRun);
  const result = signal.aborted ? { ...done, stopped: done.stopped ?? "a signal came" } : done;
  return { result, text: printRedrive(result), exitCode: result.stopped === undefined ? 0 : 1 };
}

function filterOf({ reason, merchant, from, to, partition, seq }: Config): RejectedFilter {
  const reasons = reason === undefined ? undefined : new Set(reason.split(","));
  for (const name of reasons ?? []) {
    if (Object.hasOwn(BatchRejectReason, name) && !/^\d/.test(name)) continue;
    const known = Object.keys(BatchRejectReason).filter((key) => !/^\d|^UNSPECIFIED$/.test(key));
    throw new ConfigError(`--reason: ${JSON.stringify(name)} is none of ${known.join(", ")}`);
  }
  return { reasons, merchant: merchant || undefined, from, to, partition, seqs: seq };
}
