import { partitionOf } from "../../internal/event/partition.ts";
import type { Merchant } from "../../internal/query/question/question.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { type Database, startDatabase } from "../lib/database.ts";
import { median } from "../lib/result.ts";
import { loadAll } from "../storage/costs.ts";
import { END, PARTITIONS } from "../storage/load.ts";
import { checkEqual, type Numbers, numbersOf } from "./numbers.ts";
import { questionOf } from "./question.ts";
import { type Service, startService } from "./service.ts";
import { SITE_MERCHANT, siteGroups } from "./site/groups.ts";
import { makePeer, PEER_SQL } from "./site/peer.ts";
import { SITE_DAYS, SITE_QUESTIONS } from "./site/questions.ts";
import { inTurns, rounded, summaryOf } from "./times.ts";

const DAY_MS = 86_400_000;
const VIEWS = 1_000_000;
const VISITORS = 50_000;

export interface SiteOptions {
  readonly seconds: number;
  readonly views?: number | undefined;
  readonly keep?: string | undefined;
  readonly loaded?: string | undefined;
  readonly say: (text: string) => void;
}

/** Medians of both sides, ms; and how many times quicker the product is. */
export interface Compared {
  readonly question: string;
  readonly product: number;
  readonly product_p99: number;
  readonly rows: number;
  readonly times: number;
}

/**
 * One site, many views a visitor, few sources: what a counter's dashboard asks, of the product, and of plain rows on the
 * same server by such a counter's SQL. Fails where the answers differ.
 */
export async function compareSite({
  seconds,
  keep,
  loaded,
  say,
  ...options
}: SiteOptions): Promise<Compared[]> {
  const views = options.views ?? VIEWS;
  const database = await startDatabase(PARTITIONS, { keep, loaded });
  try {
    if (loaded === undefined) await loadSite(database, views, say);
    const service = startService(database.url, 1);
    try {
      return await compareAll(service, await siteMerchant(database.pool), seconds, say);
    } finally {
      await service.close();
    }
  } finally {
    await database.stop();
  }
}

async function loadSite(database: Database, views: number, say: (text: string) => void): Promise<void> {
  const visitors = Math.round((views * VISITORS) / VIEWS);
  const groups = siteGroups({ views, visitors, fromMs: END - SITE_DAYS * DAY_MS, days: SITE_DAYS });
  await loadAll(database, { events: views, merchants: 1, days: SITE_DAYS, chunkDays: 7 }, say, groups);
  await database.pool.query("UPDATE merchants SET time_zone = 'Europe/Berlin'");
  await makePeer(database.pool, SITE_MERCHANT);
  const { rows } = await database.pool.query<{ n: string }>("SELECT count(*) AS n FROM site_views");
  if (Number(rows[0]!.n) !== views) throw new Error(`the site has ${rows[0]!.n} views in place of ${views}`);
}

async function siteMerchant(pool: Pool): Promise<Merchant> {
  const { rows } = await pool.query<{ time_zone: string; currency: string }>(
    "SELECT time_zone, currency FROM merchants WHERE merchant_id = $1",
    [SITE_MERCHANT],
  );
  const { time_zone: timeZone, currency } = rows[0]!;
  return {
    merchantId: SITE_MERCHANT,
    partitionId: partitionOf(SITE_MERCHANT, PARTITIONS),
    timeZone,
    currency,
  };
}

async function compareAll(
  service: Service,
  merchant: Merchant,
  seconds: number,
  say: (text: string) => void,
): Promise<Compared[]> {
  const found: Compared[] = [];
  for (const asked of SITE_QUESTIONS) {
    const question = questionOf(asked, merchant);
    const [{ start, end }] = question.spans;
    const ask = () => service.ask(question);
    const askRows = () => peerNumbers(service.pool, PEER_SQL[asked.name]!, start, end);
    const [answered, expected] = [new Map(numbersOf(await ask(), question)), await askRows()];
    // A counter lists no direct visits; the product has them last.
    if (!expected.has("")) answered.delete("");
    checkEqual(asked.name, answered, expected);
    const [product, rows] = await inTurns([ask, askRows], seconds);
    const times = median(rows!) / median(product!);
    const { p50, p99 } = summaryOf(product!);
    const one = { question: asked.name, product: p50, product_p99: p99, rows: rounded(median(rows!)) };
    found.push({ ...one, times: Number(times.toFixed(1)) });
    say(`${asked.name}: ${p50} ms, by SQL over plain rows ${one.rows} ms: ${times.toFixed(1)} times quicker`);
  }
  return found;
}

async function peerNumbers(pool: Pool, text: string, start: number, end: number): Promise<Numbers> {
  const values = [new Date(start), new Date(end)];
  const { rows } = await pool.query<unknown[]>({ text, values, rowMode: "array" });
  return new Map(rows.map(([key, ...numbers]) => [String(key ?? ""), numbers.map(Number)]));
}
