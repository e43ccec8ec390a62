import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openEmptyDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { copyRows, copySlices } from "./copy-rows.ts";
import { CopyWriter } from "./copy-writer.ts";
import type { Client } from "./pool.ts";

const COPY = "COPY copied (number, txt) FROM STDIN (FORMAT binary)";

let database: TestDatabase;

beforeAll(async () => {
  database = await openEmptyDatabase();
  await database.pool.query("CREATE TABLE copied (number integer, txt text)");
});

beforeEach(() => database.pool.query("TRUNCATE copied"));
afterAll(() => database?.close());

async function onClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = await database.pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

const stored = async () =>
  (await database.pool.query("SELECT number, length(txt) AS letters FROM copied ORDER BY number")).rows;

/** Writes slices of so many rows, of 10,000 letters each. */
function* slicesOf(writer: CopyWriter, sizes: readonly number[]) {
  for (const size of sizes) {
    for (let i = 0; i < size; i++) write(writer, writer.rows, Buffer.alloc(10_000, "x"));
    yield;
  }
}

function write(writer: CopyWriter, number: number, text: Buffer): void {
  writer.row(2);
  writer.int4(number);
  writer.bytes(text, 0, text.length);
}

test("slices arrive whole and in order, however large each is, and where the buffer grew in between", async () => {
  const writer = new CopyWriter(32);
  const sizes = [3, 0, 1, 200, 0, 7];
  await onClient((client) => copySlices(client, COPY, writer, slicesOf(writer, sizes)));
  expect(writer.rows).toBe(211);
  expect(await stored()).toEqual(Array.from({ length: 211 }, (_, number) => ({ number, letters: 10_000 })));
});

test("other work has its turn after each slice", async () => {
  const writer = new CopyWriter();
  let turns = 0;
  const turn = () => void ++turns;
  function* slices() {
    for (const _ of slicesOf(writer, new Array(20).fill(1))) {
      setImmediate(turn);
      // The turn of the slice before has been.
      expect(turns).toBeGreaterThanOrEqual(writer.rows - 1);
      yield;
    }
  }
  await onClient((client) => copySlices(client, COPY, writer, slices()));
  expect(turns).toBe(20);
});

test("a slice that cannot be written fails the statement: nothing is stored, and the connection goes on", async () => {
  const writer = new CopyWriter();
  const fault = new RangeError("no such row");
  function* slices() {
    yield* slicesOf(writer, [100, 100]);
    throw fault;
  }
  await onClient(async (client) => {
    await client.query("BEGIN");
    await expect(copySlices(client, COPY, writer, slices())).rejects.toBe(fault);
    await expect(client.query("SELECT 1")).rejects.toMatchObject({ code: "25P02" });
    await client.query("ROLLBACK");
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });
  expect(await stored()).toEqual([]);
});

/** Not UTF-8. */
const BROKEN = Buffer.from([0xc3, 0x28]);

test("a slice that the server refuses is an error with its SQLSTATE, and the connection goes on", async () => {
  const writer = new CopyWriter();
  function* slices() {
    yield* slicesOf(writer, [1]);
    write(writer, 1, BROKEN);
    yield;
    yield* slicesOf(writer, new Array(50).fill(20));
  }
  await onClient(async (client) => {
    await expect(copySlices(client, COPY, writer, slices())).rejects.toMatchObject({ code: "22021" });
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });
  expect(await stored()).toEqual([]);
});

test("a row that the server refuses is an error with its SQLSTATE, and the connection goes on", async () => {
  const writer = new CopyWriter();
  write(writer, 0, BROKEN);
  await onClient(async (client) => {
    await expect(copyRows(client, COPY, writer)).rejects.toMatchObject({ code: "22021" });
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });
});
