import { expression, fill, peopleOnly } from "../report/sql.ts";
import { DAY_MS } from "../rollups.ts";
import { sqlFile } from "../sql-file.ts";
import { type Coverage, cover, type Part, WHOLE_DAYS } from "./cover.ts";
import type { BreakdownColumn, Rollup } from "./query.ts";
import { type Broken, boundsOf, countsSql, rowColumns, visitColumns } from "./sql.ts";

const read = (name: string) => sqlFile(`./${name}.sql`, import.meta.url);

const SOURCES = read("sources");
const SOURCES_EVENTS = read("sources_events");
const SOURCES_VISITS = read("sources_visits");

/** How far beside a span its sessions may have events, ms: as sessions are cut then. */
const BESIDE_MS = DAY_MS;

/** A part of what a breakdown by sources of visits reads. */
export interface SourcesPart extends Part {
  /** In the span that is asked for; else beside it: it only tells what brought a visit. */
  readonly isInside: boolean;
}

/** What a breakdown by sources over [start, end) reads, a span itself. */
export function aroundSpan({ start, end }: { start: number; end: number }) {
  return { start: start - BESIDE_MS, end: end + BESIDE_MS };
}

/** The parts that add up to the span and what is beside it. @param coverage undefined: all from events. */
export function sourcesParts(span: { start: number; end: number }, coverage?: Coverage): SourcesPart[] {
  const around = aroundSpan(span);
  const edges = [around.start, span.start, span.end, around.end] as const;
  return [0, 1, 2].flatMap((at) => {
    const [from, to] = [edges[at]!, edges[at + 1]!];
    const parts: Part[] =
      coverage === undefined
        ? [{ source: "rows", from, to, sign: 1 }]
        : cover(from, to, coverage, WHOLE_DAYS);
    return parts.map((part) => ({ ...part, isInside: at === 1 }));
  });
}

/**
 * all_counts.sql over sources.sql, and that over parts: one arm for each.
 * @param rollup its visits answer the parts that are not of rows; all sums must have cells then.
 * @throws TypeError without columns.
 */
export function sourcesSql(
  { source, includeBots }: Broken,
  columns: readonly BreakdownColumn[],
  parts: readonly SourcesPart[],
  rollup?: Rollup,
): string {
  const people = peopleOnly(includeBots);
  const arms = parts.map(({ source: from, isInside }, index) => {
    const common = { ...boundsOf(index), inside: String(isInside), people };
    if (from === "rows") return fill(SOURCES_EVENTS, { ...common, ...rowColumns(columns) });
    return fill(SOURCES_VISITS, { ...common, table: rollup!.visits!, columns: visitColumns(columns) });
  });
  const visits = fill(SOURCES, { parts: arms.join("  UNION ALL\n"), value: expression(source.value) });
  return countsSql(columns, visits);
}
