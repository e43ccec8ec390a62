import { Failure } from "../../failure/failure.ts";
import { nearestNames } from "../schema/nearest.ts";
import { InvalidField } from "../time/invalid-field.ts";

/** A required field is absent. @param allowed what is to be given, to be read after "must be". */
export function missing(field: string, allowed: string): Failure {
  return new Failure("invalid", `${field} is required and must be ${allowed}`, {
    reason: "FIELD_MISSING",
    field,
    allowed,
  });
}

/** There is no field of that name. @param names that there are. */
export function unknown(field: string, value: string, names: readonly string[]): InvalidField {
  const near = nearestNames(value, names);
  const allowed = near.length > 0 ? near.join(" or ") : "one of the names that GetMetadata lists";
  return new InvalidField(field, value, allowed, "FIELD_UNKNOWN");
}

/** The plain name of an enum's value: the wire may carry numbers that this program does not know. */
export function nameOf<N extends string>(
  field: string,
  table: Readonly<Record<N, number>>,
  value: number,
): N {
  const names = Object.keys(table) as N[];
  const name = names.find((each) => table[each] === value);
  if (name === undefined) throw new InvalidField(field, value, names.join(", "));
  return name;
}
