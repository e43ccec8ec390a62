import fc from "fast-check";
import { DIMENSIONS } from "../../../internal/query/schema/dimensions.ts";
import { METRICS } from "../../../internal/query/schema/metrics.ts";
import { OWN_FIELDS } from "../../../internal/query/testing/generate/own-fields.ts";
import { hostileNumber, hostileText } from "./hostile-texts.ts";

/** A request as JSON has it, or what somebody sends in its place. */
export type Json = unknown;

export const often = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>, weight = 9) =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: other });

export const names = (fields: readonly { readonly name: string }[]) =>
  fc.constantFrom(...fields.map(({ name }) => name));

const ownName = fc
  .tuple(
    hostileText,
    fc.constantFrom("property:%", "property:%:sum", "property:%:p99", "goal:%:conversions", "goal:%"),
  )
  .map(([text, form]) => form.replace("%", () => text));
export const wrongName = fc.oneof(hostileText, ownName);

export const metricName = often(often(names(METRICS), names(OWN_FIELDS.metrics)), wrongName, 60);
export const dimensions = [...DIMENSIONS, ...OWN_FIELDS.dimensions];
export const dimensionName = often(names(dimensions), wrongName, 40);

/** An enum's value by its name or number, some of which are none. */
export const enumOf = (prefix: string, ...values: readonly string[]): fc.Arbitrary<Json> =>
  often<Json>(
    fc.constantFrom(...values.map((value) => `${prefix}_${value}`)),
    fc.oneof(hostileNumber, hostileText),
    80,
  );

export const count = often<Json>(fc.constantFrom(0, 1, 2, 5, 1_000), hostileNumber, 15);
export const number = often<Json>(fc.constantFrom(0, 1, 2, 5, 0.5, -1e9, 1e300, 5e-324), hostileNumber, 15);
