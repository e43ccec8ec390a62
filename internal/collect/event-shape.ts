import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  EngagementSchema,
  EventSchema,
  ItemSchema,
  OrderSchema,
  RefundSchema,
  ScreenSchema,
} from "../gen/footfall/event/v1/event_pb.js";

/** What stands behind a field's tag, as far as finding it goes. KNOWN is a number that is told from an absent one. */
export const Kind = { NONE: 0, TEXT: 1, NUMBER: 2, MESSAGE: 3, KNOWN: 4 } as const;

/** The fields of a message by their numbers, and where its words begin in the array that it is read into. */
export interface Shape {
  readonly base: number;
  readonly words: number;
  readonly kinds: Uint8Array;
}

type FieldName<D extends DescMessage> = Exclude<keyof MessageShape<D>, "$typeName" | "$unknown"> & string;

/** A shape that also tells where each field has its two words, by the field's name. */
type NamedShape<D extends DescMessage> = Shape & { readonly at: Readonly<Record<FieldName<D>, number>> };

/** The shape of a message of the .proto files. */
function shape<D extends DescMessage>({ fields }: D, base = 0): NamedShape<D> {
  const kinds = new Uint8Array(1 + Math.max(...fields.map(({ number }) => number)));
  for (const field of fields) kinds[field.number] = kindOf(field);
  const at = Object.fromEntries(fields.map(({ localName, number }) => [localName, base + 2 * number]));
  return { base, words: 2 * kinds.length, kinds, at: at as NamedShape<D>["at"] };
}

function kindOf({ fieldKind, scalar, presence }: DescField): number {
  if (scalar === ScalarType.INT64 && presence === FeatureSet_FieldPresence.EXPLICIT) return Kind.KNOWN;
  if (fieldKind === "scalar") return scalar === ScalarType.STRING ? Kind.TEXT : Kind.NUMBER;
  return fieldKind === "enum" ? Kind.NUMBER : Kind.MESSAGE;
}

export const EVENT = shape(EventSchema);
export const TIMESTAMP = shape(TimestampSchema, EVENT.words);
export const SCREEN = shape(ScreenSchema, TIMESTAMP.base + TIMESTAMP.words);
export const ORDER = shape(OrderSchema, SCREEN.base + SCREEN.words);
export const REFUND = shape(RefundSchema, ORDER.base + ORDER.words);
export const ENGAGEMENT = shape(EngagementSchema, REFUND.base + REFUND.words);
export const ITEM = shape(ItemSchema);
/**
 * An entry of the map of properties, which has no message of its own. Its first word is the number of the value's field
 * that is set, 0 for none; that field's words stand where the value does.
 */
export const PROPERTY: Shape = {
  base: 0,
  words: 6,
  kinds: Uint8Array.of(Kind.NONE, Kind.TEXT, Kind.MESSAGE),
};
export const Value = { TEXT: 1, NUMBER: 2, BOOLEAN: 3 } as const;

/** Words of an event without its properties and items. */
export const WORDS = ENGAGEMENT.base + ENGAGEMENT.words;

/** Where a field of the event itself, its time and its screen has its two words. */
export const at = { ...EVENT.at, ...TIMESTAMP.at, ...SCREEN.at, ...ENGAGEMENT.at } as const;
