import type { Filter } from "../question/filter.ts";
import type { FunnelQuestion } from "../question/funnel.ts";
import type { Scoped } from "../question/question.ts";
import { SESSION_COLUMNS, VISITOR_COLUMNS } from "./columns.ts";
import type { Coverage } from "./cover.ts";
import { factParts } from "./fact-parts.ts";
import { columnsOf, columnsOfBehaviors } from "./filter-columns.ts";
import type { Facts } from "./plan.ts";
import { funnelReach } from "./reach.ts";
import type { Factor } from "./sample.ts";

/** How a funnel is answered. */
export interface FunnelPlan {
  readonly question: FunnelQuestion;
  /** The question over all that its steps may reach: its spans end where the last window does. */
  readonly reach: Scoped;
  readonly facts: Facts | undefined;
  /** Whether columns of whole visitors are read. */
  readonly visitors: boolean;
  /** Of the sample of visitors that it is estimated from; undefined: all are read. */
  readonly factor: Factor | undefined;
}

/** @param factor of the sample of visitors; undefined: exact. */
export function planFunnel(
  question: FunnelQuestion,
  coverage: Coverage,
  factor: Factor | undefined,
): FunnelPlan {
  const columns = columnsOfFunnel(question);
  const reach = funnelReach(question);
  const ofSessions = new Set([...columns].filter((column) => SESSION_COLUMNS.has(column)));
  return {
    question,
    reach,
    facts:
      ofSessions.size === 0
        ? undefined
        : { columns: ofSessions, parts: factParts(reach, coverage), factor, presence: false },
    visitors: [...columns].some((column) => VISITOR_COLUMNS.has(column)),
    factor,
  };
}

/** The filters of a funnel: the question's, and those of the steps and of what is excluded. */
function filtersOf({ filter, steps }: FunnelQuestion): Filter[] {
  return [
    ...(filter === undefined ? [] : [filter]),
    ...steps.flatMap(({ event, excluded }) => [event, ...excluded]),
  ];
}

/** All columns that are read, of the events within behaviors too. */
export function columnsOfFunnel(question: FunnelQuestion): Set<string> {
  return new Set([
    ...columnsOfHits(question),
    ...filtersOf(question).flatMap((one) => [...columnsOfBehaviors(one)]),
  ]);
}

/** The columns of the rows themselves that are read. */
export function columnsOfHits(question: FunnelQuestion): Set<string> {
  const ofFilters = filtersOf(question).flatMap((filter) => [...columnsOf(filter)]);
  return new Set([...ofFilters, ...(question.breakdown?.columns ?? [])]);
}
