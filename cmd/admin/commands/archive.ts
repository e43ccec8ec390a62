import { s3 } from "../../../internal/config/programs/s3.ts";
import { optional } from "../../../internal/config/setting.ts";
import { fieldsTable, table } from "../../../internal/program/table.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import { command, day } from "../command.ts";

/** Loaded when asked for: the clients of S3 and Parquet take longer to load than most commands to run. */
const open = async (config: Parameters<typeof import("../../../internal/lake/open-store.ts").openStore>[0]) =>
  (await import("../../../internal/lake/open-store.ts")).openStore(config);

const verify = command({
  name: "archive verify",
  description:
    "Reads the archive's objects again and compares them with the ledger. Exit code 1 when they differ.",
  example: "--s3-bucket events --from 2026-03-01 --to 2026-03-31",
  settings: {
    ...s3,
    from: optional(day("first", "the first with data")),
    to: optional(day("last", "the last with data")),
  },
  run: async (pool, { from, to, ...config }) => {
    const { verifyArchive } = await import("../../../internal/archive/verify.ts");
    await readInstallation(pool);
    const store = await open(config);
    try {
      return await verifyArchive(pool, store, { from, to });
    } finally {
      store.close();
    }
  },
  isOk: ({ ok }) => ok,
  table: ({ ok, objects, rows, bytes, mismatches, unaccounted, orphans }) => {
    const counts = { objects, rows, bytes, "unknown to the ledger": orphans.length };
    const parts = [fieldsTable({ ok, ...counts })];
    if (mismatches.length > 0) {
      parts.push(
        table(
          ["object", "problem"],
          mismatches.map(({ name, problem }) => [name, problem]),
        ),
      );
    }
    if (unaccounted.length > 0)
      parts.push(`Sequences that nothing accounts for: ${JSON.stringify(unaccounted)}`);
    return parts.join("\n");
  },
});

const erase = command({
  name: "archive erase",
  description:
    "Rewrites the archive's objects without the events of erased persons and merchants, and without those older than their merchant's retention. Run it once a month.",
  example: "--s3-bucket events",
  settings: s3,
  run: async (pool, config) => {
    const { eraseFromArchive } = await import("../../../internal/archive/erase.ts");
    const { PERSON_HASHES } = await import("../../../internal/aggregate/steps/visitor.ts");
    const { partitions } = await readInstallation(pool);
    const store = await open(config);
    try {
      return await eraseFromArchive({ pool, store, hashes: PERSON_HASHES, partitions, now: Date.now() });
    } finally {
      store.close();
    }
  },
  table: ({ objects, rewritten, removed, expiredUnreadable, unreadable, purged }) =>
    fieldsTable({
      ...{ "objects read": objects, rewritten, "events removed": removed },
      ...{ "unreadable, expired": expiredUnreadable, unreadable, "versions removed of": purged },
    }),
});

export const ARCHIVE_COMMANDS = [verify, erase];
