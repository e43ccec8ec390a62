import type { Scoped, Span } from "../question/question.ts";
import { DAY_MS } from "../time/calendar.ts";
import { type Coverage, cover, type Part } from "./cover.ts";

/** How far beside a span its sessions may have events, ms: as sessions are cut then. */
export const BESIDE_MS = DAY_MS;

/**
 * The parts that hold all events of the spans' sessions. Visits have what all columns of whole sessions are merged of
 * (sql/facts.ts).
 */
export function factParts({ spans }: Pick<Scoped, "spans">, { rollupsFrom, stale }: Coverage): Part[] {
  const by = {
    units: ["day"] as const,
    usableFrom: rollupsFrom ?? Number.POSITIVE_INFINITY,
    stale,
    canSubtract: false,
  };
  return united(spans.map((span) => around(span, rollupsFrom !== undefined))).flatMap(({ start, end }) =>
    cover([start, end], by),
  );
}

/** A span with what is beside it. @param isWhole to whole days: what is too much does no harm to whole sessions. */
function around({ start, end }: Span, isWhole: boolean): { start: number; end: number } {
  const beside = { start: start - BESIDE_MS, end: end + BESIDE_MS };
  if (!isWhole) return beside;
  return {
    start: Math.floor(beside.start / DAY_MS) * DAY_MS,
    end: Math.ceil(beside.end / DAY_MS) * DAY_MS,
  };
}

function united(spans: readonly { start: number; end: number }[]): { start: number; end: number }[] {
  const result: { start: number; end: number }[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else result.push({ ...span });
  }
  return result;
}
