import { Random } from "../../internal/simulate/random.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { type Ranked, rankedMerchants } from "../lib/ranked-merchants.ts";
import { checkEqual, numbersOf } from "./numbers.ts";
import { askRows } from "./plain-sql.ts";
import { type Asked, questionOf } from "./question.ts";
import { type Ask, ratesOf } from "./rates.ts";
import { type Service, startService } from "./service.ts";
import { DASHBOARD, filtered, MONTH, YEAR } from "./shop-questions.ts";
import { inTurns, rounded, summaryOf, type Times, timed } from "./times.ts";

type Say = (text: string) => void;

/** What was seen of one question of one merchant, ms. */
export interface Seen extends Times {
  readonly question: string;
  /** On a connection that knows neither tables nor plans yet. */
  readonly cold: number;
  /** An analyst's SQL over the rows, asked once. */
  readonly rows: number;
}

/** Each question of the largest merchant and of the median one, warm; fails where an answer is not what rows say. */
export async function askShops(url: string, pool: Pool, hasYear: boolean, seconds: number, say: Say) {
  const ranked = await rankedMerchants(pool);
  const [largest, typical] = [ranked[0]!, ranked[Math.floor(ranked.length / 2)]!];
  const sets = { month: MONTH, "month, phones": filtered(MONTH), ...(hasYear && { year: YEAR }) };
  const found: Record<string, readonly Seen[]> = {};
  for (const [size, merchant] of Object.entries({ largest, typical })) {
    for (const [set, questions] of Object.entries(sets)) {
      const seen = await askSet(url, pool, merchant, questions, seconds);
      found[`${size} merchant, ${set}`] = seen;
      const slowest = seen.toSorted((a, b) => b.p99 - a.p99)[0]!;
      say(
        `${size} merchant (${merchant.events} events), ${set}: slowest p99 ${slowest.p99} ms (${slowest.question})`,
      );
      for (const one of seen) say(`  ${JSON.stringify(one)}`);
    }
  }
  return found;
}

async function askSet(
  url: string,
  pool: Pool,
  merchant: Ranked,
  questions: readonly Asked[],
  seconds: number,
): Promise<Seen[]> {
  const known: { cold: number; rows: number }[] = [];
  for (const asked of questions) known.push(await askFirst(url, pool, merchant, asked));
  const service = startService(url, 1);
  const works = questions.map((asked) => () => service.ask(questionOf(asked, merchant)));
  const ms = await inTurns(works, seconds).finally(() => service.close());
  return questions.map(({ name }, at) => ({ question: name, ...summaryOf(ms[at]!), ...known[at]! }));
}

/** Asked on a new connection, and of the rows; both say the same. */
async function askFirst(url: string, pool: Pool, merchant: Ranked, asked: Asked) {
  const question = questionOf(asked, merchant);
  const service = startService(url, 1);
  try {
    await service.pool.query("SELECT 1");
    const product = await timed(() => service.ask(question));
    const rows = await timed(() => askRows(pool, asked, question));
    checkEqual(asked.name, numbersOf(product.answer, question), rows.answer);
    return { cold: rounded(product.ms), rows: rounded(rows.ms) };
  } finally {
    await service.close();
  }
}

/** Connections to the database, of the service and of pg alike: as cmd/query has them by default. */
const CONNECTIONS = 8;
const CLIENTS = [1, 16, 64];
const QUESTIONS = 400;
const SEED = 18;

/**
 * Questions a second of the dashboard's mix, by the service and by pg that sends the same statements, and nothing else,
 * over as many connections. Merchants are drawn by the logarithm of their rank: each tenfold as often as the next.
 */
export async function askMix(url: string, pool: Pool, seconds: number, say: Say) {
  const ranked = await rankedMerchants(pool);
  const random = new Random(SEED);
  const service = startService(url, CONNECTIONS);
  try {
    const mix: { product: Ask; pg: Ask }[] = [];
    for (let at = 0; at < QUESTIONS; at++) {
      const merchant = ranked[Math.floor(ranked.length ** random.unit()) - 1]!;
      mix.push(await bothWays(service, DASHBOARD[at % DASHBOARD.length]!, merchant));
    }
    const next = (way: "product" | "pg") => {
      let at = 0;
      return () => mix[at++ % mix.length]![way];
    };
    const found: Record<string, Awaited<ReturnType<typeof ratesOf<"product" | "pg">>> & { ratio: number }> =
      {};
    for (const clients of CLIENTS) {
      const rates = await ratesOf({ product: next("product"), pg: next("pg") }, clients, seconds);
      const ratio = Number((rates.product.per_second / rates.pg.per_second).toFixed(2));
      found[clients] = { ...rates, ratio };
      say(`${clients} clients: ${JSON.stringify(rates)}, ratio ${ratio}`);
    }
    return found;
  } finally {
    await service.close();
  }
}

async function bothWays(
  service: Service,
  asked: Asked,
  merchant: Ranked,
): Promise<{ product: Ask; pg: Ask }> {
  const question = questionOf(asked, merchant);
  const statements = await service.statementsOf(question);
  return {
    product: () => service.ask(question),
    pg: async () => {
      for (const statement of statements) await service.pool.query(statement);
    },
  };
}
