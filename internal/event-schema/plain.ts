import {
  EVENT_FIELDS,
  type EventFields,
  type Field,
  type Fields,
  type ITEM_FIELDS,
  ORDER_FIELDS,
  type OrderFields,
} from "./fields.ts";

/** A field's value for people and archives: what is absent is undefined. */
export type PlainValue<F extends Field> = {
  text: string;
  u16: number;
  u32: number;
  flag: boolean;
  micros: bigint;
  known: bigint;
}[F["kind"]];

type Optional<T> = (T | undefined)[];
type Column<F extends Field> = F extends { isRequired: true } ? PlainValue<F>[] : Optional<PlainValue<F>>;

/** The key of an order's field among those of the event. */
type OrderKey<N extends string> = N extends `refund${string}` ? N : `order${Capitalize<N>}`;

type EventColumns = { readonly [N in keyof EventFields]: Column<EventFields[N]> };
type OrderColumns = {
  readonly [N in keyof OrderFields as OrderKey<N>]: Optional<PlainValue<OrderFields[N]>>;
};

/** An item of an event. Amounts and quantities are micros. */
export type PlainItem = {
  readonly [N in keyof typeof ITEM_FIELDS]: (typeof ITEM_FIELDS)[N] extends { isRequired: true }
    ? PlainValue<(typeof ITEM_FIELDS)[N]>
    : PlainValue<(typeof ITEM_FIELDS)[N]> | undefined;
};

/**
 * Events as columns of plain values, one value a row: the form in which the archive takes and gives them. Times are
 * ms since 1970-01-01 UTC, amounts micros; what is absent is undefined.
 */
export interface PlainColumns extends EventColumns, OrderColumns {
  readonly merchantId: number[];
  /** 16 bytes each, derived ones included. */
  readonly eventId: Uint8Array[];
  readonly receivedTime: number[];
  readonly clientTime: number[];
  readonly sentTime: Optional<number>;
  /** The text of a JSON object. */
  readonly properties: Optional<string>;
  readonly items: Optional<PlainItem[]>;
}

/** The key that an order's field has in PlainColumns. */
export function orderKey<N extends keyof OrderFields>(name: N): OrderKey<N> {
  const key = name.startsWith("refund") ? name : `order${name[0]!.toUpperCase()}${name.slice(1)}`;
  return key as OrderKey<N>;
}

/** A column of fields as PlainColumns holds it: its key, and what it holds. */
export interface PlainField extends Field {
  readonly key: keyof PlainColumns;
}

/** The fields of an event and its order in PlainColumns, in their order. An order's are absent where there is none. */
export const PLAIN_FIELDS: readonly PlainField[] = [
  ...Object.entries<Field>(EVENT_FIELDS).map(([name, field]) => ({
    ...field,
    key: name as keyof PlainColumns,
  })),
  ...Object.entries<Field>(ORDER_FIELDS satisfies Fields).map(([name, { isRequired: _, ...field }]) => ({
    ...field,
    key: orderKey(name as keyof OrderFields),
  })),
];
