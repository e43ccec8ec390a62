import type { Filter } from "../../gen/footfall/query/v1/filter_pb.js";
import type { RunReportRequest } from "../../gen/footfall/query/v1/report_pb.js";
import type { Pool } from "../../store/pool.ts";
import { readGoals } from "../run/own-fields.ts";
import { type RetryLimits, readWithRetry } from "../run/read-with-retry.ts";
import { type Schema, schemaOf } from "../schema/schema.ts";
import { MAX_LEVELS } from "./read-filter.ts";

const BUILT_IN = schemaOf({ goals: [], properties: [] });

/**
 * What a merchant may ask for in some requests: its goals are read where one of them names any.
 * @throws as readWithRetry.
 */
export async function schemaFor(
  requests: readonly RunReportRequest[],
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

function namesGoals({ metrics, dimensions, scope }: RunReportRequest): boolean {
  const names = [...metrics, ...dimensions, ...fieldsOf(scope?.filter, MAX_LEVELS)];
  return names.some((name) => name === "goal" || name.startsWith("goal:"));
}

/** The fields of a filter; what is deeper than a filter may be is left out. */
function fieldsOf(filter: Filter | undefined, levels: number): string[] {
  const { expression } = filter ?? {};
  if (levels === 0) return [];
  switch (expression?.case) {
    case "allOf":
    case "anyOf":
      return expression.value.filters.flatMap((each) => fieldsOf(each, levels - 1));
    case "not":
      return fieldsOf(expression.value, levels - 1);
    case "condition":
      return [expression.value.field];
    case "behavior":
      return fieldsOf(expression.value.event, levels - 1);
    default:
      return [];
  }
}
