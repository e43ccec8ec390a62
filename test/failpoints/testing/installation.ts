import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { KNOWN_VARIABLES } from "../../../internal/config/programs/all.ts";
import { freePort } from "../../../internal/embedded/free-port.ts";
import { temporaryDirectory } from "../../../internal/embedded/temporary.ts";
import type { CreatedMerchant } from "../../../internal/store/merchants.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { CONSUMER } from "../../../internal/stream/partition-feed.ts";
import { eventsStream } from "../../../internal/stream/streams.ts";
import { openTestDatabase } from "../../kit/database.ts";
import { createTestMerchant } from "../../kit/installation.ts";
import { openTestNats } from "../../kit/nats.ts";
import { Loader } from "./client.ts";
import { Program } from "./program.ts";

export const PARTITIONS = 2;

/** Quick to notice things; those that this version does not know are left out. */
const SETTINGS: Readonly<Record<string, string>> = {
  FOOTFALL_LOG_LEVEL: "error",
  FOOTFALL_AGGREGATOR_HEARTBEAT_MS: "100",
  FOOTFALL_AGGREGATOR_REFRESH_INTERVAL_MS: "10",
  FOOTFALL_AGGREGATOR_LEASE_MS: "600",
  FOOTFALL_AGGREGATOR_LEASE_RENEW_MS: "100",
  FOOTFALL_COLLECTOR_SPOOL_AFTER_MS: "50",
};

/** The write path in processes of its own: two collectors, one with a spool, an ingest and an aggregator. */
export interface Installation {
  readonly pool: Pool;
  readonly jsm: JetStreamManager;
  readonly merchants: readonly CreatedMerchant[];
  /** The collector without a spool, and the one with; each with what sends to it. */
  readonly plain: Collector;
  readonly spooling: Collector;
  readonly ingest: Program;
  readonly aggregator: Program;
  close(): Promise<void>;
}

export interface Collector {
  readonly program: Program;
  readonly loader: Loader;
}

export async function openInstallation(): Promise<Installation> {
  const [database, nats, directory] = await Promise.all([
    openTestDatabase(PARTITIONS),
    openTestNats(),
    temporaryDirectory("failpoints"),
  ]);
  const programs: Program[] = [];
  const loaders: Loader[] = [];
  const close = async () => {
    for (const loader of loaders) loader.close();
    await Promise.all(programs.map((program) => program.close()));
    await Promise.all([nats.close(), database.close()]);
    await directory.remove();
  };
  try {
    const env = await environment(database.url, nats.url);
    const create = async (...args: Parameters<typeof Program.create>) => {
      const program = await Program.create(...args);
      programs.push(program);
      return program;
    };
    const collector = async (settings: Readonly<Record<string, string>>): Promise<Collector> => {
      const port = String(await freePort());
      const program = await create("collector", { ...env, ...settings, FOOTFALL_COLLECTOR_PORT: port });
      const loader = new Loader(`http://127.0.0.1:${port}`);
      loaders.push(loader);
      return { program, loader };
    };
    const parts = {
      aggregator: await create("aggregator", env),
      ingest: await create("ingest", env),
      plain: await collector({}),
      spooling: await collector({ FOOTFALL_COLLECTOR_SPOOL_DIR: join(directory.path, "spool") }),
    };
    await parts.ingest.start();
    await Promise.all([parts.aggregator, parts.plain.program, parts.spooling.program].map((p) => p.start()));
    const merchants = [];
    for (let i = 0; i < 4; i++) merchants.push(await createTestMerchant(database.pool));
    const jsm = await jetstreamManager(await nats.connect());
    return { pool: database.pool, jsm, merchants, ...parts, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function environment(databaseUrl: string, natsUrl: string) {
  const ingestPort = await freePort();
  const settings = Object.entries(SETTINGS).filter(([name]) => KNOWN_VARIABLES.has(name));
  return {
    ...Object.fromEntries(settings),
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    FOOTFALL_INGEST_PORT: String(ingestPort),
    FOOTFALL_INGEST_ADDRESS: `127.0.0.1:${ingestPort}`,
    FOOTFALL_INGEST_TOKENS: "token",
    FOOTFALL_INGEST_TOKEN: "token",
  };
}

/** Of each partition: the end of its stream, what is committed of it, and what JetStream was told of that. */
export async function progress({ pool, jsm }: Installation) {
  const { rows } = await pool.query<{ partition: number; position: number }>(
    "SELECT partition_id AS partition, stream_seq::integer AS position FROM partitions ORDER BY 1",
  );
  return Promise.all(
    rows.map(async ({ partition, position }) => {
      const stream = eventsStream(partition);
      const { state } = await jsm.streams.info(stream);
      const consumer = await jsm.consumers.info(stream, CONSUMER).catch(() => undefined);
      return { partition, position, last: state.last_seq, acked: consumer?.ack_floor.stream_seq ?? 0 };
    }),
  );
}
