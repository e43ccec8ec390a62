import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import * as wire from "../../../gen/footfall/query/v1/goals_pb.js";
import type { Goal } from "../../../store/goals.ts";

/** A goal as the wire has it. */
export function goalToWire({
  goalId,
  name,
  eventName,
  pagePattern,
  valueMicros,
  createdTime,
}: Goal): wire.Goal {
  return create(wire.GoalSchema, {
    id: goalId,
    displayName: name,
    eventName: eventName ?? "",
    pagePattern: pagePattern ?? "",
    ...(valueMicros !== undefined && { valueMicros }),
    createTime: timestampFromMs(createdTime),
  });
}
