import { createHash } from "node:crypto";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { type ArchivedBatch, openObject } from "../lake/object-reader.ts";
import { ObjectWriter } from "../lake/object-writer.ts";
import { emptyTable } from "../lake/schema.ts";
import type { Table } from "../lake/table.ts";

/** Rows at which a row group is full. It holds whole batches. */
const GROUP_ROWS = 65_536;

/** Whether a row of a table is not to be kept. */
export type IsErased = (table: Table, row: number) => boolean;

/** An object without some of its rows. */
export interface Filtered {
  readonly events: Uint8Array;
  readonly batches: number;
  readonly rows: number;
  readonly removed: number;
}

/**
 * Makes an object of the rows of another that are kept, and reads it back: they must come out as they were. Of a
 * batch that loses rows, the bytes as they arrived go as well, if the object had them.
 * @returns undefined when all rows are kept.
 */
export async function without(object: Uint8Array, isErased: IsErased): Promise<Filtered | undefined> {
  const { rows, ...facts } = await openObject(object);
  const writer = new ObjectWriter({
    partition: facts.partition,
    partitions: facts.partitions,
    firstSeq: facts.firstSeq,
    lastSeq: facts.lastSeq,
  });
  const digest = createHash("sha256");
  let [kept, batches] = [0, 0];
  let table = emptyTable();
  const flush = () => {
    if (table.streamSeq.length > 0) writer.write(table);
    table = emptyTable();
    return turnOfTheLoop();
  };
  for await (const batch of facts.batches()) {
    const left = keptRows(batch, isErased);
    if (left.length > 0) batches++;
    kept += left.length;
    for (const row of left) {
      append(table, batch.table, row, left.length < batch.rows);
      digest.update(textOf(table, table.streamSeq.length - 1));
    }
    if (table.streamSeq.length >= GROUP_ROWS) await flush();
  }
  if (kept === rows) return undefined;
  await flush();
  const events = writer.finish();
  if ((await digestOf(events)) !== digest.digest("hex")) {
    throw new Error("archive: rows that are kept do not come out of the rewritten object as they were");
  }
  return { events, batches, rows: kept, removed: rows - kept };
}

function keptRows({ table, first, rows }: ArchivedBatch, isErased: IsErased): number[] {
  const kept: number[] = [];
  for (let row = first; row < first + rows; row++) if (!isErased(table, row)) kept.push(row);
  return kept;
}

type Columns = Record<string, unknown[]>;

function append(to: Table, from: Table, row: number, hasLost: boolean): void {
  for (const [name, values] of Object.entries(from as unknown as Columns)) {
    const value = name === "sealedBatch" && hasLost ? undefined : values[row];
    (to as unknown as Columns)[name]!.push(value);
  }
}

/** All of a row, as a text. */
function textOf(table: Table, row: number): string {
  const values = Object.entries(table as unknown as Columns).map(([name, column]) => {
    const value = column[row];
    return [name, value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value];
  });
  return JSON.stringify(values.sort(), (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

async function digestOf(object: Uint8Array): Promise<string> {
  const digest = createHash("sha256");
  for await (const { table, first, rows } of (await openObject(object)).batches()) {
    for (let row = first; row < first + rows; row++) digest.update(textOf(table, row));
  }
  return digest.digest("hex");
}
