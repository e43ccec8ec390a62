import { readWithRetry } from "../../query/run/read-with-retry.ts";
import { listGoalsWithin } from "../../store/goals/read-goal-report.ts";
import type { Goal } from "../../store/goals.ts";
import type { GetReportDeps, Merchant } from "../get-report.ts";

/** The merchant's goals, by id. @throws Failure "unavailable" when the database is away. */
export function merchantGoals(
  deps: GetReportDeps,
  { merchantId }: Pick<Merchant, "merchantId">,
): Promise<Goal[]> {
  return readWithRetry(deps, () => listGoalsWithin(deps.pool, merchantId, deps));
}
