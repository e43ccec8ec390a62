import { create } from "@bufbuild/protobuf";
import {
  type CreateGoalRequest,
  type CreateGoalResponse,
  CreateGoalResponseSchema,
} from "../../../gen/footfall/query/v1/goals_pb.js";
import { addGoal } from "../../../store/goals.ts";
import { answer, checkMerchant } from "../answer.ts";
import type { Method } from "../answer-reports.ts";
import { changeInStore, type GoalDeps } from "./goal-deps.ts";
import { goalToWire } from "./goal-to-wire.ts";
import { PATHS, readGoal } from "./read-goal.ts";

/**
 * CreateGoal.
 * @throws Failure as answer and readGoal, "denied" for another merchant, "already_exists" for a name that is taken,
 * "exhausted" where there are as many goals as there may be.
 */
export function createGoal(deps: GoalDeps): Method<CreateGoalRequest, CreateGoalResponse> {
  return (request, context) =>
    answer(deps, { rpc: "CreateGoal", context }, async (_, merchant) => {
      checkMerchant(request.merchantId, merchant, "merchant_id");
      const goal = readGoal(request.goal);
      const fields = { already_exists: { field: PATHS.name, value: goal.name } };
      const made = await changeInStore(fields, () => addGoal(deps.pool, merchant.merchantId, goal));
      return create(CreateGoalResponseSchema, { goal: goalToWire(made) });
    });
}
