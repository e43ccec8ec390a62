import { query } from "../../internal/config/programs/query.ts";
import type { GetReportDeps, Merchant } from "../../internal/report/get-report.ts";
import { sampleFrom } from "../../internal/store/breakdown/sample.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import type { Database } from "../lib/database.ts";
import { median } from "../lib/result.ts";
import { checkExact, errorOf } from "./agreement.ts";
import { PARTITIONS } from "./load.ts";
import type { Reach } from "./plain-sql.ts";
import type { Question } from "./questions.ts";

/** What was seen of one question, ms each. */
export interface Seen {
  readonly question: string;
  readonly reach: Reach;
  readonly warm: number[];
  cold: number;
  readonly rows: number[];
  /** Whether distinct counts were estimated, and their largest error, relative. */
  readonly isEstimated: boolean;
  readonly error: number;
}

/** Rounds of all questions at least, and of the plain SQL at most: it takes seconds where there are many rows. */
const ROUNDS = { least: 3, rows: 5 };

/** What takes longer than this, ms, is asked once: more would say little, and of a large merchant take an hour. */
const SLOW_MS = 2_000;

/**
 * Asks a question for the first time, of both sides: all that is exact is the same, and estimates are as near as their
 * standard errors say.
 */
async function compare(pool: Pool, merchant: Merchant, question: Question): Promise<Seen> {
  const deps = depsOf(pool);
  const product = await timed(() => question.ask(deps, merchant));
  const plain = await timed(() => question.askRows(pool, merchant));
  const isEstimated = product.answer.standardErrors.size > 0;
  const exact = isEstimated ? await question.ask(deps, merchant, true) : product.answer;
  checkExact(question, exact.answer, plain.answer);
  return {
    question: question.name,
    reach: question.reach,
    // What warms the caches, measured only where it is slow.
    warm: slow(product.ms),
    cold: 0,
    rows: slow(plain.ms),
    isEstimated,
    error: errorOf(question, product.answer, plain.answer),
  };
}

/** Asks all questions of a merchant again and again for some seconds, and the same of the raw rows. */
export async function askWarm(
  { pool }: Database,
  merchant: Merchant,
  questions: readonly Question[],
  seconds: number,
): Promise<Seen[]> {
  const deps = depsOf(pool);
  const seen: Seen[] = [];
  for (const question of questions) seen.push(await compare(pool, merchant, question));
  const quick = (kind: "warm" | "rows") => [...questions.keys()].filter((at) => seen[at]![kind].length === 0);
  const [quickWarm, quickRows] = [quick("warm"), quick("rows")];
  await rounds(ROUNDS.least, 1_000, seconds, async () => {
    for (const at of quickWarm) seen[at]!.warm.push(await msOf(() => questions[at]!.ask(deps, merchant)));
  });
  await rounds(1, ROUNDS.rows, seconds / 2, async () => {
    for (const at of quickRows) seen[at]!.rows.push(await msOf(() => questions[at]!.askRows(pool, merchant)));
  });
  return seen;
}

function slow(ms: number): number[] {
  return ms > SLOW_MS ? [ms] : [];
}

/** Each question once, on a connection that knows neither tables nor plans yet. */
export async function askCold(
  database: Database,
  merchant: Merchant,
  questions: readonly Question[],
  seen: readonly Seen[],
): Promise<void> {
  for (const [at, question] of questions.entries()) {
    const pool = createPool({ url: database.url, name: "bench", maxConnections: 1, statementTimeoutMs: 0 });
    try {
      await pool.query("SELECT 1");
      seen[at]!.cold = await msOf(() => question.ask(depsOf(pool), merchant));
    } finally {
      await pool.end();
    }
  }
}

/** As cmd/query has them by default, but for the time that a statement may take. */
function depsOf(pool: Pool): GetReportDeps {
  const { estimateFromEvents, sampleFromEvents } = query.settings;
  return {
    pool,
    partitions: PARTITIONS,
    statementTimeoutMs: 600_000,
    estimateFromEvents: Number(estimateFromEvents.fallback),
    sampleFor: sampleFrom(Number(sampleFromEvents.fallback)),
  };
}

async function rounds(
  least: number,
  most: number,
  seconds: number,
  round: () => Promise<void>,
): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  for (let done = 0; done < least || (done < most && performance.now() < end); done++) await round();
}

async function timed<T>(work: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const start = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - start };
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  return (await timed(work)).ms;
}

/** p50 and p99, ms, of all questions of a month (and a day) or a year together, each with the same weight. */
export function summary(seen: readonly Seen[], isYear: boolean) {
  const own = seen.filter(({ reach }) => (reach === "year") === isYear);
  const of = (samples: readonly number[][]) => ({
    p50: rounded(quantile(samples, 0.5)),
    p99: rounded(quantile(samples, 0.99)),
  });
  return {
    warm: of(own.map(({ warm }) => warm)),
    cold: of(own.map(({ cold }) => [cold])),
    rows: of(own.map(({ rows }) => rows)),
    samples: own.reduce((sum, { warm }) => sum + warm.length, 0),
    error: Math.max(...own.map(({ error }) => error)),
  };
}

export function rounded(ms: number): number {
  return Number(ms.toFixed(ms < 10 ? 2 : 1));
}

/** Of several questions' samples together, as if each had been asked equally often. */
function quantile(samples: readonly (readonly number[])[], q: number): number {
  const weighed = samples.flatMap((own) => own.map((ms) => ({ ms, weight: 1 / own.length })));
  weighed.sort((a, b) => a.ms - b.ms);
  const due = q * samples.length;
  let passed = 0;
  for (const { ms, weight } of weighed) {
    passed += weight;
    // What is added up from thirds and the like may fall short by a hair.
    if (passed >= due - 1e-9) return ms;
  }
  return Number.NaN;
}

/** Each question by itself, medians. */
export function questionTable(seen: readonly Seen[]) {
  return seen.map(({ question, reach, warm, cold, rows, isEstimated, error }) => ({
    question: `${question}, ${reach}`,
    warm: rounded(median(warm)),
    cold: rounded(cold),
    rows: rounded(median(rows)),
    ...(isEstimated ? { estimated: true, error: Number(error.toFixed(4)) } : {}),
  }));
}
