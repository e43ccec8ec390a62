import { setTimeout as sleep } from "node:timers/promises";
import { from as copyFrom } from "pg-copy-streams";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { LineProxy } from "../../test/kit/line-proxy.ts";
import { freePort } from "../embedded/free-port.ts";
import { createRegistry } from "../telemetry/metrics.ts";
import {
  createPool,
  cutConnections,
  onConnection,
  type Pool,
  type PoolOptions,
  transaction,
} from "./pool.ts";
import { isTemporary } from "./temporary.ts";
import { FencedError } from "./write-batches.ts";

let database: TestDatabase;
let proxy: LineProxy;
const pools: Pool[] = [];

beforeAll(async () => {
  database = await openTestDatabase(4);
  proxy = await LineProxy.start(Number(new URL(database.url).port));
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
});

afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

function poolWith(options: Partial<PoolOptions>): Pool {
  const url = new URL(database.url);
  url.port = String(proxy.port);
  const all = { url: url.href, name: "pool test", maxConnections: 2, statementTimeoutMs: 20_000, ...options };
  const pool = createPool(all);
  pools.push(pool);
  return pool;
}

const LOCK_ROW = "UPDATE partitions SET stream_seq = stream_seq WHERE partition_id = 1";

/** Another writer of the same row does not have to wait for long. */
async function expectRowFree(): Promise<void> {
  const started = performance.now();
  await database.pool.query(LOCK_ROW);
  expect(performance.now() - started).toBeLessThan(10_000);
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable("it went well"),
    (error: unknown) => error,
  );
}

describe("a connection that falls silent", () => {
  test("within a COPY, where no limit of the server holds: the row it has locked is free again", async () => {
    const pool = poolWith({ transactionTimeoutMs: 1_000, idleInTransactionTimeoutMs: 2_000 });
    const work = transaction(pool, async (client) => {
      await client.query(LOCK_ROW);
      const copy = client.query(copyFrom("COPY stream_gaps (partition_id, first_seq, last_seq) FROM STDIN"));
      const failed = new Promise((_, reject) => copy.on("error", reject));
      await new Promise((resolve) => copy.write("1\t1\t1\n", resolve));
      await sleep(100);
      proxy.meetOnce({ kind: "stall" });
      await failed;
    });
    expect(isTemporary(await failureOf(work))).toBe(true);
    await expectRowFree();
    expect((await pool.query("SELECT 1 FROM stream_gaps")).rows).toEqual([]);
  });

  test("before a statement: the client stops to wait for it", async () => {
    const pool = poolWith({ statementTimeoutMs: 400, idleInTransactionTimeoutMs: 2_000 });
    const work = transaction(pool, async (client) => {
      await client.query(LOCK_ROW);
      proxy.meetOnce({ kind: "stall" });
      await client.query("SELECT 1");
    });
    expect(isTemporary(await failureOf(work))).toBe(true);
    await expectRowFree();
    await pool.query("SELECT 1");
  });

  test("outside of transactions", async () => {
    const pool = poolWith({ statementTimeoutMs: 400 });
    await pool.query("SELECT 1");
    proxy.meetOnce({ kind: "stall" });
    expect(isTemporary(await failureOf(pool.query("SELECT 1")))).toBe(true);
    await pool.query("SELECT 1");
  });
});

test("a connection that breaks between two statements fails the next one, and is not used again", async () => {
  const pool = poolWith({ maxConnections: 1 });
  const pid = () =>
    onConnection(pool, async (client) => (await client.query("SELECT pg_backend_pid()")).rows[0]);
  await pid();
  const work = onConnection(pool, async (client) => {
    await client.query("SET enable_bitmapscan = off");
    const ended = new Promise((resolve) => client.once("end", resolve));
    cutConnections(pool);
    await ended;
    await client.query("SELECT 1");
  });
  expect(await failureOf(work)).toBeInstanceOf(Error);
  await pid();
  expect((await pool.query("SHOW enable_bitmapscan")).rows).toEqual([{ enable_bitmapscan: "on" }]);
});

test("connections that are cut fail at once, and the pool goes on with new ones", async () => {
  const pool = poolWith({});
  const work = transaction(pool, async (client) => {
    await client.query(LOCK_ROW);
    await client.query("SELECT pg_sleep(0.5)");
    await client.query("SELECT pg_sleep(0.5)");
  });
  const failure = failureOf(work);
  await waitFor("the connection", () => pool.totalCount === 1);
  await sleep(200);
  cutConnections(pool);
  expect(isTemporary(await failure)).toBe(true);
  await expectRowFree();
  await Promise.all([pool.query("SELECT 1"), pool.query("SELECT 1"), pool.query("SELECT 1")]);
  expect(pool.idleCount).toBe(pool.totalCount);
});

test("connections, and the waits for them, are told of from the start", async () => {
  const registry = createRegistry("test");
  const pool = poolWith({ registry, use: "writes", maxConnections: 1 });
  const told = async () => {
    const lines = (await registry.metrics()).matchAll(
      /^footfall_database_(\w+)\{.*pool="writes".*\} (\S+)$/gm,
    );
    return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
  };
  const none = { connections: 0, connections_in_use: 0, connections_max: 1, connections_awaited: 0 };
  expect(await told()).toMatchObject({ ...none, wait_seconds_count: 0 });
  const client = await pool.connect();
  const waiting = pool.query("SELECT 1");
  await waitFor("the wait", () => pool.waitingCount === 1);
  expect(await told()).toMatchObject({ connections: 1, connections_in_use: 1, connections_awaited: 1 });
  client.release();
  await waiting;
  expect(await told()).toMatchObject({ ...none, connections: 1, wait_seconds_count: 2 });
});

describe("failures that are tried again", () => {
  test.each([
    "53100",
    "53200",
    "53300",
    "57P03",
    "57P01",
    "55P03",
    "57014",
    "40001",
    "40P01",
    "25P03",
    "58030",
    "08006",
  ])("SQLSTATE %s", async (state) => {
    expect(isTemporary(await failureOf(raise(state)))).toBe(true);
  });

  test("nobody listens, nobody answers, no free connection, fenced", async () => {
    const away = new URL(database.url);
    away.port = String(await freePort());
    expect(isTemporary(await failureOf(poolWith({ url: away.href }).query("SELECT 1")))).toBe(true);
    away.hostname = "localhost";
    expect(isTemporary(await failureOf(poolWith({ url: away.href }).query("SELECT 1")))).toBe(true);
    away.hostname = "no-such-host.invalid";
    expect(isTemporary(await failureOf(poolWith({ url: away.href }).query("SELECT 1")))).toBe(true);
    const busy = poolWith({ maxConnections: 1, connectTimeoutMs: 100, transactionTimeoutMs: 100 });
    const client = await busy.connect();
    expect(isTemporary(await failureOf(busy.query("SELECT 1")))).toBe(true);
    client.release();
    expect(isTemporary(new FencedError("partition 1"))).toBe(true);
  });

  test.each(["22021", "22003", "23514", "42703", "P0001"])("not SQLSTATE %s", async (state) => {
    expect(isTemporary(await failureOf(raise(state)))).toBe(false);
  });

  test("not a mistake in the code", () => {
    expect(isTemporary(new TypeError("x is not a function"))).toBe(false);
    expect(isTemporary(Object.assign(new Error("x"), { code: "ERR_INVALID_ARG_TYPE" }))).toBe(false);
    expect(isTemporary("text")).toBe(false);
  });
});

function raise(state: string): Promise<unknown> {
  return database.pool.query(`DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '${state}'; END $$`);
}
