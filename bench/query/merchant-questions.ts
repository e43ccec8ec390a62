import { table } from "../../internal/program/table.ts";
import type { Pool } from "../../internal/store/pool.ts";
import type { Database } from "../lib/database.ts";
import { type Ranked, rankedMerchants } from "../lib/ranked-merchants.ts";
import type { Asking } from "./asking.ts";
import { checkEqual } from "./numbers.ts";
import { type Found, type PartOptions, SHARE_OF_ONE } from "./part.ts";
import { askRows } from "./plain-sql.ts";
import type { Asked, Precision } from "./question.ts";
import { filtered, MONTH, YEAR } from "./shop-questions.ts";
import { rounded, type Times, timed } from "./times.ts";

/** Questions of one merchant, and how long the slowest answers may take, ms. */
interface Set {
  readonly name: string;
  readonly merchant: Ranked;
  readonly questions: readonly Asked[];
  readonly precisions: readonly Precision[];
  readonly limit: number;
}

/** What was seen of one question of one merchant, ms. */
interface Seen extends Times {
  readonly set: string;
  readonly question: string;
  readonly precision: Precision;
  readonly limit: number;
  /** An analyst's SQL over the rows, asked once; undefined: it was not asked. */
  readonly rows: number | undefined;
}

const BOTH = ["exact", "balanced"] as const;

/** The month of the largest merchant and of the median one, all and phones alone; fails where rows say another thing. */
export async function askMonth({ pool }: Database, asking: Asking, options: PartOptions): Promise<Found> {
  const ranked = await rankedMerchants(pool);
  const [largest, typical] = [ranked[0]!, ranked[Math.floor(ranked.length / 2)]!];
  const of = (name: string, merchant: Ranked, questions: readonly Asked[], limit: number): Set => {
    return { name, merchant, questions, limit, precisions: merchant === typical ? ["exact"] : BOTH };
  };
  const sets = [
    of("largest", largest, MONTH, 100),
    of("largest, phones", largest, filtered(MONTH), 100),
    of("typical", typical, MONTH, 10),
    of("typical, phones", typical, filtered(MONTH), 10),
  ];
  options.say(`largest merchant: ${largest.events} events; typical: ${typical.events}`);
  return found(await askSets(sets, asking, options, pool), "a month", options);
}

/** The year of the largest merchant. */
export async function askYear({ pool }: Database, asking: Asking, options: PartOptions): Promise<Found> {
  const [largest] = await rankedMerchants(pool);
  const set = { name: "largest", merchant: largest!, questions: YEAR, precisions: BOTH, limit: 300 };
  return found(await askSets([set], asking, options), "a year", options);
}

async function askSets(
  sets: readonly Set[],
  asking: Asking,
  { seconds }: PartOptions,
  checkedBy?: Pool,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const { name, merchant, questions, precisions, limit } of sets) {
    const rows = checkedBy && (await rowsOf(checkedBy, asking, merchant, questions));
    for (const precision of precisions) {
      const ways = await Promise.all(
        questions.map(async (asked) => {
          const items = [await asking.item(asked, precision, merchant)];
          return { name: asked.name, url: asking.url, items };
        }),
      );
      const rates = await asking.measure({ ways, clients: 1, seconds: seconds * SHARE_OF_ONE });
      for (const { name: question } of questions) {
        const { p50, p99, n } = rates[question]!;
        seen.push({ set: name, question, precision, p50, p99, n, limit, rows: rows?.get(question) });
      }
    }
  }
  return seen;
}

/** What the rows take to say the same, ms. @throws Error where they do not. */
async function rowsOf(
  pool: Pool,
  { answerOf, questionOf }: Asking,
  merchant: Ranked,
  questions: readonly Asked[],
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const asked of questions) {
    const { answer, ms } = await timed(() => askRows(pool, asked, questionOf(asked, merchant)));
    checkEqual(asked.name, await answerOf(asked, "exact", merchant), answer);
    found.set(asked.name, rounded(ms));
  }
  return found;
}

function found(seen: readonly Seen[], period: string, { say }: PartOptions): Found {
  const head = [
    "merchant",
    "question",
    "accuracy",
    "p50 ms",
    "p99 ms",
    "limit",
    "asked",
    "SQL over rows, ms",
  ];
  const lines = seen.map(({ set, question, precision, p50, p99, limit, n, rows }) =>
    [set, question, precision, p50, p99, limit, n, rows ?? ""].map(String),
  );
  say(`${period}\n${table(head, lines, 3)}`);
  const slowest = seen.toSorted((a, b) => b.p99 / b.limit - a.p99 / a.limit)[0]!;
  return {
    figure: slowest.p99,
    unit: `ms p99 of ${period} (${slowest.set}: ${slowest.question}, ${slowest.precision})`,
    ratio: slowest.p99 / slowest.limit,
    against: `its limit of ${slowest.limit} ms`,
    details: seen,
  };
}
