import { listGoalsWithin } from "../../store/goals/read-goal-report.ts";
import type { Goal } from "../../store/goals.ts";
import type { GetReportDeps, Merchant } from "../get-report.ts";
import { readPatiently } from "../read-patiently.ts";

/** The merchant's goals, by id. @throws Failure "unavailable" when the database is away. */
export function merchantGoals(
  deps: GetReportDeps,
  { merchantId }: Pick<Merchant, "merchantId">,
): Promise<Goal[]> {
  return readPatiently(deps, () => listGoalsWithin(deps.pool, merchantId, deps));
}
