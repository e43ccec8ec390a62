import type { Client } from "../../store/pool.ts";
import { BIGINT_TYPES } from "../../store/snapshot.ts";
import { planFunnel } from "../plan/funnel-plan.ts";
import { type Factor, factorFor } from "../plan/sample.ts";
import type { Counts } from "../question/answer.ts";
import type { FunnelQuestion } from "../question/funnel.ts";
import { funnelSql } from "../sql/funnel.ts";
import type { Known } from "./answer-question.ts";
import { type FunnelRow, funnelTables } from "./funnel-table.ts";
import type { AnswerLimits } from "./read-with-retry.ts";

/** Columns of the statement for each step: visitors, revenue, its squares, quantiles. */
const NUMBERS = 4;

type Row = [
  isTotal: boolean,
  span: number,
  place: bigint,
  value: string | number | null,
  bucket: number,
  ...numbers: unknown[],
];

/** Answers a funnel in the client's transaction. Errors: as answerQuestion's. */
export async function countFunnel(
  client: Client,
  question: FunnelQuestion,
  { coverage, size: sizeOf }: Known,
  limits: AnswerLimits,
): Promise<Counts> {
  const size = await sizeOf();
  const factor = sampleFor(question, size.events, limits.sampleFromEvents);
  const plan = planFunnel(question, coverage, factor);
  const { text, values } = funnelSql(plan);
  const { rows } = await client.query<Row>({ text, values, rowMode: "array", types: BIGINT_TYPES });
  const ofFacts = (plan.facts?.parts ?? []).map(({ unit }) => (unit === "rows" ? "raw" : "visits"));
  limits.onRead?.([...new Set(["raw" as const, ...ofFacts])], rows.length);
  const { table, totals } = funnelTables(
    question,
    rows.map((row) => rowOf(row, question)),
    factor,
  );
  return {
    table,
    totals,
    totalRows: table.rows,
    unconvertedOrders: (rows[0]?.at(-1) as bigint | undefined) ?? 0n,
    oldestProcessorVersion: size.oldest,
    newestProcessorVersion: size.newest,
  };
}

/** Rows hold what funnels are made of, and no aggregate does. Persons are not sampled. */
function sampleFor(
  question: FunnelQuestion,
  events: number,
  fromEvents = Number.POSITIVE_INFINITY,
): Factor | undefined {
  if (question.accuracy === "exact" || question.identity !== "visitor") return undefined;
  return factorFor(question, { events, fromEvents, hasAggregate: false });
}

function rowOf([isTotal, span, place, value, bucket, ...numbers]: Row, { steps }: FunnelQuestion): FunnelRow {
  return {
    isTotal,
    span,
    place: Number(place),
    value,
    position: Math.max(0, bucket),
    steps: steps.map((_, at) => {
      const [visitors, revenue, squares, quantiles] = numbers.slice(at * NUMBERS) as [
        bigint,
        bigint,
        number,
        (number | null)[] | null,
      ];
      return { visitors, revenue, squares, quantiles: quantiles ?? [] };
    }),
  };
}
