import { create, type MessageInitShape } from "@bufbuild/protobuf";
import * as wire from "../../gen/footfall/query/v1/table_pb.js";
import type { Column, Table } from "../question/answer.ts";
import type { Span } from "../question/question.ts";
import type { Unit } from "../schema/field.ts";

const UNIT: Readonly<Record<Unit, wire.Unit>> = {
  count: wire.Unit.COUNT,
  currency: wire.Unit.CURRENCY,
  ratio: wire.Unit.RATIO,
  seconds: wire.Unit.SECONDS,
  percent: wire.Unit.PERCENT,
  number: wire.Unit.NUMBER,
};

const MICROS = 1_000_000n;

/** What the columns of a table are told with. */
export interface TableContext {
  /** The question's. */
  readonly spans: readonly Span[];
  /** For each span which of its buckets are cut, or were not over. */
  readonly partial: readonly (readonly boolean[])[];
  /** Unit of a metric; undefined for dimensions. */
  readonly unitOf: (name: string) => Unit | undefined;
}

/** The wire's unit of numbers; none for dimensions. */
export function unitToWire(unit: Unit | undefined): wire.Unit {
  return unit === undefined ? wire.Unit.UNSPECIFIED : UNIT[unit];
}

/** The wire form of a table. */
export function tableToWire(table: Table, context: TableContext): wire.Table {
  return create(wire.TableSchema, {
    rowCount: table.rows,
    restRows: [...table.restRows],
    columns: table.columns.map((column) => columnToWire(column, context)),
  });
}

function columnToWire(column: Column, context: TableContext): MessageInitShape<typeof wire.ColumnSchema> {
  return {
    name: column.name,
    periodIndex: column.span,
    unit: unitToWire(context.unitOf(column.name)),
    values: valuesToWire(column, context),
    standardErrors: [...(column.standardErrors ?? [])],
  };
}

function valuesToWire(
  column: Column,
  { spans, partial }: TableContext,
): NonNullable<MessageInitShape<typeof wire.ColumnSchema>["values"]> {
  switch (column.kind) {
    case "text":
      return { case: "texts", value: textsToWire(column.values) };
    case "integer":
      return { case: "integers", value: { values: [...column.values] } };
    case "number":
      return { case: "numbers", value: { values: [...column.values] } };
    case "money":
      return { case: "amounts", value: moneyToWire(column.values) };
    case "bucket": {
      const edges = spans[column.span]!.edges!;
      return { case: "buckets", value: bucketsToWire(column.values, edges, partial[column.span]!) };
    }
  }
}

/** Texts in the order of their first row. */
function textsToWire(values: readonly (string | null)[]) {
  const places = new Map<string, number>();
  const entries = values.map((text) => {
    if (text === null) return 0;
    const place = places.get(text) ?? places.size + 1;
    places.set(text, place);
    return place;
  });
  return { dictionary: [...places.keys()], entries };
}

/** Both parts have the sign of the amount: bigint division cuts towards 0. */
function moneyToWire(micros: readonly bigint[]) {
  return {
    units: micros.map((amount) => amount / MICROS),
    nanos: micros.map((amount) => Number(amount % MICROS) * 1_000),
  };
}

function bucketsToWire(places: readonly number[], edges: readonly number[], partial: readonly boolean[]) {
  const seconds = (at: number) => BigInt(Math.floor(edges[at]! / 1_000));
  return {
    startSeconds: places.map((place) => (place === -1 ? 0n : seconds(place))),
    endSeconds: places.map((place) => (place === -1 ? 0n : seconds(place + 1))),
    partialRows: places.flatMap((place, row) => (partial[place] === true ? [row] : [])),
  };
}
