import { integer } from "../setting.ts";

const ms = integer(100, 3_600_000);

/** How many connections a program that writes makes, and how long things may take there. */
export const databaseLimits = {
  databaseConnections: {
    description: "most connections for writes; reads of positions share them",
    schema: integer(1, 1_000),
    fallback: "8",
  },
  statementTimeoutMs: { description: "longest time of a write statement, ms", schema: ms, fallback: "30000" },
  transactionTimeoutMs: {
    description:
      "longest time of a transaction, after which its connection is cut, and longest wait for a connection, ms",
    schema: ms,
    fallback: "60000",
  },
  lockTimeoutMs: { description: "longest wait for a lock, ms", schema: ms, fallback: "10000" },
  idleInTransactionTimeoutMs: {
    description: "longest pause within a transaction, after which the database ends it, ms",
    schema: ms,
    fallback: "4000",
  },
  connectTimeoutMs: {
    description: "longest time for making a connection to the database, ms",
    schema: ms,
    fallback: "5000",
  },
  keepAliveMs: {
    flag: "database-keepalive-ms",
    description: "silence on a database connection before TCP probes it (10 probes, a second apart), ms",
    schema: integer(1_000, 3_600_000),
    fallback: "10000",
  },
} as const;
