import { type Field, type Fields, fieldList } from "../event-schema/fields.ts";
import type { CopyWriter } from "./copy-writer.ts";
import type { FieldValues, MicrosValues, TextIndexes, Texts } from "./event-columns.ts";

/** A raw field that is stored as it came. */
export interface StoredField {
  readonly name: string;
  /** Its column in SQL, and the type of that. */
  readonly column: string;
  readonly type: string;
  readonly kind: Field["kind"];
}

/** Those of a table, in its order. */
export function storedFields(fields: Fields): readonly StoredField[] {
  return fieldList(fields).flatMap(({ name, kind, sql }) => {
    if (sql === undefined) return [];
    const [column, type] = sql.split(" ") as [string, string];
    return [{ name, column, type, kind }];
  });
}

/** Writes the fields that the rows (orders, items) of a batch have, in the order of the table. */
export class FieldCopy {
  readonly #to: CopyWriter;
  readonly #texts: Texts;
  readonly #columns: readonly Column[];

  constructor(to: CopyWriter, texts: Texts, fields: readonly StoredField[], values: FieldValues<Fields>) {
    this.#to = to;
    this.#texts = texts;
    this.#columns = columnsOf(fields, values);
  }

  /** Writes all fields of the entry at a place. */
  write(at: number): void {
    const to = this.#to;
    for (const column of this.#columns) {
      if (column.form === Form.TEXT) this.#text(column.values[at]!);
      else if (column.form === Form.NULLS) to.nulls(column.count);
      else if (column.form === Form.MICROS) to.int8Exact(column.values?.get(at) ?? 0n);
      else if (column.form === Form.KNOWN) this.#known(column.values.get(at));
      else if (column.form === Form.FLAG) to.bool(column.values?.[at] === 1);
      else if (column.values[at] === 0) to.null();
      else if (column.form === Form.INT2) to.int2(column.values[at]!);
      else to.int4(column.values[at]!);
    }
  }

  /** @param stored micros plus one, 0 where they are not known. */
  #known(stored: bigint): void {
    if (stored === 0n) this.#to.null();
    else this.#to.int8Exact(stored - 1n);
  }

  #text(index: number): void {
    const texts = this.#texts;
    if (index === 0) this.#to.null();
    else this.#to.bytes(texts.source, texts.start(index), texts.end(index));
  }
}

const Form = { TEXT: 0, NULLS: 1, MICROS: 2, FLAG: 3, INT2: 4, INT4: 5, KNOWN: 6 } as const;

type Numbers = Uint16Array | Uint32Array;

type Column =
  | { readonly form: typeof Form.TEXT; readonly values: Uint32Array }
  | { readonly form: typeof Form.NULLS; count: number }
  | { readonly form: typeof Form.MICROS; readonly values: MicrosValues | undefined }
  | { readonly form: typeof Form.KNOWN; readonly values: MicrosValues }
  | { readonly form: typeof Form.FLAG; readonly values: Numbers | undefined }
  | { readonly form: typeof Form.INT2 | typeof Form.INT4; readonly values: Numbers };

/** Neighbours of which the batch has nothing are one column of nulls. */
function columnsOf(fields: readonly StoredField[], values: FieldValues<Fields>): Column[] {
  const columns: Column[] = [];
  for (const field of fields) {
    const column = columnOf(field, values[field.name]);
    const last = columns.at(-1);
    if (column.form === Form.NULLS && last?.form === Form.NULLS) last.count++;
    else columns.push(column);
  }
  return columns;
}

function columnOf({ kind, type }: StoredField, values: TextIndexes | Numbers | MicrosValues): Column {
  if (kind === "micros") return { form: Form.MICROS, values: values as MicrosValues | undefined };
  if (kind === "flag") return { form: Form.FLAG, values: values as Numbers | undefined };
  if (values === undefined) return { form: Form.NULLS, count: 1 };
  if (kind === "known") return { form: Form.KNOWN, values: values as MicrosValues };
  if (kind === "text") return { form: Form.TEXT, values: values as Uint32Array };
  return { form: type === "smallint" ? Form.INT2 : Form.INT4, values: values as Numbers };
}
