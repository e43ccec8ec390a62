import { expect, test } from "vitest";
import { FunnelStep_Kind as Kind } from "../../gen/footfall/query/v1/funnel_pb.js";
import { parseWindow } from "./parse-period.ts";
import { parseSteps } from "./parse-steps.ts";

const read = (text: string) => parseSteps(text).map(({ title, kind }) => [title, kind]);

test("steps are parted by arrows, and words tell what they are for", () => {
  const text = "event_name==view -> optional page=^/cart ->  without event_name==leave -> event_name==buy";
  expect(read(text)).toEqual([
    ["event_name==view", Kind.REQUIRED],
    ["page=^/cart", Kind.OPTIONAL],
    ["event_name==leave", Kind.EXCLUDED],
    ["event_name==buy", Kind.REQUIRED],
  ]);
});

test("an arrow in quotes, or without spaces, parts nothing", () => {
  expect(read(`title=="a -> \\" -> b" -> page==/a->b`)).toEqual([
    [`title=="a -> \\" -> b"`, Kind.REQUIRED],
    ["page==/a->b", Kind.REQUIRED],
  ]);
});

test.each([
  ["event_name==view", "--steps must be two filters or more"],
  ["event_name==view -> ", "--steps: "],
  ["event_name==view -> optional", "--steps: "],
])("%j is refused", (text, message) => {
  expect(() => parseSteps(text)).toThrow(message);
});

test("a window is a number and a unit", () => {
  expect(parseWindow("90min")).toEqual({ seconds: 5_400n });
  expect(parseWindow("7d")).toEqual({ seconds: 604_800n });
  expect(() => parseWindow("7")).toThrow('--window "7" must be a number and one of s, min, h, d');
});
