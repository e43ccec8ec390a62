import { integer, type Setting } from "../setting.ts";

/** How many connections a program that writes makes, and how long things may take there. */
export function databaseLimits(program: string) {
  const setting = (
    name: string,
    description: string,
    schema: Setting<number>["schema"],
    fallback: string,
  ) => ({
    env: `FOOTFALL_${program.toUpperCase()}_${name.replaceAll("-", "_").toUpperCase()}`,
    flag: name,
    description,
    schema,
    fallback,
  });
  const ms = integer(100, 3_600_000);
  return {
    databaseConnections: setting(
      "database-connections",
      "most connections for writes; reads of positions share them",
      integer(1, 1_000),
      "8",
    ),
    statementTimeoutMs: setting("statement-timeout-ms", "longest time of a write statement, ms", ms, "60000"),
    transactionTimeoutMs: setting(
      "transaction-timeout-ms",
      "longest time of a transaction, after which its connection is cut, and longest wait for a connection, ms",
      ms,
      "120000",
    ),
    lockTimeoutMs: setting("lock-timeout-ms", "longest wait for a lock, ms", ms, "10000"),
    idleInTransactionTimeoutMs: setting(
      "idle-in-transaction-timeout-ms",
      "longest pause within a transaction, after which the database ends it, ms",
      ms,
      "4000",
    ),
    connectTimeoutMs: setting(
      "connect-timeout-ms",
      "longest time for making a connection to the database, ms",
      ms,
      "5000",
    ),
    keepAliveMs: setting(
      "database-keepalive-ms",
      "silence on a database connection before TCP probes it (10 probes, a second apart), ms",
      integer(1_000, 3_600_000),
      "10000",
    ),
  } as const;
}
