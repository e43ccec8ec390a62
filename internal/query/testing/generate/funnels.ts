import fc from "fast-check";
import { canBreakDown } from "../../plan/compatible.ts";
import type { Filter } from "../../question/filter.ts";
import type { FunnelQuestion, FunnelStep } from "../../question/funnel.ts";
import { DIMENSIONS } from "../../schema/dimensions.ts";
import { type About, filters, spans } from "./questions.ts";

const HOUR_MS = 3_600_000;

/** Events of some name, as most steps ask for; of random ones hardly a visitor comes to the second step. */
const ofName = fc.constantFrom("page_view", "page_view", "click", "purchase").map(
  (value): Filter => ({
    kind: "test",
    field: DIMENSIONS.find(({ name }) => name === "event_name")!,
    test: { kind: "text", match: "exact", value, ignoreCase: false },
  }),
);

/** Random valid funnels. */
export function funnelsAbout(about: About): fc.Arbitrary<FunnelQuestion> {
  const dimensions = [...DIMENSIONS, ...(about.dimensions ?? [])];
  const event = fc.oneof({ weight: 4, arbitrary: ofName }, { weight: 1, arbitrary: filters(dimensions) });
  return fc
    .record({
      timeZone: fc.constantFrom("UTC", "UTC", "Asia/Kathmandu", "Australia/Lord_Howe"),
      hasTime: fc.boolean(),
      order: fc.constantFrom("in_order" as const, "in_order" as const, "strict" as const, "any" as const),
    })
    .chain(({ timeZone, hasTime, order }) =>
      fc.record({
        merchant: fc.constantFrom(...about.merchants),
        timeZone: fc.constant(timeZone),
        traffic: fc.constantFrom("people", "people", "bots", "all"),
        accuracy: fc.constantFrom("exact", "balanced"),
        identity: fc.constantFrom("visitor", "visitor", "person"),
        spans: spans(about, timeZone, hasTime),
        filter: fc.option(filters(dimensions), { nil: undefined, freq: 2 }),
        steps: stepsOf(event, order),
        order: fc.constant(order),
        windowMs: fc.constantFrom(undefined, 10_000, HOUR_MS, 24 * HOUR_MS, 20 * 24 * HOUR_MS),
        breakdown: fc.option(fc.constantFrom(...dimensions.filter(canBreakDown)), { nil: undefined }),
        topValues: fc.constantFrom(1, 2, 5, 100),
      }),
    ) as fc.Arbitrary<FunnelQuestion>;
}

function stepsOf(event: fc.Arbitrary<Filter>, order: FunnelQuestion["order"]): fc.Arbitrary<FunnelStep[]> {
  const step = fc.record({
    title: fc.constant("Step"),
    event,
    isOptional: order === "any" ? fc.constant(false) : fc.constantFrom(false, false, true),
    excluded:
      order === "in_order"
        ? fc.oneof(
            { weight: 3, arbitrary: fc.constant([]) },
            { weight: 1, arbitrary: fc.array(event, { maxLength: 2 }) },
          )
        : fc.constant([]),
  });
  return fc.array(step, { minLength: 2, maxLength: 5 }).map((steps) =>
    steps.map((one, at) => ({
      ...one,
      isOptional: one.isOptional && at > 0 && at < steps.length - 1,
      excluded: at === 0 ? [] : one.excluded,
    })),
  );
}
