import type { Client, Pool } from "../../store/pool.ts";
import { BIGINT_TYPES, inSnapshot, type ReadLimits, type ReadSource } from "../../store/snapshot.ts";
import type { Coverage } from "../plan/cover.ts";
import { type Plan, placeOf, planQuestion, sampleFor } from "../plan/plan.ts";
import { type Factor, isEstimable } from "../plan/sample.ts";
import type { Answer, Counts } from "../question/answer.ts";
import type { Question } from "../question/question.ts";
import { type BaseMetric, basesOf } from "../schema/field.ts";
import { UNCONVERTED_ORDERS } from "../schema/metrics/commerce.ts";
import { groupNames, type Tuple } from "../sql/groups.ts";
import { statementSql } from "../sql/statement.ts";
import { readDataState } from "./data-state.ts";
import type { AnswerLimits } from "./read-with-retry.ts";
import { readSize, type Size } from "./size.ts";
import { type Numeric, type ResultRow, tableOf } from "./table.ts";

/**
 * Answers a question in one snapshot of the database.
 *
 * @throws Failure "unavailable" when the database is away; the reason of the limits' signal when it is aborted; pg's
 * errors otherwise (SQLSTATE 57014 when a statement took too long).
 */
export async function answerQuestion(pool: Pool, question: Question, limits: AnswerLimits): Promise<Answer> {
  return inSnapshot(pool, limits, async (client) => {
    const { coverage, freshness } = await readDataState(client, [question]);
    const size = () => readSize(client, question, coverage);
    return { ...(await countReport(client, question, { coverage, size }, limits)), ...freshness };
  });
}

/** What is known of the data before a question is answered, as of the transaction's snapshot. */
export interface Known {
  /** Around the question's spans. */
  readonly coverage: Coverage;
  readonly size: () => Promise<Size>;
}

/** Answers a question in the client's transaction. Errors: as answerQuestion's. */
export async function countReport(
  client: Client,
  question: Question,
  known: Known,
  limits: AnswerLimits,
): Promise<Counts> {
  const { coverage } = known;
  const isTop = question.topValues !== undefined && question.dimensions.some(({ type }) => type !== "bucket");
  const size = await known.size();
  const fromEvents = limits.sampleFromEvents ?? Number.POSITIVE_INFINITY;
  const factor = sampleFor(question, coverage, { events: size.events, fromEvents });
  const top = !isTop ? undefined : await topOf(client, question, { coverage, factor, limits });
  const plan = planQuestion(question, coverage, besideOf(question), factor);
  const { totals, rows, totalRows } = await read(client, plan, top, limits);
  const counted = placeOf(plan, UNCONVERTED_ORDERS);
  const names = groupNames(plan, top);
  return {
    table: tableOf(plan, names, rows, totals),
    totals: tableOf({ ...plan, question: { ...question, dimensions: [] } }, [], [totals], totals),
    totalRows,
    unconvertedOrders:
      counted !== -1
        ? (totals.numbers[counted] as bigint)
        : await countUnconverted(client, question, coverage, limits),
    oldestProcessorVersion: size.oldest,
    newestProcessorVersion: size.newest,
  };
}

function asksForAmounts({ metrics }: Question): boolean {
  return metrics.some(({ unit }) => unit === "currency");
}

/** What is counted in the same scan: where events are counted anyway, so that no row more is there for it. */
function besideOf(question: Question): BaseMetric[] {
  const ofEvents = question.metrics.flatMap(basesOf).some(({ relation }) => relation === "events");
  return asksForAmounts(question) && ofEvents ? [UNCONVERTED_ORDERS] : [];
}

/** Orders and refunds of the first span that amounts leave out, where the plan has not counted them. */
async function countUnconverted(
  client: Client,
  question: Question,
  coverage: Coverage,
  limits: ReadLimits,
): Promise<bigint> {
  if (!asksForAmounts(question)) return 0n;
  const counting: Question = {
    ...question,
    spans: [{ start: question.spans[0].start, end: question.spans[0].end }],
    metrics: [UNCONVERTED_ORDERS],
    dimensions: [],
    metricFilter: undefined,
    orderBy: [],
  };
  const { totals } = await read(client, planQuestion(counting, coverage), undefined, limits);
  return totals.numbers[0] as bigint;
}

/** The values with most of the first metric: those that are told apart. */
async function topOf(
  client: Client,
  question: Question,
  { coverage, factor, limits }: { coverage: Coverage; factor: Factor | undefined; limits: ReadLimits },
): Promise<Tuple[]> {
  const [{ start, end }] = question.spans;
  const ranking: Question = {
    ...question,
    spans: [{ start, end }],
    metrics: question.metrics.slice(0, 1),
    dimensions: question.dimensions.filter(({ type }) => type !== "bucket"),
    metricFilter: undefined,
    topValues: undefined,
    orderBy: [{ by: { metric: 0 }, ascending: false, byChange: false }],
    offset: 0,
    limit: question.topValues!,
  };
  const isEstimated = basesOf(ranking.metrics[0]!).some(isEstimable);
  const plan = planQuestion(ranking, coverage, [], isEstimated ? factor : undefined);
  const { rows } = await read(client, plan, undefined, limits);
  return rows.map(({ values }) => values as Tuple);
}

interface Read {
  readonly totals: ResultRow;
  readonly rows: readonly ResultRow[];
  readonly totalRows: number;
}

type Row = [isTotal: boolean, place: bigint, totalRows: bigint | null, ...values: unknown[]];

async function read(
  client: Client,
  plan: Plan,
  top: readonly Tuple[] | undefined,
  { onRead }: ReadLimits,
): Promise<Read> {
  const { text, values } = statementSql(plan, top);
  const result = await client.query<Row>({ text, values, rowMode: "array", types: BIGINT_TYPES });
  onRead?.(sourcesOf(plan), result.rows.length);
  const width = groupNames(plan, top).length;
  const split = (row: Row): ResultRow => ({
    values: row.slice(3, 3 + width) as ResultRow["values"],
    numbers: row.slice(3 + width) as Numeric[],
  });
  const rows = result.rows.filter(([isTotal]) => !isTotal).sort((a, b) => Number(a[1] - b[1]));
  const total = result.rows.find(([isTotal]) => isTotal)!;
  return {
    totals: split(total),
    rows: rows.map(split),
    totalRows: Number(total[2]),
  };
}

/** Where the parts are read from, as metrics tell it. */
function sourcesOf({ groups, facts }: Plan): ReadSource[] {
  const ofGroups = groups.flatMap(({ source, parts, factor }) =>
    parts.flat().map(({ unit }): ReadSource => {
      if (factor !== undefined) return "sample";
      if (unit === "rows") return "raw";
      if (source!.name === "totals") return "aggregate";
      return source!.name === "presence" ? "sessions" : source!.name === "visits" ? "visits" : "rollup";
    }),
  );
  const ofFacts = (facts?.parts ?? []).map(({ unit }): ReadSource => (unit === "rows" ? "raw" : "visits"));
  return [...new Set([...ofGroups, ...ofFacts])];
}
