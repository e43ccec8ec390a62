import { table } from "../../internal/program/table.ts";
import { Random } from "../../internal/simulate/random.ts";
import type { Database } from "../lib/database.ts";
import { type Ranked, rankedMerchants } from "../lib/ranked-merchants.ts";
import type { Asking } from "./asking.ts";
import type { Item } from "./client.ts";
import type { Found, PartOptions } from "./part.ts";
import type { Rate } from "./rates.ts";
import { DASHBOARD } from "./shop-questions.ts";

const CLIENTS = [1, 16, 64];
/** For each second that is measured, of one number of clients; those of another are of other merchants, mostly. */
const QUESTIONS_A_SECOND = 2 * DASHBOARD.length;
const SEED = 18;

/** Of pg's rate. */
const LEAST_UNCACHED = 0.7;
const LEAST_REPEATED = 5;

interface Mixed {
  /** A service that has just started, each question for the first time. */
  readonly cold: Rate;
  /** Each time worked on. */
  readonly uncached: Rate;
  /** Answers that are kept. */
  readonly repeated: Rate;
  /** The statements that make the uncached answers, by pg. */
  readonly pg: Rate;
  readonly uncached_of_pg: number;
  readonly repeated_of_pg: number;
}

/**
 * Questions a second of the dashboard's mix, of the service by RunReport, and of pg that sends the same statements, and
 * nothing else, over as many connections. Merchants are drawn by the logarithm of their rank: each tenfold as often as the
 * next. Accuracy is what a dashboard gets that asks for none.
 */
export async function askMix(
  { pool }: Database,
  asking: Asking,
  { seconds, say }: PartOptions,
): Promise<Found> {
  const ranked = await rankedMerchants(pool);
  const mixes: Record<string, Mixed> = {};
  for (const clients of CLIENTS) mixes[clients] = await askAs(clients, ranked, asking, seconds);
  say(tableOf(mixes));
  const { uncached, uncached_of_pg, repeated_of_pg } = mixes[16]!;
  return {
    figure: uncached.per_second,
    unit: "questions a second (the dashboard's mix, 16 clients, uncached)",
    ratio: uncached_of_pg,
    against: `pg sending the same statements (at least ${LEAST_UNCACHED}; repeated ${repeated_of_pg}, at least ${LEAST_REPEATED})`,
    details: mixes,
  };
}

async function askAs(
  clients: number,
  ranked: readonly Ranked[],
  { url, startKeeping, item, itemWithStatements, measure }: Asking,
  seconds: number,
): Promise<Mixed> {
  const drawn = draw(clients, ranked, seconds);
  const keeping = await startKeeping();
  try {
    const plain = await Promise.all(drawn.map(([asked, merchant]) => item(asked, "balanced", merchant)));
    const once = (name: string, of: string | undefined, items: readonly Item[]) =>
      measure({ ways: [{ name, url: of, items }], clients, seconds: undefined });
    const { cold } = await once("cold", keeping.url, plain);
    const items: Item[] = [];
    for (const [asked, merchant] of drawn) items.push(await itemWithStatements(asked, "balanced", merchant));
    // Connections of pg and of the other service have met these tables before, too.
    await once("uncached", url, items);
    await once("pg", undefined, items);
    const ways = [
      { name: "uncached", url, items },
      { name: "pg", url: undefined, items },
      { name: "repeated", url: keeping.url, items: plain },
    ];
    const { uncached, pg, repeated } = await measure({ ways, clients, seconds });
    const ofPg = ({ per_second }: Rate) => Number((per_second / pg!.per_second).toFixed(2));
    return {
      cold: cold!,
      uncached: uncached!,
      repeated: repeated!,
      pg: pg!,
      uncached_of_pg: ofPg(uncached!),
      repeated_of_pg: ofPg(repeated!),
    };
  } finally {
    await keeping.stop();
  }
}

function draw(clients: number, ranked: readonly Ranked[], seconds: number) {
  const random = new Random(SEED, clients);
  const length = Math.ceil(Math.max(1, Math.min(seconds, 10)) * QUESTIONS_A_SECOND);
  return Array.from({ length }, (_, at) => {
    const merchant = ranked[Math.floor(ranked.length ** random.unit()) - 1]!;
    return [DASHBOARD[at % DASHBOARD.length]!, merchant] as const;
  });
}

function tableOf(mixes: Readonly<Record<string, Mixed>>): string {
  const head = ["clients", "who", "questions/s", "p50 ms", "p99 ms", "of pg's rate", "at least"];
  const rows = Object.entries(mixes).flatMap(([clients, mixed]) => {
    const line = (name: "cold" | "uncached" | "repeated" | "pg", ...more: (number | string)[]) => {
      const { per_second, p50, p99 } = mixed[name];
      return [clients, name, per_second, p50, p99, ...more].map(String);
    };
    return [
      line("cold", "", ""),
      line("uncached", mixed.uncached_of_pg, LEAST_UNCACHED),
      line("repeated", mixed.repeated_of_pg, LEAST_REPEATED),
      line("pg", "", ""),
    ];
  });
  return table(head, rows, 2);
}
