import { Agent, request } from "node:http";
import pg from "pg";
import { letHeapGrow } from "../../internal/lifecycle/heap-growth.ts";
import { type Ask, type Rate, rateOfOnce, ratesOf } from "./rates.ts";
import { CONNECTIONS, SESSION } from "./statements.ts";

/**
 * The clients of the `query` benchmark, in a process of their own: started with fork(), told by messages what to ask, and
 * answering with how long it took. Those of the service speak Connect over HTTP/1.1, a connection each; pg's share a pool
 * of as many connections as the service has.
 */

/** A statement as it is sent. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A question in both forms: what a client sends, and what the service sends to the database for it. */
export interface Item {
  readonly readKey: string;
  /** A RunReportRequest. */
  readonly body: Uint8Array;
  /** None where pg is not asked. */
  readonly statements: readonly Statement[];
}

/** Who is asked, in turn, which of the items. */
export interface Way {
  readonly name: string;
  /** Of a query service; undefined: pg. */
  readonly url: string | undefined;
  readonly items: readonly Item[];
}

export interface Task {
  readonly ways: readonly Way[];
  readonly clients: number;
  /** Of each way; undefined: each item is asked once. */
  readonly seconds: number | undefined;
}

export type Rates = Readonly<Record<string, Rate>>;

const PATH = "/footfall.query.v1.QueryService/RunReport";
const agent = new Agent({ keepAlive: true });

function askService(url: string, { readKey, body }: Item): Promise<void> {
  const headers = { authorization: `Bearer ${readKey}`, "content-type": "application/proto" };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${PATH}`, { agent, method: "POST", headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`RunReport: ${response.statusCode} ${Buffer.concat(parts)}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const [databaseUrl = ""] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: databaseUrl, max: CONNECTIONS, options: SESSION });

async function askPg({ statements }: Item): Promise<void> {
  const client = await pool.connect();
  try {
    for (const { text, values } of statements)
      await client.query({ text, values: [...values], rowMode: "array" });
  } finally {
    client.release();
  }
}

function asksOf({ url, items }: Way): Ask[] {
  return items.map((item) => () => (url === undefined ? askPg(item) : askService(url, item)));
}

function inTurn(asks: readonly Ask[]): () => Ask {
  let at = 0;
  return () => asks[at++ % asks.length]!;
}

async function measure({ ways, clients, seconds }: Task): Promise<Rates> {
  if (seconds !== undefined)
    return ratesOf(Object.fromEntries(ways.map((way) => [way.name, inTurn(asksOf(way))])), clients, seconds);
  const rates: Record<string, Rate> = {};
  for (const way of ways) rates[way.name] = await rateOfOnce(asksOf(way), clients);
  return rates;
}

letHeapGrow();
process.on("message", (task: Task) => {
  measure(task).then(
    (rates) => process.send!(rates),
    (error: Error) => process.send!({ error: error.message }),
  );
});
process.on("disconnect", () => process.exit(0));
process.send!({ ready: true });
