import type { Row } from "./breakdown-rows.ts";

/** What of a row is told apart by each dimension that the test asks for; `around` are rows that may belong to its visit. */
export const VALUE_OF = {
  page: ({ path }) => path,
  event_name: ({ name }) => name,
  host: ({ host }) => host,
  source: visitSource,
  country: ({ country }) => country,
  browser: ({ browser }) => browser,
} as const satisfies Readonly<Record<string, (row: Row, around: readonly Row[]) => string | null>>;

/** The source of the first of the session's rows that has one; of two at one time the lesser. */
function visitSource({ session }: Row, around: readonly Row[]): string | null {
  const sourced = around.filter((row) => row.session === session && row.source !== null);
  sourced.sort((a, b) => a.ts - b.ts || order(a.source, b.source));
  return sourced[0]?.source ?? null;
}

/** The metrics of rows, counted one by one. */
export const COUNT_OF = {
  events: (rows) => BigInt(rows.length),
  page_views: (rows) => BigInt(rows.filter(({ name }) => name === "page_view").length),
  visitors: (rows) => BigInt(new Set(rows.map(({ visitor }) => visitor)).size),
  sessions: (rows) => BigInt(new Set(rows.map(({ session }) => session)).size),
  revenue: (rows) => rows.reduce((sum, { revenue }) => sum + BigInt(revenue ?? 0), 0n),
  orders: (rows) => BigInt(rows.filter(({ revenue }) => revenue !== null).length),
} as const satisfies Readonly<Record<string, (rows: readonly Row[]) => bigint>>;

export type Metric = keyof typeof COUNT_OF;

interface Asked {
  readonly dimension: keyof typeof VALUE_OF;
  readonly metrics: readonly Metric[];
  readonly limit: number;
}

/**
 * What a breakdown must say of rows, counted in plain code.
 * @param around the rows of up to 24 hours before and behind, too.
 */
export function recountBreakdown(
  rows: readonly Row[],
  around: readonly Row[],
  { dimension, metrics, limit }: Asked,
) {
  const groups = [...Map.groupBy(rows, (row) => VALUE_OF[dimension](row, around))].map(([value, own]) => ({
    value,
    counts: metrics.map((metric) => COUNT_OF[metric](own)),
  }));
  groups.sort((a, b) => Number(b.counts[0]! - a.counts[0]!) || order(a.value, b.value));
  const answered = groups.slice(0, limit);
  return {
    values: answered.map(({ value }) => value ?? ""),
    valuesFound: BigInt(groups.length),
    series: metrics.map((metric, index) => ({
      metric,
      values: answered.map(({ counts }) => counts[index]!),
      total: COUNT_OF[metric](rows),
    })),
  };
}

/** By name; none comes last. */
function order(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a < b ? -1 : 1;
}
