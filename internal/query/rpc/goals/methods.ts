import type { ServiceImpl } from "@connectrpc/connect";
import type { GoalService } from "../../../gen/footfall/query/v1/goals_pb.js";
import { createGoal } from "./create-goal.ts";
import { deleteGoal } from "./delete-goal.ts";
import type { GoalDeps } from "./goal-deps.ts";
import { answerGoals } from "./list-goals.ts";
import { changeGoal } from "./update-goal.ts";

/** GoalService for a ConnectRouter. */
export function goalMethods(deps: GoalDeps): ServiceImpl<typeof GoalService> {
  return {
    listGoals: answerGoals(deps),
    createGoal: createGoal(deps),
    updateGoal: changeGoal(deps),
    deleteGoal: deleteGoal(deps),
  };
}
