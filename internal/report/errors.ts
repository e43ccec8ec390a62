import { Failure } from "../failure/failure.ts";

/** The request cannot be answered as asked: the caller must change `field`. */
export class InvalidInput extends Failure {
  /** @param problem what is wrong, to be read after the field and its value: "is not a date". */
  constructor(field: string, value: unknown, problem: string) {
    const given = value === undefined ? field : `${field} "${String(value)}"`;
    super("invalid", `${given} ${problem}`, { field, value });
  }
}
