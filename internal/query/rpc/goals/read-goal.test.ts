import { create } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { GoalSchema } from "../../../gen/footfall/query/v1/goals_pb.js";
import { readChange, readGoal } from "./read-goal.ts";

const NOW = { name: "Goal", eventName: "a", pagePattern: "/a", valueMicros: 5n };

/** What becomes of NOW. @param paths of the mask; undefined: none. */
function changed(fields: Parameters<typeof create<typeof GoalSchema>>[1], paths: string[] | undefined) {
  const mask = paths && create(FieldMaskSchema, { paths });
  return readChange(create(GoalSchema, fields), mask)(NOW);
}

function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

test("fields that the mask names change, and those alone", () => {
  const fields = { displayName: "New", eventName: "b" };
  expect(changed(fields, ["display_name"])).toEqual({ ...NOW, name: "New" });
  expect(changed(fields, ["event_name", "page_pattern"])).toEqual({
    ...NOW,
    eventName: "b",
    pagePattern: undefined,
  });
  expect(changed({}, ["value_micros"])).toEqual({ ...NOW, valueMicros: undefined });
  expect(changed({ id: 9 }, ["id", "create_time"])).toEqual(NOW);
});

test("without a mask what is given changes; a star replaces all", () => {
  expect(changed({ id: 1, valueMicros: 0n }, undefined)).toEqual({ ...NOW, valueMicros: 0n });
  expect(changed({ displayName: "New", pagePattern: "/b" }, ["*"])).toEqual({
    name: "New",
    eventName: undefined,
    pagePattern: "/b",
    valueMicros: undefined,
  });
});

test("what may not be is refused by its path", () => {
  expect(refusal(() => changed({}, []))).toMatchObject({ field: "update_mask.paths" });
  expect(refusal(() => changed({}, ["event_name", "name"]))).toMatchObject({
    field: "update_mask.paths[1]",
    value: "name",
  });
  expect(refusal(() => changed({}, ["__proto__"]))).toMatchObject({ field: "update_mask.paths[0]" });
  expect(refusal(() => changed({}, ["*", "id"]))).toMatchObject({ field: "update_mask.paths[0]" });
  expect(refusal(() => changed({}, ["display_name"]))).toMatchObject({ field: "goal.display_name" });
  expect(refusal(() => changed({}, ["event_name", "page_pattern"]))).toMatchObject({
    field: "goal.event_name",
    reason: "FIELD_MISSING",
  });
  expect(refusal(() => readGoal(undefined))).toMatchObject({ field: "goal", reason: "FIELD_MISSING" });
  const goal = create(GoalSchema, { displayName: "x", eventName: "y", valueMicros: -1n });
  expect(refusal(() => readGoal(goal))).toMatchObject({ field: "goal.value_micros", value: "-1" });
});
