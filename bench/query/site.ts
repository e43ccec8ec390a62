import { table } from "../../internal/program/table.ts";
import type { Pool } from "../../internal/store/pool.ts";
import type { Database } from "../lib/database.ts";
import { type Ranked, rankedMerchants } from "../lib/ranked-merchants.ts";
import { loadAll } from "../storage/costs.ts";
import { END } from "../storage/load.ts";
import type { Asking } from "./asking.ts";
import type { Item } from "./client.ts";
import { checkEqual, type Numbers } from "./numbers.ts";
import { type Found, type PartOptions, SHARE_OF_ONE } from "./part.ts";
import type { Asked } from "./question.ts";
import { SITE_MERCHANT, siteGroups } from "./site/groups.ts";
import { makePeer, PEER_SQL } from "./site/peer.ts";
import { SITE_DAYS, SITE_QUESTIONS } from "./site/questions.ts";
import type { Times } from "./times.ts";

const DAY_MS = 86_400_000;
const VIEWS = 1_000_000;
const VISITORS = 50_000;

/** How many times quicker than the peer each answer should be. */
const TIMES_QUICKER = 10;

/** What each side took, ms, and how many times quicker the service is, by the medians. */
interface Compared {
  readonly question: string;
  readonly exact: Times;
  readonly balanced: Times;
  readonly rows: Times;
  readonly exact_times: number;
  readonly balanced_times: number;
}

/** One site, many views a visitor, few sources; and its rows in a plain table, as a counter that keeps rows has them. */
export async function loadSite(
  database: Database,
  views = VIEWS,
  say: (text: string) => void = () => {},
): Promise<void> {
  const visitors = Math.round((views * VISITORS) / VIEWS);
  const groups = siteGroups({ views, visitors, fromMs: END - SITE_DAYS * DAY_MS, days: SITE_DAYS });
  await loadAll(database, { events: views, merchants: 1, days: SITE_DAYS, chunkDays: 7 }, say, groups);
  await database.pool.query("UPDATE merchants SET time_zone = 'Europe/Berlin'");
  await makePeer(database.pool, SITE_MERCHANT);
  const { rows } = await database.pool.query<{ n: string }>("SELECT count(*) AS n FROM site_views");
  if (Number(rows[0]!.n) !== views) throw new Error(`the site has ${rows[0]!.n} views in place of ${views}`);
}

/**
 * What a counter's dashboard asks of one site: of the service by RunReport, exact and balanced, and of plain rows on the
 * same server by such a counter's SQL. Fails where the exact answers differ.
 */
export async function compareSite(
  { pool }: Database,
  asking: Asking,
  { seconds, say }: PartOptions,
): Promise<Found> {
  const [site] = await rankedMerchants(pool);
  const compared: Compared[] = [];
  for (const asked of SITE_QUESTIONS)
    compared.push(await compare(pool, asking, asked, { site: site!, seconds: seconds * SHARE_OF_ONE }));
  say(tableOf(compared));
  const slowest = compared.toSorted((a, b) => a.exact_times - b.exact_times)[0]!;
  return {
    figure: slowest.exact.p50,
    unit: `ms p50 (${slowest.question}, exact), the least ahead`,
    ratio: slowest.exact.p50 / slowest.rows.p50,
    against: `SQL over plain rows (at most ${1 / TIMES_QUICKER})`,
    details: compared,
  };
}

async function compare(
  pool: Pool,
  asking: Asking,
  asked: Asked,
  { site, seconds }: { readonly site: Ranked; readonly seconds: number },
): Promise<Compared> {
  const [{ start, end }] = asking.questionOf(asked, site).spans;
  const statement = { text: PEER_SQL[asked.name]!, values: [new Date(start), new Date(end)] };
  const answered = new Map(await asking.answerOf(asked, "exact", site));
  const expected = await peerNumbers(pool, statement);
  // A counter lists no direct visits; the product has them last.
  if (!expected.has("")) answered.delete("");
  checkEqual(asked.name, answered, expected);
  const item = await asking.item(asked, "exact", site);
  const balanced: Item = await asking.item(asked, "balanced", site);
  const ways = [
    { name: "exact", url: asking.url, items: [item] },
    { name: "balanced", url: asking.url, items: [balanced] },
    { name: "rows", url: undefined, items: [{ ...item, statements: [statement] }] },
  ];
  const rates = await asking.measure({ ways, clients: 1, seconds });
  const timesOf = (name: string): Times => {
    const { p50, p99, n } = rates[name]!;
    return { p50, p99, n };
  };
  const [exact, estimated, rows] = [timesOf("exact"), timesOf("balanced"), timesOf("rows")];
  const quicker = ({ p50 }: Times) => Number((rows.p50 / p50).toFixed(1));
  return {
    ...{ question: asked.name, exact, balanced: estimated, rows },
    ...{ exact_times: quicker(exact), balanced_times: quicker(estimated) },
  };
}

async function peerNumbers(pool: Pool, statement: { text: string; values: Date[] }): Promise<Numbers> {
  const { rows } = await pool.query<unknown[]>({ ...statement, rowMode: "array" });
  return new Map(rows.map(([key, ...numbers]) => [String(key ?? ""), numbers.map(Number)]));
}

function tableOf(compared: readonly Compared[]): string {
  const head = ["question of the site", "exact p50 ms", "p99", "balanced p50", "p99", "SQL over rows p50"];
  const rows = compared.map(({ question, exact, balanced, rows: peer, exact_times, balanced_times }) =>
    [
      ...[question, exact.p50, exact.p99, balanced.p50, balanced.p99, peer.p50],
      ...[exact_times, balanced_times, TIMES_QUICKER],
    ].map(String),
  );
  return table([...head, "exact: times quicker", "balanced", "at least"], rows, 1);
}
