import { create } from "@bufbuild/protobuf";
import {
  type ListGoalsRequest,
  type ListGoalsResponse,
  ListGoalsResponseSchema,
} from "../../../gen/footfall/query/v1/goals_pb.js";
import { readGoals } from "../../run/own-fields.ts";
import { readWithRetry } from "../../run/read-with-retry.ts";
import { answer, checkMerchant } from "../answer.ts";
import type { Method } from "../answer-reports.ts";
import { tagContent } from "../etag.ts";
import type { GoalDeps } from "./goal-deps.ts";
import { goalToWire } from "./goal-to-wire.ts";

/** ListGoals. @throws Failure as answer and readWithRetry, "denied" for another merchant. */
export function answerGoals(deps: GoalDeps): Method<ListGoalsRequest, ListGoalsResponse> {
  return ({ merchantId: asked }, context) =>
    answer(deps, { rpc: "ListGoals", context }, async (limits, merchant) => {
      checkMerchant(asked, merchant, "merchant_id");
      const goals = await readWithRetry(limits, () => readGoals(deps.pool, merchant.merchantId, limits));
      const response = create(ListGoalsResponseSchema, { goals: goals.map(goalToWire) });
      tagContent(context, ListGoalsResponseSchema, response);
      return response;
    });
}
