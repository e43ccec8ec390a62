import type { MessageInitShape } from "@bufbuild/protobuf";
import * as wire from "../../gen/footfall/query/v1/metadata_pb.js";
import { incompatibilityOf } from "../plan/compatible.ts";
import type { Dimension, Metric, Scope } from "../schema/field.ts";
import type { ReadFields } from "./read-fields.ts";
import { unitToWire } from "./table-to-wire.ts";

const SCOPE: Readonly<Record<Scope, wire.FieldScope>> = {
  event: wire.FieldScope.EVENT,
  session: wire.FieldScope.SESSION,
  visitor: wire.FieldScope.VISITOR,
  item: wire.FieldScope.ITEM,
  order: wire.FieldScope.ORDER,
};

const KIND: Readonly<Record<(Metric | Dimension)["kind"], wire.FieldKind>> = {
  dimension: wire.FieldKind.DIMENSION,
  additive: wire.FieldKind.ADDITIVE,
  distinct: wire.FieldKind.DISTINCT,
  // Of each session once, whatever parts it is in.
  session_sum: wire.FieldKind.DISTINCT,
  ratio: wire.FieldKind.RATIO,
  quantile: wire.FieldKind.QUANTILE,
};

/** A field, and whether it goes together with those that a question has already. */
export function fieldToWire(
  field: Metric | Dimension,
  { metrics, dimensions }: ReadFields,
): MessageInitShape<typeof wire.FieldSchema> {
  const reason = incompatibilityOf(field, metrics, dimensions);
  return {
    name: field.name,
    title: field.title,
    description: field.description,
    unit: unitToWire(field.kind === "dimension" ? undefined : field.unit),
    scope: SCOPE[field.scope],
    kind: KIND[field.kind],
    filterable: field.kind !== "dimension" || field.filterable,
    biColumn: field.biColumn ?? "",
    compatible: reason === undefined,
    incompatibleReason: reason ?? "",
  };
}
