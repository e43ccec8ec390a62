import fc from "fast-check";
import type { Expression, Filter, Test } from "../../question/filter.ts";
import type { Merchant, Order, Question, Span } from "../../question/question.ts";
import { DIMENSIONS } from "../../schema/dimensions.ts";
import type { Dimension, Metric } from "../../schema/field.ts";
import { METRICS } from "../../schema/metrics.ts";
import { GRANULARITIES, type Granularity } from "../../time/beginnings.ts";
import { bucketEdges } from "../../time/buckets.ts";
import { countsItems } from "../naive/metrics.ts";
import { ODD_TEXTS } from "./events.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What questions are about. */
export interface About {
  readonly merchants: readonly Merchant[];
  /** Ms since 1970-01-01 UTC; spans are here or a little beside. */
  readonly from: number;
  readonly to: number;
  /** The merchant's own fields, and such. */
  readonly metrics?: readonly Metric[];
  readonly dimensions?: readonly Dimension[];
}

/** Random valid questions. */
export function questionsAbout(about: About): fc.Arbitrary<Question> {
  const dimensions = [...DIMENSIONS, ...(about.dimensions ?? [])];
  const metrics = [...METRICS, ...(about.metrics ?? [])];
  return fc
    .tuple(
      fc.constantFrom("UTC", "UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"),
      mostly(
        fc.shuffledSubarray(dimensions, { maxLength: 4 }),
        fc.shuffledSubarray(dimensions, { maxLength: 9 }),
      ),
    )
    .chain(([timeZone, asked]) => {
      const ofItems = asked.some(({ scope }) => scope === "item");
      const possible = ofItems ? metrics.filter(({ name }) => countsItems(name)) : metrics;
      const hasTime = asked.some(({ type }) => type === "bucket");
      return fc.record({
        merchant: fc.constantFrom(...about.merchants),
        timeZone: fc.constant(timeZone),
        traffic: fc.constantFrom("people", "people", "bots", "all"),
        // Of so few events all answers are exact.
        accuracy: fc.constantFrom("exact", "balanced", "fast"),
        identity: fc.constantFrom("visitor", "visitor", "person"),
        spans: spans(about, timeZone, hasTime),
        metrics: mostly(
          fc.shuffledSubarray(possible, { minLength: 1, maxLength: 6 }),
          fc.shuffledSubarray(possible, { minLength: 1, maxLength: Math.min(20, possible.length) }),
        ),
        dimensions: fc.constant(asked),
        filter: fc.option(filters(dimensions), { nil: undefined }),
        includeEmpty: fc.boolean(),
        offset: fc.constantFrom(0, 0, 0, 0, 0, 0, 2, 2, 50),
        limit: fc.constantFrom(1, 5, 1_000, 1_000),
        topValues: fc.option(fc.constantFrom(1, 2, 3, 4, 100), { nil: undefined, freq: 2 }),
      } satisfies { [K in keyof Omit<Question, "metricFilter" | "orderBy">]-?: fc.Arbitrary<unknown> });
    })
    .chain((question) =>
      fc
        .record({
          orderBy: orders(question as unknown as Question),
          metricFilter: fc.option(metricFilters(question.metrics), { nil: undefined, freq: 2 }),
        })
        .map((rest) => ({ ...question, ...rest }) as unknown as Question),
    );
}

/** The one, or now and then the other. */
function mostly<T>(one: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 9, arbitrary: one }, { weight: 1, arbitrary: other });
}

/** Longest spans in buckets of a granularity, ms, so that these are some hundreds; of others any. */
const LONGEST_MS: Readonly<Partial<Record<Granularity, number>>> = {
  minute: DAY_MS / 4,
  quarter_hour: 4 * DAY_MS,
  hour: 12 * DAY_MS,
};

const MONDAY = 1;

/** Whole UTC days, whole local days, or minutes; one, or two with buckets that have partners, or not. */
export function spans(
  { from, to }: About,
  timeZone: string,
  hasTime: boolean,
): fc.Arbitrary<Question["spans"]> {
  const unaligned = fc.tuple(
    fc.constantFrom<Unit>("utc", "utc", "local", "minute", "quarter"),
    fc.integer({ min: from - 2 * DAY_MS, max: to + DAY_MS }),
    fc.integer({ min: 1, max: 45 }),
    fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }) },
      { weight: 1, arbitrary: fc.constantFrom(...GRANULARITIES) },
    ),
  );
  const one = unaligned.map(([unit, start, length, buckets]) => {
    const begin = floor(start, unit, timeZone);
    // Minutes go over whole days too, and end at an odd one.
    const end = floor(begin + length * DAY_MS + 3 * 3_600_000, unit, timeZone);
    if (!hasTime) return { start: begin, end };
    if (typeof buckets === "number") return spanOf(begin, end, unit, timeZone, buckets);
    return spanBy(buckets, { start: begin, end }, timeZone);
  });
  return fc.oneof(
    { weight: 2, arbitrary: one.map((span) => [span] as const) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(one, fc.integer({ min: -40, max: 10 }))
        .map(([span, days]) => [span, shifted(span, days * DAY_MS)] as const),
    },
    { weight: 1, arbitrary: fc.tuple(one, one, positions).map(aligned) },
  );
}

/** Which spans have a bucket in each position, as far as they have buckets. */
const positions = fc.array(fc.constantFrom<"both" | 0 | 1>("both", "both", 0, 1), {
  minLength: 12,
  maxLength: 12,
});

/** Two spans, with their buckets in the same positions or alone. */
function aligned([first, other, which]: [Span, Span, readonly ("both" | 0 | 1)[]]): readonly [Span, Span] {
  if (first.edges === undefined || other.edges === undefined) return [first, other];
  const left = [first.edges.length - 1, other.edges.length - 1];
  const taken: number[][] = [[], []];
  for (let position = 0; left[0]! + left[1]! > 0; position++) {
    const asked = [0, 1].filter(
      (span) => left[span]! > 0 && (which[position] === "both" || which[position] === span),
    );
    for (const span of asked.length > 0 ? asked : [0, 1].filter((one) => left[one]! > 0)) {
      taken[span]!.push(position);
      left[span]!--;
    }
  }
  return [
    { ...first, positions: taken[0]! },
    { ...other, positions: taken[1]! },
  ];
}

type Unit = "utc" | "local" | "minute" | "quarter";

function floor(time: number, unit: Unit, timeZone: string): number {
  const of = (ms: number) => Math.floor(time / ms) * ms;
  if (unit === "minute") return of(MINUTE_MS);
  if (unit === "quarter") return of(15 * MINUTE_MS);
  if (unit === "utc") return of(DAY_MS);
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone).startOfDay()
    .epochMilliseconds;
}

/** A span, or the beginning of it, in buckets of a granularity. */
function spanBy(granularity: Granularity, { start, end }: Span, timeZone: string): Span {
  const span = { start, end: Math.min(end, start + (LONGEST_MS[granularity] ?? Number.POSITIVE_INFINITY)) };
  return { ...span, edges: bucketEdges(span, granularity, { timeZone, firstDayOfWeek: MONDAY }) };
}

function spanOf(start: number, end: number, unit: Unit, timeZone: string, buckets: number): Span {
  const inner = Array.from({ length: buckets - 1 }, (_, at) =>
    floor(start + ((end - start) * (at + 1)) / buckets, unit, timeZone),
  );
  const edges = [...new Set([start, ...inner.filter((edge) => edge > start && edge < end), end])];
  return { start, end, edges };
}

function shifted({ start, end, edges }: Span, by: number): Span {
  const move = (time: number) => time + by;
  return { start: move(start), end: move(end), ...(edges === undefined ? {} : { edges: edges.map(move) }) };
}

const VALUES = [
  ...ODD_TEXTS.filter((text) => text !== ""),
  ...[
    "a",
    "B",
    "ä",
    "page_view",
    "click",
    "Direct",
    "google",
    "new",
    "returning",
    "true",
    "-3",
    "Bought",
    "EUR",
    "shoe",
    "Ajax",
    "1920x1080",
    "pro",
  ],
] as const;

const value = fc.constantFrom(...VALUES);

const textTest: fc.Arbitrary<Test> = fc.oneof(
  fc.record({
    kind: fc.constant("text"),
    match: fc.constantFrom("exact", "prefix", "suffix", "contains"),
    value,
    ignoreCase: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("text"),
    match: fc.constant("wildcard"),
    value: fc.constantFrom("*", "**", "/*", "/**", "*a", "/a?b", "/a.b", "*e*"),
    ignoreCase: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("text"),
    match: fc.constant("regex"),
    value: fc.constantFrom("^/a", "b$", "[ab]", "/a.b", "oo|ew", "\\d+", "^.{1,2}$"),
    ignoreCase: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("in"), values: fc.uniqueArray(value, { minLength: 1, maxLength: 20 }) }),
) as fc.Arbitrary<Test>;

const emptyTest: fc.Arbitrary<Test> = fc.record({ kind: fc.constant("empty"), isEmpty: fc.boolean() });

function numberTest(bounds: fc.Arbitrary<number>): fc.Arbitrary<Test> {
  return fc.oneof(
    fc.record({ kind: fc.constant("number" as const), min: bounds }),
    fc.record({ kind: fc.constant("number" as const), max: bounds }),
    fc.record({ kind: fc.constant("number" as const), min: bounds, max: bounds }),
    fc.record({ kind: fc.constant("number" as const), equals: bounds }),
  );
}

/** Filters of up to three levels, with behaviors. */
export function filters(dimensions: readonly Dimension[]): fc.Arbitrary<Filter> {
  const tests = fc.constantFrom(...dimensions.filter(({ filterable }) => filterable)).chain((field) => {
    const whole = fc.integer({ min: field.type === "number" ? 0 : -9, max: 23 });
    const ofNumbers = numberTest(mostly<number>(whole, fc.constantFrom(-0.5, 2.5, 1e300)));
    const ofTexts = field.number === undefined ? textTest : fc.oneof(textTest, ofNumbers);
    const ofType = field.type === "number" ? ofNumbers : ofTexts;
    const test = fc.oneof({ weight: 5, arbitrary: ofType }, { weight: 1, arbitrary: emptyTest });
    return test.map((one): Filter => ({ kind: "test", field, test: one }));
  });
  const behavior = fc.record({
    kind: fc.constant("behavior" as const),
    subject: fc.constantFrom("session" as const, "visitor" as const),
    event: expressions(tests, tests),
    atLeast: fc.integer({ min: 0, max: 2 }),
    atMost: fc.constantFrom(undefined, 0, 1, 2),
  });
  return expressions(tests, fc.oneof({ weight: 4, arbitrary: tests }, { weight: 1, arbitrary: behavior }));
}

function expressions<F>(
  simple: fc.Arbitrary<Expression<F>>,
  leaf: fc.Arbitrary<Expression<F>>,
): fc.Arbitrary<Expression<F>> {
  const made = (of: fc.Arbitrary<Expression<F>>): fc.Arbitrary<Expression<F>> =>
    fc.oneof(
      of,
      fc.record({
        kind: fc.constantFrom("all" as const, "any" as const),
        of: fc.array(of, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant("not" as const), of }),
    );
  return fc.oneof(simple, made(leaf), made(made(leaf)));
}

function metricFilters(metrics: readonly Metric[]): fc.Arbitrary<Expression<Metric>> {
  const test = fc.oneof(
    { weight: 5, arbitrary: numberTest(fc.constantFrom(0, 0.5, 1, 3, 1e6)) },
    { weight: 1, arbitrary: emptyTest },
  );
  const tests = fc
    .tuple(fc.constantFrom(...metrics), test)
    .map(([field, one]): Expression<Metric> => ({ kind: "test", field, test: one }));
  return expressions(tests, tests);
}

function orders({ metrics, dimensions, spans: asked }: Question): fc.Arbitrary<Order[]> {
  const byMetric = fc.record({
    by: fc.nat({ max: metrics.length - 1 }).map((metric) => ({ metric })),
    ascending: fc.boolean(),
    byChange: asked.length === 2 ? fc.boolean() : fc.constant(false),
  });
  if (dimensions.length === 0) return fc.array(byMetric, { maxLength: 2 });
  const byDimension = fc.record({
    by: fc.nat({ max: dimensions.length - 1 }).map((dimension) => ({ dimension })),
    ascending: fc.boolean(),
    byChange: fc.constant(false),
  });
  return fc.array(fc.oneof(byMetric, byDimension), { maxLength: 2 });
}
