import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Child } from "../embedded/child.ts";
import { freePort } from "../embedded/free-port.ts";
import { startNats } from "../embedded/nats/start.ts";
import { startTimescale } from "../embedded/postgres/start.ts";
import { s3Settings, startS3 } from "../embedded/s3/start.ts";
import { migrate } from "../store/migrate.ts";
import { createPool } from "../store/pool.ts";
import { type ProgramName, startProgram } from "./programs.ts";
import { Supervisor, type SupervisorEvents } from "./supervisor.ts";

export interface InstallationOptions {
  /** Holds what the embedded parts store; kept at the end. */
  readonly dataDir: string;
  /** Fixed for good at the first start in a folder or database. */
  readonly partitions: number;
  /** Used instead of the embedded TimescaleDB. */
  readonly databaseUrl?: string | undefined;
  /** Used instead of the embedded nats-server. */
  readonly natsUrl?: string | undefined;
  /** Whether an S3 endpoint and the archiver are started too. Default: no. */
  readonly archive?: boolean;
  /** Ports of the services; free ones where absent or 0. */
  readonly ports?: Partial<Record<"collector" | "query", number>>;
  /** Further settings of the programs. */
  readonly env?: Readonly<Record<string, string>>;
  readonly events?: SupervisorEvents;
  /** Gets all that the programs print. */
  readonly onOutput?: (program: ProgramName, text: string) => void;
}

/** Of the archiver only where there is one. */
type OpsUrls = Readonly<Record<Exclude<ProgramName, "archiver">, string> & { readonly archiver?: string }>;

/** A whole Footfall on one machine. */
export interface Installation {
  readonly databaseUrl: string;
  /** What to type for it at a shell: an address that was given may hold a password, and is not shown. */
  readonly databaseWord: string;
  readonly natsUrl: string;
  /** Address of CollectService. */
  readonly collectorUrl: string;
  /** Address of QueryService. */
  readonly queryUrl: string;
  /** Addresses of the programs' operators' ports: /livez, /readyz, /metrics. */
  readonly opsUrls: OpsUrls;
  /** Settings with which another program can be pointed at this installation. */
  readonly env: Readonly<Record<string, string>>;
  /** Process id of a part: timescale, nats or a program; undefined while it is being restarted. */
  pid(part: string): number | undefined;
  /** Stops everything, the collector first; what was acked stays stored. */
  stop(): Promise<void>;
}

/** Starts all parts and programs, and keeps them running: one that dies is started again. */
export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const supervisor = new Supervisor(options.events);
  try {
    await mkdir(options.dataDir, { recursive: true });
    const [databaseUrl, natsUrl, s3Url] = await Promise.all([
      options.databaseUrl ?? embedded(supervisor, "timescale", options.dataDir, startTimescale),
      options.natsUrl ?? embedded(supervisor, "nats", options.dataDir, startNats),
      options.archive === true ? embedded(supervisor, "s3", options.dataDir, startS3) : undefined,
    ]);
    await prepareDatabase(databaseUrl, options.partitions);
    const addresses = await startPrograms(supervisor, options, {
      DATABASE_URL: databaseUrl,
      NATS_URL: natsUrl,
      ...(s3Url === undefined ? {} : s3Settings(s3Url)),
    });
    return {
      databaseUrl,
      databaseWord: options.databaseUrl === undefined ? databaseUrl : '"$DATABASE_URL"',
      natsUrl,
      ...addresses,
      pid: (part) => supervisor.pid(part),
      stop: () => supervisor.stop(),
    };
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

/** Keeps an embedded server running, on one port and in a folder of its own. @returns its address. */
async function embedded(
  supervisor: Supervisor,
  name: string,
  dataDir: string,
  start: (options: { dataDir: string; port: number }) => Promise<Child & { readonly url: string }>,
): Promise<string> {
  const port = await freePort();
  let url = "";
  await supervisor.add({
    name,
    async start() {
      const server = await start({ dataDir: join(dataDir, name), port });
      url = server.url;
      return server;
    },
  });
  return url;
}

async function prepareDatabase(url: string, partitions: number): Promise<void> {
  const pool = createPool({ url, name: "standalone", maxConnections: 1, statementTimeoutMs: 0 });
  try {
    await migrate(pool, partitions);
  } finally {
    await pool.end();
  }
}

async function startPrograms(
  supervisor: Supervisor,
  { dataDir, ports = {}, env = {}, archive = false, onOutput = () => {} }: InstallationOptions,
  shared: Readonly<Record<string, string>>,
) {
  const token = randomBytes(24).toString("base64url");
  const ingestPort = await freePort();
  const collectorPort = ports.collector || (await freePort());
  const queryPort = ports.query || (await freePort());
  const settings = {
    ...shared,
    FOOTFALL_INGEST_PORT: String(ingestPort),
    FOOTFALL_INGEST_ADDRESS: `127.0.0.1:${ingestPort}`,
    FOOTFALL_INGEST_TOKENS: token,
    FOOTFALL_INGEST_TOKEN: token,
    FOOTFALL_COLLECTOR_PORT: String(collectorPort),
    FOOTFALL_QUERY_PORT: String(queryPort),
    ...env,
  };
  const opsUrls = {} as Record<ProgramName, string>;
  const add = async (name: ProgramName, own: Readonly<Record<string, string>> = {}) => {
    const opsPort = await freePort();
    opsUrls[name] = `http://127.0.0.1:${opsPort}`;
    const print = (text: string) => onOutput(name, text);
    await supervisor.add({ name, start: () => startProgram(name, opsPort, { ...own, ...settings }, print) });
  };
  // Side by side: each waits for what it needs. Stopping goes the other way, the collector first.
  const others = archive ? [add("archiver")] : [];
  // The streams are ingest's: an archiver that comes before them tries again.
  await Promise.all([add("aggregator"), add("query"), add("ingest"), ...others]);
  // A spool belongs to one collector: another one that is pointed at this installation must not get it too.
  await add("collector", { FOOTFALL_COLLECTOR_SPOOL_DIR: join(dataDir, "spool") });
  return {
    collectorUrl: `http://127.0.0.1:${collectorPort}`,
    queryUrl: `http://127.0.0.1:${queryPort}`,
    opsUrls,
    env: settings,
  };
}
