import {
  type Field,
  FieldKind,
  FieldScope,
  type GetMetadataResponse,
} from "../../gen/footfall/query/v1/metadata_pb.js";
import { Unit } from "../../gen/footfall/query/v1/table_pb.js";
import { table } from "../../program/table.ts";
import { csv, escapeFormula } from "./csv.ts";
import { printable } from "./value.ts";

const HEAD = ["name", "kind", "unit", "scope", "filterable", "compatible", "title", "description"];

/** Metrics and dimensions as a list, with what does not go with the question's. */
export function metadataTable({ metrics, dimensions }: GetMetadataResponse): string {
  const lines = [...metrics, ...dimensions].map((field) => [
    printable(field.name),
    nameOf(FieldKind, field.kind),
    nameOf(Unit, field.unit),
    nameOf(FieldScope, field.scope),
    printable(field.compatible ? field.title : `not compatible: ${field.incompatibleReason}`),
  ]);
  return table(["name", "kind", "unit", "scope", "title"], lines, 5);
}

export function metadataCsv(answer: GetMetadataResponse): string {
  const records = fieldsOf(answer).map((field) =>
    Object.values(field).map((value) => escapeFormula(String(value))),
  );
  return csv([HEAD, ...records]);
}

export function metadataJson(answer: GetMetadataResponse): string {
  return JSON.stringify(fieldsOf(answer));
}

function fieldsOf({ metrics, dimensions }: GetMetadataResponse) {
  return [...metrics, ...dimensions].map((field: Field) => ({
    name: field.name,
    kind: nameOf(FieldKind, field.kind),
    unit: nameOf(Unit, field.unit),
    scope: nameOf(FieldScope, field.scope),
    filterable: field.filterable,
    compatible: field.compatible,
    title: field.title,
    description: field.description,
  }));
}

/** As the schema writes it; "" for none. */
function nameOf(names: Readonly<Record<number, string>>, value: number): string {
  return value === 0 ? "" : (names[value] ?? String(value)).toLowerCase();
}
