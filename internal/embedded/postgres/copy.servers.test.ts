import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { CopyInput } from "./copy.ts";
import { copyFail, Msg, message, simpleQuery } from "./messages.ts";
import { startTimescale, type Timescale } from "./start.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let timescale: Timescale;
let client: pg.Client;

beforeAll(async () => {
  directory = await temporaryDirectory("copy");
  timescale = await startTimescale({ dataDir: directory.path });
  client = new pg.Client(timescale.url);
  await client.connect();
}, 60_000);

afterAll(async () => {
  await client?.end();
  await timescale?.stop();
  await directory.remove();
});

beforeEach(() => client.query("DROP TABLE IF EXISTS t; CREATE TABLE t (a int PRIMARY KEY, b text)"));

const copy = (sql: string, chunks: Iterable<Buffer | string>) =>
  pipeline(Readable.from(chunks, { objectMode: false }), client.query(copyFrom(sql)));

const count = async () => (await client.query("SELECT count(*)::int AS n FROM t")).rows[0].n;

/** Rows in the binary format, with its header and trailer. */
function binary(keys: number[]): Buffer {
  const rows = keys.map((key) => {
    const row = Buffer.alloc(2 + 8 + 6);
    row.writeInt16BE(2, 0);
    row.writeInt32BE(4, 2);
    row.writeInt32BE(key, 6);
    row.writeInt32BE(2, 10);
    row.write("bb", 14);
    return row;
  });
  const header = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
  return Buffer.concat([header, ...rows, Buffer.from([0xff, 0xff])]);
}

describe("COPY FROM STDIN", () => {
  test("text and CSV", async () => {
    await copy("COPY t FROM STDIN", ["1\tx\n2", "\ty\n"]);
    await copy("COPY t (b, a) FROM STDIN WITH (FORMAT csv, HEADER)", ['b,a\n"p,q",3\n']);
    expect((await client.query("SELECT b FROM t ORDER BY a")).rows).toEqual([
      { b: "x" },
      { b: "y" },
      { b: "p,q" },
    ]);
  });

  test("more rows than any buffer holds", async () => {
    const rows = Array.from({ length: 1_000 }, (_, i) =>
      Array.from({ length: 100 }, (_, j) => `${i * 100 + j}\t${"z".repeat(50)}\n`).join(""),
    );
    await copy("COPY t FROM STDIN", rows);
    expect(await count()).toBe(100_000);
  });

  test("in a transaction, a failed COPY is undone by its savepoint", async () => {
    await client.query("BEGIN");
    await copy("COPY t FROM STDIN (FORMAT binary)", [binary([1, 2, 3])]);
    await client.query("SAVEPOINT s");
    const many = binary([...Array.from({ length: 20_000 }, (_, i) => i + 10), 2]);
    await expect(copy("COPY t FROM STDIN (FORMAT binary)", [many])).rejects.toMatchObject({
      code: "23505",
      constraint: "t_pkey",
      detail: "Key (a)=(2) already exists.",
    });
    await expect(client.query("SELECT 1")).rejects.toMatchObject({ code: "25P02" });
    await client.query("ROLLBACK TO SAVEPOINT s");
    await copy("COPY t FROM STDIN (FORMAT binary)", [binary([4])]);
    await client.query("COMMIT");
    expect(await count()).toBe(4);
  });

  test.each([
    ["a table that is not there", "COPY nowhere FROM STDIN", "1\n", "42P01"],
    ["a bad value", "COPY t FROM STDIN", "one\tx\n", "22P02"],
    ["a missing column", "COPY t FROM STDIN", "1\n", "22P04"],
  ])("%s fails cleanly", async (_, sql, data, code) => {
    await expect(copy(sql, [data])).rejects.toMatchObject({ code });
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  test("a client that gives up leaves nothing", async () => {
    const stream = client.query(copyFrom("COPY t FROM STDIN"));
    stream.write("1\tx\n");
    const failed = new Promise((resolve) => stream.once("error", resolve));
    stream.destroy(new Error("changed my mind"));
    await failed;
    expect(await count()).toBe(0);
  });

  test("an unannounced COPY, behind another statement, fails and does not kill the database", async () => {
    await expect(client.query("SELECT 1; COPY t FROM STDIN")).rejects.toMatchObject({ code: "57014" });
    expect(await count()).toBe(0);
  });

  test("too much data becomes a failed COPY", () => {
    const input = new CopyInput(simpleQuery("COPY t FROM STDIN"), 10);
    input.add(message(Msg.CopyData, "0123456789"));
    const reason = "15 bytes in one COPY, at most 10 are taken";
    expect(input.finish(message(Msg.CopyDone))[1]).toEqual(copyFail(reason));
  });
});

test("COPY TO STDOUT", async () => {
  await copy("COPY t FROM STDIN", ["1\tx\n2\t\\N\n"]);
  const chunks: Buffer[] = [];
  for await (const chunk of client.query(copyTo("COPY t TO STDOUT"))) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe("1\tx\n2\t\\N\n");
});
