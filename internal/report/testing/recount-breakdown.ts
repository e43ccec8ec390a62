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

const KEY_OF = {
  visitors: ({ visitor }) => visitor,
  sessions: ({ session }) => session,
} as const satisfies Partial<Record<Metric, (row: Row) => number>>;

const isKey = (metric: Metric): metric is keyof typeof KEY_OF => Object.hasOwn(KEY_OF, metric);

/** The keys of each visitor whose number is a multiple of the factor: how many there are, and the sum of their squares. */
function sampledKeys(rows: readonly Row[], metric: keyof typeof KEY_OF, factor: number) {
  const sampled = rows.filter(({ visitor }) => visitor % factor === 0);
  const counts = [...Map.groupBy(sampled, ({ visitor }) => visitor).values()].map(
    (own) => new Set(own.map(KEY_OF[metric])).size,
  );
  return { keys: sum(counts), squares: sum(counts.map((count) => count * count)) };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** A metric of rows as a sample of the visitors tells it. */
function countOf(metric: Metric, rows: readonly Row[], factor: number | undefined): bigint {
  if (factor === undefined || !isKey(metric)) return COUNT_OF[metric](rows);
  const { keys } = sampledKeys(rows, metric, factor);
  return BigInt(Math.min(Math.max(factor * keys, 1), rows.length));
}

/** The relative standard error of that, of some rows among all; undefined: there is none. */
function errorOf(
  metric: Metric,
  rows: readonly Row[],
  all: readonly Row[],
  factor: number | undefined,
): number | undefined {
  if (factor === undefined || !isKey(metric)) return undefined;
  if (rows.length <= 1) return 0;
  const { squares } = sampledKeys(rows, metric, factor);
  const total = Number(countOf(metric, all, factor));
  const usual = Math.max(1, (factor * sampledKeys(all, metric, factor).squares) / total);
  const error = Math.sqrt(factor * (factor - 1) * (squares + usual * usual));
  return Math.min(error, rows.length - 1) / Number(countOf(metric, rows, factor));
}

/**
 * What a breakdown must say of rows, counted in plain code.
 * @param around the rows of up to 24 hours before and behind, too.
 * @param factor of the sample that visitors and sessions are estimated from; undefined: they are counted.
 */
export function recountBreakdown(
  rows: readonly Row[],
  around: readonly Row[],
  { dimension, metrics, limit }: Asked,
  factor?: number,
) {
  const groups = [...Map.groupBy(rows, (row) => VALUE_OF[dimension](row, around))].map(([value, own]) => ({
    value,
    own,
    counts: metrics.map((metric) => countOf(metric, own, factor)),
  }));
  groups.sort((a, b) => Number(b.counts[0]! - a.counts[0]!) || order(a.value, b.value));
  const answered = groups.slice(0, limit);
  return {
    values: answered.map(({ value }) => value ?? ""),
    valuesFound: BigInt(groups.length),
    series: metrics.map((metric, index) => ({
      metric,
      values: answered.map(({ counts }) => counts[index]!),
      total: countOf(metric, rows, factor),
      ...errorsOf(metric, rows, answered, factor),
    })),
  };
}

function errorsOf(
  metric: Metric,
  rows: readonly Row[],
  answered: readonly { own: readonly Row[] }[],
  factor: number | undefined,
) {
  const standardError = errorOf(metric, rows, rows, factor);
  if (standardError === undefined) return {};
  return { standardError, standardErrors: answered.map(({ own }) => errorOf(metric, own, rows, factor)!) };
}

/** By name; none comes last. */
function order(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a < b ? -1 : 1;
}
