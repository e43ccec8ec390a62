import { Failure } from "../../../failure/failure.ts";
import type { Pool } from "../../../store/pool.ts";
import { refusalOf } from "../../../store/refusal.ts";
import { databaseAway } from "../../run/read-with-retry.ts";
import type { AnswerDeps } from "../answer.ts";

export interface GoalDeps extends AnswerDeps {
  readonly pool: Pool;
}

/** What of a request the store may refuse: the path of the field, and its value. */
export interface Refusable {
  readonly field: string;
  readonly value: string | number;
}

/**
 * Changes goals. It is not tried again where the database goes away: it may have happened.
 *
 * @param fields what is told of a goal that is not there, and of a name that another has.
 * @throws Failure with the field at fault; "unavailable" where the database is away.
 */
export async function changeInStore<T>(
  fields: { readonly not_found?: Refusable; readonly already_exists?: Refusable },
  change: () => Promise<T>,
): Promise<T> {
  try {
    return await change();
  } catch (cause) {
    if (refusalOf(cause) !== undefined) throw databaseAway(cause);
    if (!(cause instanceof Failure)) throw cause;
    const { kind, message } = cause;
    if (kind !== "not_found" && kind !== "already_exists") throw cause;
    throw new Failure(kind, message, { ...fields[kind], cause });
  }
}
