import { Failure } from "../../failure/failure.ts";

/** A field of a question has a value that is not allowed. */
export class InvalidField extends Failure {
  /** The field's path as the wire names it, such as "period.dates.start_date". */
  readonly field: string;
  /** What was given. */
  readonly value: string;
  /** What is allowed, to be read after "must be". */
  readonly allowed: string;

  constructor(field: string, value: string | number, allowed: string) {
    super("invalid", `${field} "${value}" must be ${allowed}`);
    this.field = field;
    this.value = String(value);
    this.allowed = allowed;
  }
}
