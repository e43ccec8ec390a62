import { visitorHash } from "../../../internal/aggregate/steps/visitor.ts";
import { type ErasedArchive, eraseFromArchive } from "../../../internal/archive/erase.ts";
import { type Verified, verifyArchive } from "../../../internal/archive/verify.ts";
import { ConfigError } from "../../../internal/config/read-config.ts";
import { openStore } from "../../../internal/lake/open-store.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import type { Config } from "./command.ts";

/** Reads the archive's objects again and compares them with the ledger. */
export async function verifyTheArchive(
  pool: Pool,
  { s3Bucket, from, to, ...config }: Config,
): Promise<Verified> {
  if (s3Bucket === undefined) throw new ConfigError("verify-archive: --s3-bucket is required");
  await readInstallation(pool);
  const store = openStore({ ...config, s3Bucket });
  try {
    return await verifyArchive(pool, store, { from, to });
  } finally {
    store.close();
  }
}

/** Rewrites the archive's objects without the events of erased visitors and merchants. */
export async function eraseArchive(pool: Pool, { s3Bucket, ...config }: Config): Promise<ErasedArchive> {
  if (s3Bucket === undefined) throw new ConfigError("erase-archive: --s3-bucket is required");
  await readInstallation(pool);
  const store = openStore({ ...config, s3Bucket });
  try {
    return await eraseFromArchive(pool, store, visitorHash);
  } finally {
    store.close();
  }
}
