import fc from "fast-check";
import { METRICS } from "../../../internal/query/schema/metrics.ts";
import { condition, filter, isEmpty, nest, numberTest } from "./hostile-filters.ts";
import { hostileNumber, hostileText } from "./hostile-texts.ts";
import {
  count,
  dimensionName,
  enumOf,
  type Json,
  metricName,
  names,
  often,
  wrongName,
} from "./hostile-values.ts";

/** RPCs, and where they are. */
const PATHS = {
  RunReport: "footfall.query.v1.QueryService/RunReport",
  BatchRunReports: "footfall.query.v1.QueryService/BatchRunReports",
  RunFunnel: "footfall.query.v1.QueryService/RunFunnel",
  GetMetadata: "footfall.query.v1.QueryService/GetMetadata",
  ListGoals: "footfall.query.v1.GoalService/ListGoals",
} as const;

export interface HostileRequest {
  readonly rpc: keyof typeof PATHS;
  readonly path: string;
  /** How it is sent: POST of JSON, GET, or POST of the binary form where there is one, with some bytes changed. */
  readonly form: "json" | "get" | "binary";
  readonly flips: readonly { readonly at: number; readonly byte: number }[];
  readonly message: Json;
}

const granularity = enumOf(
  "GRANULARITY",
  ...["UNSPECIFIED", "MINUTE", "QUARTER_HOUR", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"],
);

const DATES = ["2025-03-03", "2025-03-09", "2025-03-16", "2025-03-30", "2024-02-29", "2025-12-31"];
const WRONG_DATES = ["0000-01-01", "1899-12-31", "1900-01-01", "9999-12-31", "10000-01-01", "-000001-01-01"];
const MORE_WRONG_DATES = ["2025-02-30", "2025-2-3", "2025-03-03T00:00:00Z", "٢٠٢٥-٠٣-٠٣", "today"];
const date = often(
  fc.constantFrom(...DATES),
  fc.oneof(fc.constantFrom(...WRONG_DATES, ...MORE_WRONG_DATES), hostileText),
);
const TIMES = [
  "2025-03-03T00:00:00Z",
  "2025-03-10T12:34:00Z",
  "2025-03-17T00:00:00Z",
  "2025-03-10T12:34:56.789Z",
];
const WRONG_TIMES = [
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "2025-03-10T24:00:00Z",
  "1900-01-01T00:00:00Z",
];
const time = often(fc.constantFrom(...TIMES), fc.oneof(fc.constantFrom(...WRONG_TIMES), hostileText));

const period: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ dates: { startDate: "2025-03-03", endDate: "2025-03-16" } }) },
  { weight: 2, arbitrary: fc.record({ startDate: date, endDate: date }).map((dates) => ({ dates })) },
  { weight: 2, arbitrary: fc.record({ startTime: time, endTime: time }).map((times) => ({ times })) },
  {
    weight: 2,
    arbitrary: fc
      .record({ unit: granularity, count, includeCurrent: fc.boolean() })
      .map((relative) => ({ relative })),
  },
);

const flags = { matchDayOfWeek: fc.boolean(), cutToNow: fc.boolean() };
const comparison = often<Json>(
  fc.oneof(
    fc.record({ kind: enumOf("KIND", "PREVIOUS_PERIOD", "PREVIOUS_YEAR"), ...flags }),
    fc.record({ kind: fc.constant("KIND_CUSTOM"), period, ...flags }),
  ),
  fc.record({ kind: fc.constant("KIND_PREVIOUS_YEAR"), period }),
  20,
);

const ZONES = ["UTC", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "Etc/GMT+12", "Africa/Monrovia"];
const ODD_ZONES = [
  "Factory",
  "posixrules",
  "localtime",
  "+05:30",
  "-23:59",
  "EST5EDT",
  "utc",
  "europe/vienna",
  "GMT0",
  "U",
];
const zone = often(fc.constantFrom(...ZONES), fc.oneof(fc.constantFrom(...ODD_ZONES), hostileText), 9);

const scope = fc.record(
  {
    timeZone: zone,
    filter,
    traffic: enumOf("TRAFFIC", "UNSPECIFIED", "PEOPLE", "BOTS", "ALL"),
    accuracy: enumOf("ACCURACY", "UNSPECIFIED", "BALANCED", "EXACT", "FAST"),
    identity: enumOf("IDENTITY", "UNSPECIFIED", "VISITOR", "PERSON"),
  },
  { requiredKeys: [] },
);

const metrics = often(
  fc.uniqueArray(metricName, { minLength: 1, maxLength: 3 }),
  fc.array(metricName, { maxLength: 22 }),
  15,
);

const metricFilter = (asked: readonly string[]) =>
  nest(condition(often(fc.constantFrom(...asked, "events"), metricName, 20), numberTest, isEmpty));

const PAGE_TOKENS = [
  "1.1.1.a.b",
  "1.2s.m7xp4zgg.x.y",
  "2.1.1.a.b",
  "1.-1.1.a.b",
  "1.zzzzzzzzzzzz.1.a.b",
  "....",
  "1.1.m7xp4zgg",
];
const pageToken = often(fc.constant(""), fc.oneof(fc.constantFrom(...PAGE_TOKENS), hostileText), 15);

const report = fc
  .tuple(metrics, fc.uniqueArray(dimensionName, { maxLength: 3 }))
  .chain(([asked, by]): fc.Arbitrary<Json> => {
    const orderBy = fc.record(
      {
        field: often(fc.constantFrom(...asked, ...by, "events"), wrongName),
        ascending: fc.boolean(),
        byChange: fc.boolean(),
      },
      { requiredKeys: ["field"] },
    );
    return fc.record(
      {
        metrics: fc.constant(asked),
        dimensions: fc.constant(by),
        period,
        scope,
        ...(by.includes("time") && { granularity }),
        comparison,
        metricFilter: metricFilter(asked),
        orderBy: fc.array(orderBy, { maxLength: 2 }),
        pageSize: often<Json>(fc.constantFrom(1, 10, 10_000), hostileNumber, 30),
        pageToken,
        ...(by.length > 0 && { topValues: often<Json>(fc.constantFrom(1, 5, 100), hostileNumber, 20) }),
        includeEmpty: fc.boolean(),
      },
      { requiredKeys: ["metrics", "dimensions", "period"] },
    );
  });

/** Very many rows of very many columns: all minutes of a week. */
const large = fc
  .record({
    metrics: fc.uniqueArray(names(METRICS), { minLength: 8, maxLength: 20 }),
    dimensions: fc.constantFrom(["time"], ["time", "page"], ["page", "time", "country", "title"]),
    comparison: fc.constantFrom(undefined, { kind: "KIND_PREVIOUS_PERIOD" }),
    pageSize: fc.constantFrom(0, 10_000, 2 ** 31 - 1),
    traffic: fc.constantFrom("TRAFFIC_PEOPLE", "TRAFFIC_ALL"),
  })
  .map(({ traffic, ...rest }) => ({
    ...rest,
    scope: { traffic },
    period: { times: { startTime: "2025-03-03T00:00:00Z", endTime: "2025-03-09T22:30:00Z" } },
    granularity: "GRANULARITY_MINUTE",
  }));
const reportOrLarge = often<Json>(report, large, 30);

const step = fc.record(
  {
    title: hostileText,
    event: filter,
    kind: often<Json>(fc.constant("KIND_REQUIRED"), enumOf("KIND", "UNSPECIFIED", "OPTIONAL", "EXCLUDED"), 4),
  },
  { requiredKeys: ["event"] },
);
const funnel = fc.record(
  {
    steps: often<Json>(
      fc.array(step, { minLength: 2, maxLength: 5 }),
      fc.array(step, { minLength: 20, maxLength: 21 }),
      30,
    ),
    period,
    scope,
    order: enumOf("FUNNEL_ORDER", "UNSPECIFIED", "IN_ORDER", "STRICT", "ANY"),
    window: often<Json>(fc.constantFrom("60s", "86400s", "1.5s"), fc.oneof(hostileText, hostileNumber)),
    breakdown: dimensionName,
    granularity,
    comparison,
  },
  { requiredKeys: ["steps", "period"] },
);

const messages: Readonly<Record<HostileRequest["rpc"], fc.Arbitrary<Json>>> = {
  RunReport: reportOrLarge,
  BatchRunReports: often(
    fc.array(reportOrLarge, { minLength: 1, maxLength: 10 }),
    fc.oneof(fc.array(report, { maxLength: 11 }), fc.array(large, { minLength: 10, maxLength: 10 })),
  ).map((requests) => ({ requests })),
  RunFunnel: funnel,
  GetMetadata: fc.record(
    {
      merchantId: often<Json>(fc.constant(0), hostileNumber),
      metrics,
      dimensions: fc.array(dimensionName, { maxLength: 4 }),
    },
    { requiredKeys: [] },
  ),
  ListGoals: fc.record({ merchantId: often<Json>(fc.constant(0), hostileNumber, 1) }, { requiredKeys: [] }),
};

/** Puts other values in some places of a message, each place by its number of all there are. */
function spoiled(message: Json, changes: readonly (readonly [place: number, value: Json])[]): Json {
  const copy = structuredClone(message);
  for (const [place, other] of changes) {
    const places = placesIn(copy);
    const chosen = places[place % Math.max(1, places.length)];
    if (chosen !== undefined) chosen.holder[chosen.key] = other;
  }
  return copy;
}

function placesIn(value: Json): { readonly holder: Record<string, Json>; readonly key: string }[] {
  const places: { holder: Record<string, Json>; key: string }[] = [];
  const open = [value];
  for (let next = open.pop(); next !== undefined || open.length > 0; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    const holder = next as Record<string, Json>;
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      open.push(holder[key]);
    }
  }
  return places;
}

const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
  hostileNumber,
  hostileText,
  filter,
);
const changes = often<(readonly [number, Json])[]>(
  fc.constant([]),
  fc.array(fc.tuple(fc.nat(), oddValue), { minLength: 1, maxLength: 3 }),
  8,
);
const flips = often<{ at: number; byte: number }[]>(
  fc.constant([]),
  fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), { minLength: 1, maxLength: 3 }),
  5,
);

const rpc = fc.oneof(
  { weight: 12, arbitrary: fc.constant("RunReport" as const) },
  { weight: 2, arbitrary: fc.constant("BatchRunReports" as const) },
  { weight: 3, arbitrary: fc.constant("RunFunnel" as const) },
  { weight: 2, arbitrary: fc.constant("GetMetadata" as const) },
  { weight: 1, arbitrary: fc.constant("ListGoals" as const) },
);

/** Requests of which many are right in all but what their texts and numbers are. */
export const hostileRequests: fc.Arbitrary<HostileRequest> = rpc.chain((name) =>
  fc
    .record({
      message: fc.tuple(messages[name], changes).map(([message, places]) => spoiled(message, places)),
      form: fc.constantFrom("json" as const, "json" as const, "get" as const, "binary" as const),
      flips,
    })
    .map((rest) => ({ rpc: name, path: PATHS[name], ...rest })),
);
