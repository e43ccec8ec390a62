import { rm } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { partitionOf } from "../../internal/event/partition.ts";
import { type Installation, startInstallation } from "../../internal/standalone/installation.ts";
import type { ProgramName } from "../../internal/standalone/programs.ts";
import { type CreatedMerchant, createMerchant, type NewMerchant } from "../../internal/store/merchants.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import { fillMigrated } from "./migrated-database.ts";

/** Partitions of a test's installation. */
export const PARTITIONS = 4;

/** A whole Footfall for one test file, on free ports and in a folder of its own. */
export interface TestInstallation extends Installation {
  /** For plain SQL: the independent count. */
  readonly pool: Pool;
  readonly dataDir: string;
  /** Parts that ended without stop(), in that order; the exit code is null when a signal ended it. */
  readonly deaths: readonly { readonly part: string; readonly exitCode: number | null }[];
  /** Stops everything and keeps the folder. May be called again. */
  stop(): Promise<void>;
  /** Stops everything and deletes the folder. */
  close(): Promise<void>;
}

export interface TestOptions {
  /** Further settings of the programs. */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder that an earlier installation has left. */
  readonly dataDir?: string;
  /** Whether there is an archive. Default: no. */
  readonly archive?: boolean;
  /** Gets all that the programs print. */
  readonly onOutput?: (program: ProgramName, text: string) => void;
}

/** Starts an installation with embedded parts. */
export async function startTestInstallation(options: TestOptions = {}): Promise<TestInstallation> {
  const dataDir = options.dataDir ?? (await temporaryDirectory("e2e")).path;
  if (options.dataDir === undefined) await fillMigrated(join(dataDir, "timescale"));
  const deaths: { part: string; exitCode: number | null }[] = [];
  // Quiet partitions tell how far they are more often than by default, so that tests wait less.
  const env = {
    FOOTFALL_LOG_LEVEL: "warn",
    FOOTFALL_AGGREGATOR_HEARTBEAT_MS: "250",
    // On a loaded machine ingest may be slow; tests that are not about spools expect none.
    FOOTFALL_COLLECTOR_SPOOL_AFTER_MS: "10000",
    ...options.env,
  };
  const died = (part: string, exitCode: number | null) => void deaths.push({ part, exitCode });
  const { archive = false, onOutput = () => {} } = options;
  const installation = await startInstallation({
    dataDir,
    partitions: PARTITIONS,
    archive,
    env,
    events: { died },
    onOutput,
  });
  const pool = createPool({
    url: installation.databaseUrl,
    name: "test",
    maxConnections: 1,
    statementTimeoutMs: 30_000,
  });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= pool.end().then(() => installation.stop());
    return stopping;
  };
  const close = async () => {
    await stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { ...installation, pool, dataDir, deaths, stop, close };
}

/** Creates a merchant: UTC, EUR and 760 days unless told otherwise. */
export function createTestMerchant(pool: Pool, fields: Partial<NewMerchant> = {}): Promise<CreatedMerchant> {
  return createMerchant(pool, {
    name: "A shop",
    timeZone: "UTC",
    currency: "EUR",
    retentionDays: 760,
    ...fields,
  });
}

/** Two merchants that live in the same partition, and so in the same batches. */
export async function createNeighbours(pool: Pool): Promise<[CreatedMerchant, CreatedMerchant]> {
  const byPartition = new Map<number, CreatedMerchant>();
  for (;;) {
    const merchant = await createTestMerchant(pool);
    const partition = partitionOf(merchant.merchantId, PARTITIONS);
    const neighbour = byPartition.get(partition);
    if (neighbour !== undefined) return [neighbour, merchant];
    byPartition.set(partition, merchant);
  }
}
