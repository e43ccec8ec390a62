import type { GetReportDeps, Merchant } from "../../internal/report/get-report.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import { median } from "../lib/result.ts";
import type { Database } from "../lib/servers.ts";
import { PARTITIONS } from "./load.ts";
import { errorOf, type Question, type Reach } from "./questions.ts";

/** What was seen of one question, ms each. */
export interface Seen {
  readonly question: string;
  readonly reach: Reach;
  readonly warm: number[];
  cold: number;
  readonly rows: number[];
  /** Of distinct counts, relative; 0: exact. */
  error: number;
}

/** Rounds of all questions at least, and of the plain SQL at most: it takes seconds where there are many rows. */
const ROUNDS = { least: 3, rows: 5 };

/** Asks all questions of a merchant again and again for some seconds, and the same of the raw rows. */
export async function askWarm(
  database: Database,
  merchant: Merchant,
  questions: readonly Question[],
  seconds: number,
): Promise<Seen[]> {
  const deps = depsOf(database.pool);
  const seen = questions.map(
    ({ name, reach }): Seen => ({ question: name, reach, warm: [], cold: 0, rows: [], error: 0 }),
  );
  for (const [at, question] of questions.entries()) {
    // Unmeasured: what warms the caches, and whether both say the same.
    const answer = await question.ask(deps, merchant);
    seen[at]!.error = errorOf(question, answer, await question.askRows(database.pool, merchant));
  }
  await rounds(ROUNDS.least, 1_000, seconds, async () => {
    for (const [at, question] of questions.entries()) {
      seen[at]!.warm.push(await timed(() => question.ask(deps, merchant)));
    }
  });
  await rounds(1, ROUNDS.rows, seconds / 2, async () => {
    for (const [at, question] of questions.entries()) {
      seen[at]!.rows.push(await timed(() => question.askRows(database.pool, merchant)));
    }
  });
  return seen;
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
      seen[at]!.cold = await timed(() => question.ask(depsOf(pool), merchant));
    } finally {
      await pool.end();
    }
  }
}

function depsOf(pool: Pool): GetReportDeps {
  return { pool, partitions: PARTITIONS, statementTimeoutMs: 600_000 };
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

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** p50 and p99, ms, of all questions of a month (and a day) or a year together. */
export function summary(seen: readonly Seen[], isYear: boolean) {
  const own = seen.filter(({ reach }) => (reach === "year") === isYear);
  const of = (samples: number[]) => ({
    p50: rounded(median(samples)),
    p99: rounded(quantile(samples, 0.99)),
  });
  return {
    warm: of(own.flatMap(({ warm }) => warm)),
    cold: of(own.map(({ cold }) => cold)),
    rows: of(own.flatMap(({ rows }) => rows)),
    samples: own.reduce((sum, { warm }) => sum + warm.length, 0),
    error: Math.max(...own.map(({ error }) => error)),
  };
}

export function rounded(ms: number): number {
  return Number(ms.toFixed(ms < 10 ? 2 : 1));
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}
