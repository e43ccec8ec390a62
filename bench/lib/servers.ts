import { jetstreamManager } from "@nats-io/jetstream";
import { startNats } from "../../internal/embedded/nats/start.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { migrate } from "../../internal/store/migrate.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { databaseVersions, newDatabase, where } from "./database.ts";

/** Servers that a benchmark runs against: given ones, or embedded ones. */
export interface Servers {
  readonly natsUrl: string;
  /** Of an embedded nats-server. */
  readonly natsPid: number | undefined;
  /** Of an embedded database. */
  readonly databasePid: number | undefined;
  /** A database of its own, migrated. */
  readonly databaseUrl: string;
  readonly pool: Pool;
  /** What they are, for the report. */
  readonly versions: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts or finds the servers: DATABASE_URL and NATS_URL where given, else embedded. */
export async function startServers(partitions: number): Promise<Servers> {
  const folder = await temporaryDirectory("bench");
  const closers: (() => Promise<unknown>)[] = [() => folder.remove()];
  const stop = async () => {
    for (const close of closers.toReversed()) await close();
  };
  try {
    const nats = await broker(folder.path, closers);
    const { url: databaseUrl, pid: databasePid } = await newDatabase(folder.path, closers);
    const pool = createPool({ url: databaseUrl, name: "bench", maxConnections: 8, statementTimeoutMs: 0 });
    closers.push(() => pool.end());
    await migrate(pool, partitions);
    await removeStreams(nats.url);
    const found = await versions(pool, nats.url);
    const pids = { natsPid: nats.pid, databasePid };
    return { natsUrl: nats.url, databaseUrl, ...pids, pool, versions: found, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function broker(
  folder: string,
  closers: (() => Promise<unknown>)[],
): Promise<{ url: string; pid?: number }> {
  if (process.env.NATS_URL !== undefined) return { url: process.env.NATS_URL };
  const nats = await startNats({ dataDir: `${folder}/nats` });
  closers.push(() => nats.stop());
  return nats;
}

/** A broker of the user's own may hold streams of an earlier benchmark; those of an installation are not ours. */
async function removeStreams(natsUrl: string): Promise<void> {
  const nats = await connectNats(natsUrl, "bench", 10_000);
  try {
    const jsm = await jetstreamManager(nats);
    for await (const { config } of jsm.streams.list()) {
      if (process.env.NATS_URL !== undefined && process.env.FOOTFALL_BENCH_MAY_DELETE !== "true") {
        throw new Error(
          `NATS_URL: holds the stream ${config.name}; FOOTFALL_BENCH_MAY_DELETE=true lets the benchmark delete it`,
        );
      }
      await jsm.streams.delete(config.name);
    }
  } finally {
    await nats.close();
  }
}

async function versions(pool: Pool, natsUrl: string): Promise<Record<string, string>> {
  const nats = await connectNats(natsUrl, "bench", 10_000);
  const server = nats.info?.version ?? "unknown";
  await nats.close();
  return { ...(await databaseVersions(pool)), nats: server, nats_is: where("NATS_URL") };
}
