import { create } from "@bufbuild/protobuf";
import {
  type DeleteGoalRequest,
  type DeleteGoalResponse,
  DeleteGoalResponseSchema,
} from "../../../gen/footfall/query/v1/goals_pb.js";
import { removeGoal } from "../../../store/goals.ts";
import { answer, checkMerchant } from "../answer.ts";
import type { Method } from "../answer-reports.ts";
import { missing } from "../field-errors.ts";
import { changeInStore, type GoalDeps } from "./goal-deps.ts";

/**
 * DeleteGoal.
 * @throws Failure as answer, "denied" for another merchant, "not_found" for a goal that it does not have.
 */
export function deleteGoal(deps: GoalDeps): Method<DeleteGoalRequest, DeleteGoalResponse> {
  return ({ merchantId: asked, goalId }, context) =>
    answer(deps, { rpc: "DeleteGoal", context }, async (_, { merchantId }) => {
      checkMerchant(asked, { merchantId }, "merchant_id");
      if (goalId === 0) throw missing("goal_id", "the goal's id");
      const fields = { not_found: { field: "goal_id", value: goalId } };
      await changeInStore(fields, () => removeGoal(deps.pool, merchantId, goalId));
      return create(DeleteGoalResponseSchema);
    });
}
