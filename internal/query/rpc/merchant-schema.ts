import type { Filter } from "../../gen/footfall/query/v1/filter_pb.js";
import type { Pool } from "../../store/pool.ts";
import { readGoals } from "../run/own-fields.ts";
import { type RetryLimits, readWithRetry } from "../run/read-with-retry.ts";
import { type Schema, schemaOf } from "../schema/schema.ts";
import { conditionsOf } from "./conditions.ts";

const BUILT_IN = schemaOf({ goals: [], properties: [] });

/** What of a request names fields. */
export interface NamesFields {
  readonly names: readonly string[];
  readonly filters: readonly (Filter | undefined)[];
}

/**
 * What a merchant may ask for in some requests: its goals are read where one of them names any.
 * @throws as readWithRetry.
 */
export async function schemaFor(
  requests: readonly NamesFields[],
  {
    pool,
    limits,
    merchantId,
  }: { readonly pool: Pool; readonly limits: RetryLimits; readonly merchantId: number },
): Promise<Schema> {
  if (!requests.some(namesGoals)) return BUILT_IN;
  const goals = await readWithRetry(limits, () => readGoals(pool, merchantId, limits));
  return schemaOf({ goals, properties: [] });
}

function namesGoals({ names, filters }: NamesFields): boolean {
  const all = [...names, ...filters.flatMap(conditionsOf).map(({ field }) => field)];
  return all.some((name) => name === "goal" || name.startsWith("goal:"));
}
