import type { Goal } from "../../../store/goals.ts";
import { DIMENSIONS } from "../../schema/dimensions.ts";
import type { Dimension, Metric } from "../../schema/field.ts";
import { METRICS } from "../../schema/metrics.ts";
import { schemaOf } from "../../schema/schema.ts";

/** Goals that events of eventsWithin reach: of names, of pages, of both, several at once, worth something or nothing. */
export const GOALS: readonly Goal[] = [
  goal(1, "Bought", { eventName: "purchase", valueMicros: 2_500_000n }),
  goal(2, "Page of a", { pagePattern: "/a*" }),
  goal(4, "Viewed '; --", { eventName: "page_view", pagePattern: "/**" }),
  goal(5, "ä", { pagePattern: "**/b", valueMicros: 0n }),
  goal(9, "Never", { eventName: "never" }),
];

function goal(goalId: number, name: string, fields: Partial<Goal>): Goal {
  const none = { eventName: undefined, pagePattern: undefined, valueMicros: undefined, createdTime: 0 };
  return { goalId, name, ...none, ...fields };
}

const SCHEMA = schemaOf({
  goals: GOALS,
  properties: [
    { name: "plan", isNumeric: true },
    { name: "weight", isNumeric: true },
  ],
});

/** The fields of the goals, and of the properties that events of eventsWithin have. */
export const OWN_FIELDS: { readonly metrics: readonly Metric[]; readonly dimensions: readonly Dimension[] } =
  {
    metrics: SCHEMA.metrics.filter((metric) => !METRICS.includes(metric)),
    dimensions: SCHEMA.dimensions.filter((dimension) => !DIMENSIONS.includes(dimension)),
  };
