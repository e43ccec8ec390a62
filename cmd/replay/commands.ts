import { type CommandProgram, defineCommand } from "../../internal/config/commands.ts";
import { ConfigError } from "../../internal/config/config-error.ts";
import { replay } from "../../internal/config/programs/replay.ts";
import { flag, integer, type Setting } from "../../internal/config/setting.ts";
import { readDeadLetter } from "../../internal/replay/dead-letter-batch.ts";
import { listDeadLetters } from "../../internal/replay/list.ts";
import { printDetails, printList, printRedrive } from "../../internal/replay/print.ts";
import { type RedriveResult, redrive } from "../../internal/replay/redrive.ts";
import { type SelectOptions, selectDeadLetters } from "../../internal/replay/select.ts";
import { showDeadLetter } from "../../internal/replay/show.ts";
import type { NatsConnection } from "../../internal/stream/connect.ts";
import { DeadLetterStream } from "../../internal/stream/dead-letter-stream.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";
import { filterOf, filterSettings } from "./filter.ts";

export interface CommandDeps {
  readonly nats: NatsConnection;
  readonly partitions: number;
  /** Ends the work after the batch in hand. */
  readonly signal: AbortSignal;
}

const command = defineCommand<CommandDeps>();

const limit = (most: string): Setting<number> => ({
  description: `most ${most}`,
  schema: integer(0, 100_000),
  fallback: "20",
});

const list = command({
  name: "dlq list",
  description: "Counts the refused batches by reason, merchant and hour, and shows the newest.",
  example: "--reason PROCESSING_FAILED --from 2026-03-01",
  settings: { ...filterSettings, limit: limit("batches that get a line of their own") },
  run: async ({ nats, partitions, signal }, { limit, ...config }) => {
    const options = { filter: filterOf(config), partitions, signal };
    return listDeadLetters(selectDeadLetters(await DeadLetterStream.open(nats), options), limit);
  },
  table: printList,
});

const show = command({
  name: "dlq show",
  description: "Shows one refused batch, with its headers and what can be decoded of it.",
  example: "--seq 17",
  settings: {
    seq: {
      description: "its sequence in the stream DEAD_LETTER; `dlq list` shows them",
      schema: integer(1, Number.MAX_SAFE_INTEGER),
    },
    limit: limit("events that are decoded"),
  },
  run: async ({ nats, partitions }, { seq, limit }) => {
    const message = await (await DeadLetterStream.open(nats)).next(seq);
    if (message?.seq !== seq) throw new ConfigError(`the stream DEAD_LETTER has no sequence ${seq}`);
    return showDeadLetter(readDeadLetter(message, partitions), limit);
  },
  table: printDetails,
});

/** How long to wait for JetStream's ack, ms. */
const PUBLISH_TIMEOUT_MS = 10_000;

const send = command({
  name: "dlq redrive",
  description:
    "Sends the refused batches that pass the check now to their partitions again. Exit code 1 when it stopped before all were done.",
  example: "--reason PROCESSING_FAILED --dry-run",
  settings: {
    ...filterSettings,
    dryRun: flag("count the batches and events that would go, and change nothing"),
  },
  run: async ({ nats, partitions, signal }, { dryRun, ...config }): Promise<RedriveResult> => {
    const options: SelectOptions = { filter: filterOf(config), partitions, signal };
    const stream = await DeadLetterStream.open(nats);
    const publisher = new BatchPublisher(nats, PUBLISH_TIMEOUT_MS);
    const done = await redrive(selectDeadLetters(stream, options), { publisher, stream }, dryRun);
    return signal.aborted ? { ...done, stopped: done.stopped ?? "a signal came" } : done;
  },
  table: printRedrive,
  isOk: ({ stopped }) => stopped === undefined,
});

/** Replay with its commands. */
export const REPLAY = {
  ...replay,
  commands: [list, show, send],
} satisfies CommandProgram<CommandDeps>;
