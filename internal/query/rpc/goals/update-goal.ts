import { create } from "@bufbuild/protobuf";
import {
  type UpdateGoalRequest,
  type UpdateGoalResponse,
  UpdateGoalResponseSchema,
} from "../../../gen/footfall/query/v1/goals_pb.js";
import { updateGoal } from "../../../store/goals.ts";
import { answer, checkMerchant } from "../answer.ts";
import type { Method } from "../answer-reports.ts";
import { missing } from "../field-errors.ts";
import { changeInStore, type GoalDeps } from "./goal-deps.ts";
import { goalToWire } from "./goal-to-wire.ts";
import { PATHS, readChange } from "./read-goal.ts";

/**
 * UpdateGoal.
 * @throws Failure as answer and readChange, "denied" for another merchant, "not_found" for a goal that it does not have,
 * "already_exists" for a name that is taken.
 */
export function changeGoal(deps: GoalDeps): Method<UpdateGoalRequest, UpdateGoalResponse> {
  return ({ merchantId: asked, goal, updateMask }, context) =>
    answer(deps, { rpc: "UpdateGoal", context }, async (_, { merchantId }) => {
      checkMerchant(asked, { merchantId }, "merchant_id");
      if (goal === undefined || goal.id === 0) throw missing("goal.id", "the goal's id");
      const { id, displayName } = goal;
      const change = readChange(goal, updateMask);
      const fields = {
        not_found: { field: "goal.id", value: id },
        already_exists: { field: PATHS.name, value: displayName },
      };
      const changed = await changeInStore(fields, () => updateGoal(deps.pool, merchantId, id, change));
      return create(UpdateGoalResponseSchema, { goal: goalToWire(changed) });
    });
}
