import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import {
  CollectService,
  EventStatus,
  SendRequestSchema,
  type SendResponse,
} from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import { methodDefinition } from "../../internal/rpc/grpc-js.ts";

const SEND = methodDefinition(CollectService.method.send);

/** Event ids by what their sender was told of them. */
export interface Told {
  readonly accepted: Set<string>;
  /** RESOURCE_EXHAUSTED: nothing of them was taken. */
  readonly refused: Set<string>;
  /** Any other answer, or none: they may be stored or not. */
  readonly unknown: Set<string>;
  /** The times to wait that came with refusals, ms; NaN where none came. */
  readonly waits: number[];
}

export interface FloodOptions {
  readonly url: string;
  /** One merchant after the other sends. */
  readonly writeKeys: readonly string[];
  readonly eventsPerSecond: number;
  readonly seconds: number;
}

/** A flood that goes on. */
export interface Flood {
  /** What was told so far. */
  readonly told: Told;
  /** When every request was sent. */
  readonly sent: Promise<void>;
  /** When every request was answered. */
  readonly answered: Promise<Told>;
}

const EVENTS = 100;

/** Sends requests of 100 events at a rate, whatever is answered, and none of them again. */
export function flood(options: FloodOptions): Promise<Told> {
  return startFlood(options).answered;
}

/** A flood, and how far it is. */
export function startFlood(options: FloodOptions): Flood {
  const told: Told = { accepted: new Set(), refused: new Set(), unknown: new Set(), waits: [] };
  const client = new Client(new URL(options.url).host, credentials.createInsecure(), {
    "grpc.enable_retries": 0,
  });
  const under: Promise<void>[] = [];
  const sent = sendAll(client, options, told, under);
  const answered = sent
    .then(() => Promise.all(under))
    .then(() => told)
    .finally(() => client.close());
  return { told, sent, answered };
}

/** @param under gets the requests that are on their way. */
async function sendAll(
  client: Client,
  { writeKeys, eventsPerSecond, seconds }: FloodOptions,
  told: Told,
  under: Promise<void>[],
): Promise<void> {
  const started = performance.now();
  const run = Math.random().toString(36).slice(2);
  const total = (eventsPerSecond / EVENTS) * seconds;
  while (under.length < total) {
    const due = ((performance.now() - started) / 1_000) * (eventsPerSecond / EVENTS);
    while (under.length < Math.min(due, total)) {
      const key = writeKeys[under.length % writeKeys.length]!;
      under.push(sendOnce(client, key, `${run} ${under.length}`, told));
    }
    await sleep(5);
  }
}

function sendOnce(client: Client, key: string, prefix: string, told: Told): Promise<void> {
  const ids = Array.from({ length: EVENTS }, (_, at) => `${prefix} ${at}`);
  const events = ids.map((eventId) => ({
    name: "page_view",
    eventId,
    url: `https://shop.example/${eventId}`,
  }));
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${key}`);
  const { path, requestSerialize, responseDeserialize } = SEND;
  const request = create(SendRequestSchema, { events });
  const options = { deadline: Date.now() + 60_000 };
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      (error, answer) => {
        const statuses = (answer as SendResponse | undefined)?.statuses;
        const refused = error?.code === status.RESOURCE_EXHAUSTED;
        if (refused) told.waits.push(Number(error.metadata.get("grpc-retry-pushback-ms")[0] ?? Number.NaN));
        for (const [at, id] of ids.entries()) {
          if (refused) told.refused.add(id);
          else if (statuses?.[at] === EventStatus.ACCEPTED) told.accepted.add(id);
          else told.unknown.add(id);
        }
        resolve();
      },
    );
  });
}

/** Watches the resident memory of processes. @returns a function that ends it and tells the most of each, MiB. */
export function watchMemory(pids: Readonly<Record<string, number>>): () => Record<string, number> {
  const most: Record<string, number> = {};
  const look = async (name: string, pid: number) => {
    const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const kib = Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    most[name] = Math.max(most[name] ?? 0, Math.round(kib / 1_024));
  };
  const timer = setInterval(() => {
    for (const [name, pid] of Object.entries(pids)) void look(name, pid);
  }, 100);
  return () => {
    clearInterval(timer);
    return most;
  };
}
