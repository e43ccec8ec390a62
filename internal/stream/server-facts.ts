import { z } from "zod";

/** What a NATS server says about itself at its monitoring endpoint. Sizes are bytes. */
export interface ServerFacts {
  readonly name: string;
  readonly version: string;
  readonly maxPayload: number;
  /** Whether JetStream writes to the disk before each ack. */
  readonly syncAlways: boolean;
  /** How often it writes otherwise, ms; undefined where the server does not say. */
  readonly syncIntervalMs: number | undefined;
  /** What JetStream may store on this server: max_file_store, or else three quarters of the free disk at its start. */
  readonly maxStorage: number;
  /** What it stores now. */
  readonly usedStorage: number;
}

const VARZ = z.object({
  server_name: z.string(),
  version: z.string(),
  max_payload: z.number(),
  jetstream: z.object({
    config: z
      .object({
        max_storage: z.number().default(0),
        sync_interval: z.number().optional(),
        sync_always: z.boolean().default(false),
      })
      .optional(),
    stats: z.object({ storage: z.number().default(0) }).optional(),
  }),
});

const TIMEOUT_MS = 5_000;

/**
 * Asks a server's monitoring endpoint.
 * @param monitorUrl http://host:port of the server's `http` setting.
 * @throws when it does not answer within 5 s, or has no JetStream.
 */
export async function readServer(monitorUrl: string): Promise<ServerFacts> {
  const response = await fetch(new URL("varz", `${monitorUrl.replace(/\/$/, "")}/`), {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`/varz answered ${response.status}`);
  const { server_name, version, max_payload, jetstream } = VARZ.parse(await response.json());
  if (jetstream.config === undefined) throw new Error(`${server_name} runs without JetStream`);
  const { max_storage, sync_interval, sync_always } = jetstream.config;
  return {
    name: server_name,
    version,
    maxPayload: max_payload,
    syncAlways: sync_always,
    syncIntervalMs: sync_interval === undefined ? undefined : sync_interval / 1_000_000,
    maxStorage: max_storage,
    usedStorage: jetstream.stats?.storage ?? 0,
  };
}
