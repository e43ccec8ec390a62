import { Failure, type Reason } from "../../failure/failure.ts";

/** A field of a question has a value that is not allowed. */
export class InvalidField extends Failure {
  /**
   * @param field its path as the wire names it, such as "period.dates.start_date".
   * @param allowed what is allowed, to be read after "must be".
   */
  constructor(
    field: string,
    value: string | number,
    allowed: string,
    reason: Reason<"invalid"> = "FIELD_INVALID",
  ) {
    super("invalid", `${field} "${value}" must be ${allowed}`, { reason, field, value, allowed });
  }
}
