import { Failure } from "../failure/failure.ts";

/** The request cannot be answered as asked: the caller must change `field`. */
export class InvalidInput extends Failure {
  /** The field's path as the wire names it, such as "dates.start". */
  readonly field: string;
  /** What was given; undefined where something required was not. */
  readonly value: unknown;

  /** @param problem what is wrong, to be read after the field and its value: "is not a date". */
  constructor(field: string, value: unknown, problem: string) {
    super("invalid", value === undefined ? `${field} ${problem}` : `${field} "${String(value)}" ${problem}`);
    this.field = field;
    this.value = value;
  }
}
