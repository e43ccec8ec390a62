import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEmptyDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { copyRows } from "./copy-rows.ts";
import { CopyWriter } from "./copy-writer.ts";

/** As bytes or as a string. */
function writeText(writer: CopyWriter, text: string): void {
  const bytes = Buffer.from(text);
  if (text.length % 3 === 0) writer.bytes(bytes, 0, bytes.length);
  else writer.text(text);
}

let database: TestDatabase;

beforeAll(async () => {
  database = await openEmptyDatabase();
  await database.pool.query(
    `CREATE TABLE copied (i2 smallint, i4 integer, i8 bigint, words bigint, ts timestamptz, id uuid,
       raw bytea, txt text, doc jsonb)`,
  );
});

afterAll(() => database?.close());

/** One row of the table; null is written as such. */
interface Row {
  readonly i2: number | null;
  readonly i4: number | null;
  readonly i8: number | null;
  readonly words: bigint | null;
  /** Ms since 1970-01-01 UTC. */
  readonly ts: number | null;
  readonly id: Uint8Array | null;
  readonly raw: Uint8Array | null;
  readonly txt: string | null;
  readonly doc: Record<string, string> | null;
}

const nullable = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null, freq: 4 });
/** Any text that PostgreSQL can hold: every character but U+0000. */
const text = fc
  .oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "\\", '"', "\n\t\r", "🛒ü", "\\.", "'"))
  .map((value) => value.replaceAll("\0", ""));

const row: fc.Arbitrary<Row> = fc.record({
  i2: nullable(fc.integer({ min: -32_768, max: 32_767 })),
  i4: nullable(fc.integer()),
  i8: nullable(fc.maxSafeInteger()),
  words: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  ts: nullable(fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2200, 0) })),
  id: nullable(fc.uint8Array({ minLength: 16, maxLength: 16 })),
  raw: nullable(fc.uint8Array({ maxLength: 300 })),
  txt: nullable(text),
  doc: nullable(fc.dictionary(text, text)),
});

function write(writer: CopyWriter, { i2, i4, i8, words, ts, id, raw, txt, doc }: Row): void {
  const field = <T>(value: T | null, put: (value: T) => void) =>
    value === null ? writer.null() : put(value);
  writer.row(9);
  field(i2, (value) => writer.int2(value));
  field(i4, (value) => writer.int4(value));
  field(i8, (value) => writer.int8(value));
  field(words, (value) =>
    writer.int8Words(Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))),
  );
  field(ts, (value) => writer.timestamp(value));
  // Out of the middle of something larger, as ids come.
  field(id, (value) => writer.bytes(Buffer.concat([Buffer.alloc(3), value, Buffer.alloc(2)]), 3, 19));
  field(raw, (value) => writer.bytes(value, 0, value.length));
  field(txt, (value) => writeText(writer, value));
  field(doc, (value) => writer.jsonb(JSON.stringify(value)));
}

/** The row as READ returns it. */
function asText({ i2, i4, i8, words, ts, id, raw, txt, doc }: Row) {
  const plain = (value: number | bigint | null) => (value === null ? null : String(value));
  const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString("hex"));
  const micros = ts === null ? null : BigInt(ts) * 1_000n;
  const entries = doc === null ? null : new Set(Object.entries(doc).map(String));
  return [plain(i2), plain(i4), plain(i8), plain(words), plain(micros), hex(id), hex(raw), txt, entries];
}

// As entries, not as JSON text: JSON.parse of Node 26.10 takes the key "\n" for "\\" now and then.
const READ = `SELECT i2::text, i4::text, i8::text, words::text,
  (extract(epoch FROM ts) * 1000000)::bigint::text AS ts, encode(uuid_send(id), 'hex') AS id,
  encode(raw, 'hex') AS raw, txt, CASE WHEN doc IS NOT NULL
    THEN ARRAY(SELECT ARRAY[key, value] FROM jsonb_each_text(doc)) END AS doc FROM copied`;

async function roundTrip(writer: CopyWriter): Promise<unknown[][]> {
  const client = await database.pool.connect();
  try {
    await client.query("TRUNCATE copied");
    await copyRows(client, "COPY copied FROM STDIN (FORMAT binary)", writer);
    const { rows } = await client.query<unknown[]>({ text: READ, rowMode: "array" });
    return rows.map((values) =>
      values.map((value) => (Array.isArray(value) ? new Set(value.map(String)) : value)),
    );
  } finally {
    client.release();
  }
}

test("every value comes back from the server as it was written", async () => {
  // Small at first, so that it must grow; later ones are given the memory of those that were sent.
  const check = async (rows: Row[]) => {
    const writer = new CopyWriter(32);
    for (const each of rows) write(writer, each);
    expect(writer.rows).toBe(rows.length);
    const back = await roundTrip(writer);
    expect(back).toEqual(rows.map(asText));
  };
  await fc.assert(fc.asyncProperty(fc.array(row, { maxLength: 30 }), check), { numRuns: 60 });
});

test("wherever the buffer has to grow, nothing gets lost", () => {
  const bytes = (capacity: number) => {
    const writer = new CopyWriter(capacity);
    for (let i = 1; i < 4; i++) {
      writer.row(14);
      const start = writer.position;
      writer.text(`${i}ü🛒`.repeat(i * i));
      const end = writer.position;
      writer.nulls(3);
      writer.again(start, end);
      writer.again(start, end);
      writer.int2(0x0101 * i);
      writer.int4(0x01010101 * i);
      writer.int8(0x010101010101 * i);
      writer.int8Words(0x01010101 * i, 0x01010101 * i);
      writer.timestamp(Date.UTC(2026, i));
      writer.bytes(Buffer.alloc(100, i), 0, 16 * i);
      writer.jsonb(`"${i}"`);
      writer.null();
    }
    return writer.finish().toString("hex");
  };
  const whole = bytes(4_096);
  for (let capacity = 19; capacity < whole.length / 2 + 10; capacity++) expect(bytes(capacity)).toBe(whole);
});

test("the edges of each type", async () => {
  const writer = new CopyWriter();
  const none = {
    i2: null,
    i4: null,
    i8: null,
    words: null,
    ts: null,
    id: null,
    raw: null,
    txt: null,
    doc: null,
  };
  const edges: Row[] = [
    { ...none, i2: -32_768, i4: -(2 ** 31), i8: Number.MIN_SAFE_INTEGER, words: -(2n ** 63n) },
    { ...none, i2: 32_767, i4: 2 ** 31 - 1, i8: Number.MAX_SAFE_INTEGER, words: 2n ** 63n - 1n },
    { ...none, i8: -1, words: -1n, ts: -1 },
    { ...none, i8: 2 ** 32, words: 2n ** 32n, ts: Date.UTC(2000, 0) - 1 },
    { ...none, i8: -(2 ** 32), words: -(2n ** 32n), ts: Date.UTC(1926, 0, 1, 0, 0, 0, 1) },
    { ...none, ts: Date.UTC(2100, 11, 31, 23, 59, 59, 999), txt: "", doc: {}, raw: new Uint8Array(0) },
  ];
  for (const each of edges) write(writer, each);
  expect(await roundTrip(writer)).toEqual(edges.map(asText));
});

test("rows beyond one CopyData message arrive whole", async () => {
  const writer = new CopyWriter(32);
  const long = "ä".repeat(200_000);
  for (let i = 0; i < 3; i++) {
    writer.row(9);
    writer.int2(i);
    for (let field = 1; field < 7; field++) writer.null();
    writeText(writer, long);
    writer.null();
  }
  const rows = await roundTrip(writer);
  expect(rows.map(([i2, ...rest]) => [i2, rest[6] === long])).toEqual([
    ["0", true],
    ["1", true],
    ["2", true],
  ]);
});

test("no rows, no statement: an empty writer sends nothing", async () => {
  expect(await roundTrip(new CopyWriter())).toEqual([]);
});
