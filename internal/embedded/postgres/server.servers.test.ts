import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { Msg, message, sync } from "./messages.ts";
import { startTimescale, type Timescale } from "./start.ts";

const IDLE_MS = 1_500;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let timescale: Timescale;

beforeAll(async () => {
  directory = await temporaryDirectory("wire");
  timescale = await startTimescale({ dataDir: directory.path, idleInTransactionMs: IDLE_MS });
}, 60_000);

afterAll(async () => {
  await timescale?.stop();
  await directory.remove();
});

/** Runs with connected clients, and disconnects them. */
async function withClients(count: number, run: (...clients: pg.Client[]) => Promise<void>): Promise<void> {
  const clients = Array.from({ length: count }, () => new pg.Client(timescale.url));
  for (const client of clients) client.on("error", () => {});
  await Promise.all(clients.map((client) => client.connect()));
  try {
    await run(...clients);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

describe("queries", () => {
  test("types come back as pg knows them", () =>
    withClients(1, async (client) => {
      const sql = `SELECT $1::int i, $2::bigint b, $3::text t, $4::jsonb j, $5::timestamptz ts, $6::bytea y,
        $7::float8[] f, $8::boolean o, NULL n, current_user u, current_database() d`;
      const time = new Date("2026-03-29T01:30:00.123Z");
      const values = [7, "9007199254740993", "ünï'\\", { a: [1] }, time, Buffer.from([0, 255]), [1.5], true];
      expect((await client.query(sql, values)).rows).toEqual([
        {
          i: 7,
          b: "9007199254740993",
          t: "ünï'\\",
          j: { a: [1] },
          ts: time,
          y: Buffer.from([0, 255]),
          f: [1.5],
          o: true,
          n: null,
          u: "footfall",
          d: "footfall",
        },
      ]);
    }));

  test("rows of 5 MB go in and out", () =>
    withClients(1, async (client) => {
      const big = "x".repeat(5 << 20);
      const { rows } = await client.query("SELECT $1::text AS big FROM generate_series(1, 3)", [big]);
      expect(rows.map(({ big }) => big.length)).toEqual([big.length, big.length, big.length]);
    }));

  test("after an error the connection goes on, and the error has its fields", () =>
    withClients(1, async (client) => {
      const failed = { code: "22012", severity: "ERROR", message: "division by zero" };
      await expect(client.query("SELECT 1 / $1::int", [0])).rejects.toMatchObject(failed);
      await expect(client.query("SELECT 1/0")).rejects.toMatchObject(failed);
      await expect(client.query("SELEC")).rejects.toMatchObject({ code: "42601", position: "1" });
      expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    }));

  test("an error in a transaction is reported without debugging notices of PGlite", () =>
    withClients(1, async (client) => {
      const notices: unknown[] = [];
      client.on("notice", (notice) => notices.push(notice.message));
      await client.query("BEGIN");
      await expect(client.query("SELECT 1/0")).rejects.toMatchObject({ code: "22012" });
      await expect(client.query("SELECT 1")).rejects.toMatchObject({ code: "25P02" });
      await client.query("ROLLBACK");
      await client.query("DO $$ BEGIN RAISE NOTICE 'seen'; END $$");
      expect(notices).toEqual(["seen"]);
    }));
});

describe("two connections", () => {
  test("transactions started together run one after the other", () =>
    withClients(4, async (...clients) => {
      await clients[0]!.query("CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)");
      const add = async (client: pg.Client) => {
        for (let i = 0; i < 10; i++) {
          await client.query("BEGIN");
          const { rows } = await client.query("SELECT n FROM counter");
          await client.query("UPDATE counter SET n = $1", [rows[0].n + 1]);
          await client.query(i % 5 === 4 ? "ROLLBACK" : "COMMIT");
        }
      };
      await Promise.all(clients.map(add));
      expect((await clients[1]!.query("SELECT n FROM counter")).rows).toEqual([{ n: 32 }]);
    }));

  test("equal names of prepared statements do not collide", () =>
    withClients(2, async (one, two) => {
      const ask = (client: pg.Client, text: string) => client.query({ name: "S_1", text, values: [1] });
      expect((await ask(one, "SELECT $1::int AS a")).rows).toEqual([{ a: 1 }]);
      expect((await ask(two, "SELECT $1::text AS b")).rows).toEqual([{ b: "1" }]);
      expect((await ask(one, "SELECT $1::int AS a")).rows).toEqual([{ a: 1 }]);
    }));

  test("an unnamed statement outlives the queries of others", () =>
    withClients(1, async (other) => {
      const socket = connect(Number(new URL(timescale.url).port), "127.0.0.1");
      const readyAfter = async (...messages: Buffer[]) => {
        socket.write(Buffer.concat(messages));
        const chunks: Buffer[] = [];
        // The last message of an answer is ReadyForQuery: Z, its length, the status.
        while (Buffer.concat(chunks).at(-6) !== Msg.ReadyForQuery)
          chunks.push((await once(socket, "data"))[0]);
        return Buffer.concat(chunks).toString("latin1");
      };
      await readyAfter(Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0]));
      await readyAfter(message(Msg.Parse, "\0SELECT 'mine'\0\0\0"), sync());
      await other.query("SELECT $1::int", [1]);
      const bind = message(Msg.Bind, "\0\0", Buffer.alloc(6));
      const answer = await readyAfter(bind, message(Msg.Execute, "\0", Buffer.alloc(4)), sync());
      expect(answer).toMatch(/^2.*D.*mineC.*SELECT 1/s);
      socket.end(message(Msg.Terminate));
    }));

  test("settings and roles stay with the connection that made them", () =>
    withClients(2, async (one, two) => {
      await two.query("CREATE ROLE reader");
      await one.query("SET TIME ZONE 'Asia/Kathmandu'");
      await one.query("SELECT set_config('app.merchant', '7', false)");
      await one.query("SET ROLE reader");
      const state = `SELECT current_user u, current_setting('TimeZone') z,
        current_setting('app.merchant', true) m, current_setting('enable_seqscan') s`;
      expect((await two.query(state)).rows).toEqual([{ u: "footfall", z: "UTC", m: "", s: "on" }]);
      expect((await one.query(state)).rows).toEqual([{ u: "reader", z: "Asia/Kathmandu", m: "7", s: "on" }]);
      await one.query("RESET ROLE");
      await one.query("RESET ALL");
      expect((await one.query(state)).rows).toMatchObject([{ u: "footfall", z: "UTC", s: "on" }]);
      await two.query("DROP ROLE reader");
    }));

  test("notifications reach who listens", () =>
    withClients(2, async (one, two) => {
      await one.query("LISTEN news");
      const heard = once(one, "notification");
      await two.query("SELECT pg_notify('news', 'hello')");
      expect((await heard)[0]).toMatchObject({ channel: "news", payload: "hello" });
    }));
});

describe("connections that end badly", () => {
  test("a transaction of a client that disconnects is rolled back", async () => {
    await withClients(2, async (one, two) => {
      await one.query("CREATE TABLE left_open (a int)");
      await one.query("BEGIN");
      await one.query("INSERT INTO left_open VALUES (1)");
      const counted = two.query("SELECT count(*)::int AS n FROM left_open");
      (one as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      expect((await counted).rows).toEqual([{ n: 0 }]);
    });
  });

  test("a connection idle in a transaction is ended", () =>
    withClients(2, async (one, two) => {
      const ended = once(one, "error");
      await one.query("BEGIN");
      const waited = two.query("SELECT 1 AS one");
      expect((await ended)[0]).toMatchObject({ code: "25P03", severity: "FATAL" });
      expect((await waited).rows).toEqual([{ one: 1 }]);
    }));

  test.each([
    ["no Postgres at all", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a negative length", Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ["an unknown message", Buffer.from("\0\0\0\x09\0\x03\0\0\0!\0\0\0\x04")],
  ])("garbage ends only its own connection: %s", (_, bytes) =>
    withClients(1, async (client) => {
      const socket = connect(Number(new URL(timescale.url).port), "127.0.0.1");
      socket.write(bytes);
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toContain("C08P01");
      expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    }),
  );
});

const PSQL = ["/usr/bin/psql", "/usr/local/bin/psql"].find(existsSync);

test.skipIf(!PSQL)("psql: \\copy in and out, \\d", () => {
  const psql = (input: string, ...commands: string[]) =>
    execFileSync(PSQL!, [timescale.url, "-X", ...commands.flatMap((command) => ["-c", command])], {
      input,
      encoding: "utf8",
    });
  expect(psql("1,x\n2,y\n", "CREATE TABLE p (a int, b text)", "\\copy p FROM STDIN CSV")).toContain("COPY 2");
  expect(psql("", "\\copy p TO STDOUT CSV")).toBe("1,x\n2,y\n");
  expect(psql("", "\\d p")).toContain("integer");
});
