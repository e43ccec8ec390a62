import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Traffic } from "../../../internal/gen/footfall/query/v1/scope_pb.js";
import type { CreatedMerchant, NewMerchant } from "../../../internal/store/merchants.ts";
import type { TestInstallation } from "../../kit/installation.ts";
import { bearer, grpcQueryClient, type JsonAnswer, postJson } from "../../kit/installation-clients.ts";
import { datesFrom } from "../../kit/installation-reports.ts";
import { launch } from "../../kit/launch.ts";
import { type Cell, tableRows } from "../../kit/report-table.ts";

export const SEND = "footfall.collect.v1.CollectService/Send";

/** A desktop browser, for events whose agent does not matter. */
export const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36";

/** What someone reported of real traffic: what is sent, and what is right to read afterwards. */
export interface Trial {
  readonly title: string;
  /** Where it was reported, and by which authority the expected answer is right. */
  readonly reported: string;
  readonly merchant?: Partial<NewMerchant>;
  readonly send: (shop: Shop) => Promise<void>;
  /** Called when all that was sent is in reports. */
  readonly check: (shop: Shop) => Promise<void>;
}

/** Minutes before now, RFC 3339. */
export function minutesAgo(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

/** Midnight UTC of a day, counted from today's. */
export function midnight(days: number): number {
  return new Date().setUTCHours(0, 0, 0, 0) + days * 86_400_000;
}

interface Asked {
  readonly metrics: string[];
  readonly dimensions?: string[];
  readonly scope?: { readonly traffic: Traffic };
}

/** A merchant of a running installation, through the doors that it has: JSON, logs, reports. */
export class Shop {
  readonly footfall: TestInstallation;
  readonly merchant: CreatedMerchant;

  constructor(footfall: TestInstallation, merchant: CreatedMerchant) {
    this.footfall = footfall;
    this.merchant = merchant;
  }

  /** Sends events as JSON. */
  send(events: unknown, more: object = {}): Promise<JsonAnswer> {
    return postJson(this.footfall.collectorUrl, SEND, this.merchant.writeKey, { events, ...more });
  }

  /** Page views of different visitors two hours ago, each with some fields of its own. */
  view(...pages: readonly object[]): Promise<JsonAnswer> {
    const events = pages.map((fields, index) => ({
      name: "page_view",
      url: "https://shop.example/p",
      visitorId: `v${index}`,
      sessionId: `s${index}`,
      userAgent: CHROME,
      clientTime: minutesAgo(120),
      ...fields,
    }));
    return this.send(events);
  }

  /** A raw request to the collector, with the write key unless `authorization` is empty. */
  post(body: string, headers: Readonly<Record<string, string>>, method = "POST"): Promise<Response> {
    const { authorization = `Bearer ${this.merchant.writeKey}`, ...rest } = headers;
    const key = authorization === "" ? {} : { authorization };
    const content = method === "POST" ? { body } : {};
    return fetch(`${this.footfall.collectorUrl}/${SEND}`, {
      method,
      headers: { ...key, ...rest },
      ...content,
    });
  }

  /** Has a collector read lines of a log. @returns the summary that it prints. */
  async log(lines: readonly string[], ...args: string[]): Promise<Record<string, number>> {
    const file = join(this.footfall.dataDir, `${this.merchant.merchantId}.log`);
    await writeFile(file, `${lines.join("\n")}\n`);
    const env = {
      ...this.footfall.env,
      FOOTFALL_COLLECTOR_ACCESS_LOG_KEY: this.merchant.writeKey,
      FOOTFALL_COLLECTOR_OPS_PORT: "0",
    };
    const { stdout, stderr } = await launch("collector", { args: ["--access-log", file, ...args], env })
      .finished;
    const summary = stdout.trimEnd().split("\n").at(-1);
    if (!summary) throw new Error(stderr);
    return JSON.parse(summary);
  }

  /** Values of a dimension with a metric over the last month; "" for none. */
  async by(dimension: string, metric = "sessions"): Promise<Record<string, number>> {
    const rows = await this.#ask({ metrics: [metric], dimensions: [dimension] });
    return Object.fromEntries(rows.map(([value, number]) => [value ?? "", Number(number)]));
  }

  /** A metric's total over the last month, bots included; amounts in micros. */
  async total(metric: string): Promise<number> {
    const [[total] = []] = await this.#ask({ metrics: [metric], scope: { traffic: Traffic.ALL } });
    return Number(total);
  }

  async #ask(request: Asked): Promise<Cell[][]> {
    const client = grpcQueryClient(this.footfall.queryUrl);
    const { table } = await client.runReport(
      { period: this.#month, ...request },
      bearer(this.merchant.readKey),
    );
    return tableRows(table!);
  }

  /** Rows of the merchant by plain SQL, which has its id as $1. */
  async rows<T extends object>(sql: string): Promise<T[]> {
    return (await this.footfall.pool.query<T>(sql, [this.merchant.merchantId])).rows;
  }

  get #month() {
    const day = (offset: number) => new Date(midnight(offset)).toISOString().slice(0, 10);
    return datesFrom(day(-30), day(1));
  }
}
