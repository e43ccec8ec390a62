import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPgbouncer, findPostgres } from "../../../test/kit/debian-programs.ts";
import { waitFor } from "../../../test/kit/installation-wait.ts";
import { type Pgbouncer, startPgbouncer } from "../../../test/kit/pgbouncer.ts";
import { type PlainPostgres, startPlainPostgres } from "../../../test/kit/plain-postgres.ts";
import { createPool, type Pool, transaction } from "../pool.ts";
import { requireSessions } from "./pooled-sessions.ts";

const [postgresProgram, pgbouncerProgram] = [await findPostgres(), await findPgbouncer()];

let postgres: PlainPostgres;
let session: Pgbouncer;
let byTransaction: Pgbouncer;
const pools: Pool[] = [];

describe.skipIf(postgresProgram === undefined || pgbouncerProgram === undefined)(
  "needs Debian's postgresql and pgbouncer",
  () => {
    beforeAll(async () => {
      postgres = await startPlainPostgres(postgresProgram!);
      session = await startPgbouncer(pgbouncerProgram!, postgres.port, "session");
      byTransaction = await startPgbouncer(pgbouncerProgram!, postgres.port, "transaction");
    });

    afterAll(async () => {
      await Promise.all(pools.map((pool) => pool.end()));
      await session?.stop();
      await byTransaction?.stop();
      await postgres?.close();
    });

    const poolOf = (url: string, maxConnections = 3) => {
      const limits = { statementTimeoutMs: 700, lockTimeoutMs: 650, idleInTransactionTimeoutMs: 900 };
      const pool = createPool({ url, name: "pooler test", maxConnections, ...limits });
      pools.push(pool);
      return pool;
    };

    test.each([
      ["directly", () => postgres.url],
      ["through PgBouncer in session mode", () => session.url],
    ])("%s, every connection has its time limits, and is its own session", async (_, url) => {
      const pool = poolOf(url());
      const { rows } = await pool.query(
        `SELECT name, setting FROM pg_settings WHERE name ~ '_timeout$|^tcp_keepalives|^jit$|application'`,
      );
      const settings = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
      expect(settings).toMatchObject({
        statement_timeout: "700",
        lock_timeout: "650",
        idle_in_transaction_session_timeout: "900",
        jit: "off",
        tcp_keepalives_idle: "10",
        tcp_keepalives_interval: "1",
        tcp_keepalives_count: "10",
        application_name: "pooler test",
      });
      await expect(pool.query("SELECT pg_sleep(30)")).rejects.toMatchObject({ code: "57014" });
      await requireSessions(pool);
    });

    test("through PgBouncer in session mode a statement is cancelled, and the connection used again", async () => {
      const pool = poolOf(session.url, 1);
      const ending = new AbortController();
      const sleeping = transaction(
        pool,
        async (client) => {
          await client.query("SET LOCAL statement_timeout = 0");
          await client.query("SELECT pg_sleep(60)");
        },
        { signal: ending.signal },
      );
      const outside = poolOf(postgres.url, 1);
      const isSleeping = async () =>
        (
          await outside.query(
            "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)'",
          )
        ).rowCount === 1;
      sleeping.catch(() => {});
      await waitFor("the statement", isSleeping);
      ending.abort();
      await expect(sleeping).rejects.toMatchObject({ code: "57014" });
      expect(await isSleeping()).toBe(false);
      expect((await pool.query("SHOW statement_timeout")).rows).toEqual([{ statement_timeout: "700ms" }]);
    });

    test("PgBouncer in transaction mode is refused, with what to change", async () => {
      await expect(requireSessions(poolOf(byTransaction.url))).rejects.toThrow("pool_mode = session");
    });
  },
);
