import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../internal/gen/google/rpc/error_details_pb.js";
import { eventsWithin } from "../../internal/query/testing/generate/events.ts";
import { GOALS } from "../../internal/query/testing/generate/own-fields.ts";
import type { StoredEvent } from "../../internal/query/testing/naive/event.ts";
import { storeEvents } from "../../internal/query/testing/store-events.ts";
import { addGoal } from "../../internal/store/goals.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { openTestDatabase, refreshAggregates, type TestDatabase } from "../../test/kit/database.ts";
import { type HostileRequest, hostileRequests } from "./testing/hostile-requests.ts";
import { LoopWatch } from "./testing/loop-watch.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";
import { decode, encode, type RawAnswer } from "./testing/send-hostile.ts";

const ASKED = process.env.FOOTFALL_TEST_HOSTILE;
const REQUESTS = Number(ASKED ?? 400);
/** The suite's requests are always the same; more of them are others each time. */
const SEED = Number(process.env.FOOTFALL_TEST_SEED ?? (ASKED === undefined ? 18 : Date.now() % 2 ** 31));
const BATCH = 100;

/** Longest that a request may hold the event loop, ms. */
const MOST_HELD_MS = 20;
/** A request that holds it does so each time; the garbage collector, and a compiler that sees code for the first time, do not. */
const TRIES = 5;
/** Most that the heap may grow from the first batch of requests on, bytes. */
const MOST_GROWTH = 32 << 20;

/** Is in all texts of the other merchant, and in no request. */
const MARKER = "zqforeign";

const DAY_MS = 86_400_000;
const FROM = Date.UTC(2025, 2, 3);

let database: TestDatabase;
let service: TestQuery;
let baseUrl: string;
let own: CreatedMerchant;
let ownEvents: number;

beforeAll(async () => {
  database = await openTestDatabase(1);
  own = await createMerchant(database.pool, NEW_MERCHANT);
  const other = await createMerchant(database.pool, { ...NEW_MERCHANT, name: MARKER });
  const where = {
    merchants: [own.merchantId, other.merchantId],
    from: FROM,
    to: FROM + 14 * DAY_MS,
    sessions: 80,
  };
  const [all] = fc.sample(eventsWithin(where), { numRuns: 1, seed: 18 }) as [StoredEvent[]];
  const isOwn = ({ merchantId }: StoredEvent) => merchantId === own.merchantId;
  await storeEvents(
    database.pool,
    all.map((event) => (isOwn(event) ? event : marked(event))),
    new Map(),
  );
  ownEvents = all.filter(isOwn).length;
  for (const goal of GOALS) {
    await addGoal(database.pool, own.merchantId, goal);
    await addGoal(database.pool, other.merchantId, { ...goal, name: `${goal.name} ${MARKER}` });
  }
  await refreshAggregates(database.pool);
  service = await startTestQuery(database.url, {
    "requests-per-minute": "10000000",
    "cost-units-per-hour": "1000000000",
    // Each request is worked on, however often it comes.
    "answer-cache-bytes": "0",
  });
  baseUrl = service.url;
});
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

/** The event with the marker in every text that a merchant chooses. */
function marked(event: StoredEvent): StoredEvent {
  const mark = <T>(value: T) => (typeof value === "string" ? `${value}${MARKER}` : value) as T;
  const inAll = <T extends object>(texts: T): T =>
    Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, mark(value)])) as T;
  return {
    ...event,
    name: mark(event.name),
    texts: inAll(event.texts),
    touch: event.touch && { ...inAll(event.touch), channel: event.touch.channel },
    items: event.items.map(inAll),
    order: event.order && { ...inAll(event.order), currency: event.order.currency },
    properties: Object.fromEntries(
      Object.entries(event.properties).map(([name, value]) => [mark(name), mark(value)]),
    ),
  };
}

const watch = new LoopWatch();
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const heapBytes = () => {
  collect();
  return process.memoryUsage().heapUsed;
};

async function send(path: string, init: RequestInit): Promise<RawAnswer & { readonly heldMs: number }> {
  const headers = { ...init.headers, authorization: `Bearer ${own.readKey}` };
  watch.begin();
  const response = await fetch(`${baseUrl}/${path}`, { ...init, headers });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const heldMs = watch.end();
  return { status: response.status, type: response.headers.get("content-type") ?? "", bytes, heldMs };
}

/** google.rpc's numbers of what a hostile request may be refused with, by Connect's names, and reasons. */
const REFUSALS: Readonly<Record<string, { readonly code: number; readonly reasons: readonly string[] }>> = {
  invalid_argument: {
    code: 3,
    reasons: [
      "FIELD_MISSING",
      "FIELD_INVALID",
      "FIELD_UNKNOWN",
      "NOT_COMPATIBLE",
      "PAGE_TOKEN_INVALID",
      "REQUEST_INVALID",
    ],
  },
  permission_denied: { code: 7, reasons: ["PERMISSION_DENIED"] },
  resource_exhausted: { code: 8, reasons: ["REQUEST_TOO_LARGE"] },
  failed_precondition: { code: 9, reasons: ["QUERY_TOO_EXPENSIVE", "PAGE_TOKEN_EXPIRED"] },
};

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at as whatever came.
type Any = any;

/** What is wrong with an answer; undefined: nothing. */
function wrongIn(rpc: HostileRequest["rpc"], raw: RawAnswer): string | undefined {
  const body = decode(rpc, raw) as Any;
  const text = JSON.stringify(body);
  if (text.includes(MARKER)) return `tells of the other merchant: ${text}`;
  if (raw.status !== 200) {
    const details = (body.details ?? []).filter(({ type }: Any) => type === "google.rpc.ErrorInfo");
    const infos = details.map(({ value }: Any) => fromBinary(ErrorInfoSchema, base64Decode(value)));
    return isRefusal(body.code, infos) ? undefined : `is no refusal: ${text}`;
  }
  const outcomes: Any[] = rpc === "BatchRunReports" ? body.outcomes : [{ report: body }];
  return outcomes.map(wrongInOutcome).find((each) => each !== undefined);
}

function wrongInOutcome({ report, error }: Any): string | undefined {
  if (error !== undefined) {
    const name = Object.keys(REFUSALS).find((each) => REFUSALS[each]!.code === error.code);
    const info = { domain: "footfall", reason: String(error.reason).replace(/^REASON_/, "") };
    return isRefusal(name, [info]) ? undefined : `has no refusal: ${JSON.stringify(error)}`;
  }
  const events = report.totals?.columns?.find(({ name }: Any) => name === "events");
  const total = Number(events?.integers?.values[0] ?? 0);
  return total > ownEvents ? `counts ${total} of ${ownEvents} events` : undefined;
}

function isRefusal(code: string | undefined, infos: readonly Any[]): boolean {
  const [info] = infos;
  return info?.domain === "footfall" && REFUSALS[code ?? ""]?.reasons.includes(info.reason) === true;
}

interface Found {
  readonly wrong: string;
  readonly request: string;
}

/** Sends a request, and again while it holds the loop. @returns what is wrong, and the status. */
async function look(request: HostileRequest): Promise<{ found: Found[]; status: number }> {
  let held = Number.POSITIVE_INFINITY;
  const encoded = encode(request);
  let raw: RawAnswer | undefined;
  for (let tries = 0; tries < TRIES && held > MOST_HELD_MS; tries++) {
    const answer = await send(...encoded);
    raw ??= answer;
    held = Math.min(held, answer.heldMs);
  }
  const problems = [wrongIn(request.rpc, raw!)];
  if (held > MOST_HELD_MS) problems.push(`holds the event loop for ${held.toFixed(1)} ms`);
  const text = () => JSON.stringify(request);
  const found = problems.flatMap((wrong) =>
    wrong === undefined ? [] : [{ wrong: wrong.slice(0, 500), request: text() }],
  );
  return { found, status: raw!.status };
}

test(`hostile requests (seed ${SEED}) are answered or refused, and tell of no other merchant`, async () => {
  const found: Found[] = [];
  const statuses = new Map<number, number>();
  let heap = Number.POSITIVE_INFINITY;
  for (let at = 0; at < REQUESTS; at += BATCH) {
    for (const request of fc.sample(hostileRequests, { numRuns: BATCH, seed: SEED + at })) {
      const { found: more, status } = await look(request);
      found.push(...more);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    if (at === 0) heap = heapBytes();
  }
  expect(found).toEqual([]);
  // It says something only where many are answered.
  expect(statuses.get(200)).toBeGreaterThan(REQUESTS / 8);
  expect(heapBytes() - heap).toBeLessThan(MOST_GROWTH);
}, 3_600_000);

/** Each is large, and is another one by its number. */
const REGEX_FORMS: readonly ((number: number) => string)[] = [
  (number) => `${"\\pL".repeat(7)}${number}`,
  (number) => `.{100}.{100}.{100}.{100}.{80}${number}`,
  (number) => `(?:a?){100}a{100}${number}`,
];

test.each(REGEX_FORMS)(
  "regular expressions that nobody asked with before: %s",
  async (form) => {
    let number = 0;
    let held = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && held > MOST_HELD_MS; tries++) {
      const filters = Array.from({ length: 24 }, () => ({
        condition: { field: "page", text: { match: "MATCH_REGEX", ignoreCase: true, value: form(++number) } },
      }));
      const period = { dates: { startDate: "2025-03-03", endDate: "2025-03-03" } };
      const message = { metrics: ["events"], period, scope: { filter: { anyOf: { filters } } } };
      const headers = { "content-type": "application/json" };
      const raw = await send(RUN_REPORT, { method: "POST", headers, body: JSON.stringify(message) });
      expect([raw.status, wrongIn("RunReport", raw)]).toEqual([200, undefined]);
      held = Math.min(held, raw.heldMs);
    }
    expect(held).toBeLessThanOrEqual(MOST_HELD_MS);
  },
  120_000,
);

const RUN_REPORT = "footfall.query.v1.QueryService/RunReport";
const LEVELS = 5_000;

/** A filter of very many levels: each is the number of `scope`, `filter` or `not`, a length of three bytes, and what it has. */
function deepMessage(): Buffer<ArrayBuffer> {
  const field = (number: number, { length }: Buffer) =>
    Buffer.from([(number << 3) | 2, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14]);
  let message = Buffer.alloc(0);
  for (const number of [...Array<number>(LEVELS).fill(3), 3, 1]) {
    message = Buffer.concat([field(number, message), message]);
  }
  return message;
}

test.each<[string, "json" | "proto", string | Buffer<ArrayBuffer>]>([
  ["many levels of JSON", "json", `{"scope":{"filter":${'{"not":'.repeat(LEVELS)}{}${"}".repeat(LEVELS)}}}`],
  ["many levels of what is unknown", "json", `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`],
  ["many levels of the binary form", "proto", deepMessage()],
  ["many groups that do not end", "proto", Buffer.alloc(60_000, 0x0b)],
  ["nothing", "json", ""],
  ["null", "json", "null"],
  ["a list", "json", "[]"],
  ["half of JSON", "json", '{"metrics":["events"'],
  ["a byte order mark", "json", "\ufeff{}"],
  ["no UTF-8", "json", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ["a number that is none", "json", '{"pageSize":1e999,"topValues":-0.0}'],
  ["a field twice", "json", '{"metrics":["events"],"metrics":["visitors"]}'],
  ["keys of every object", "json", '{"__proto__":{"metrics":["events"]},"constructor":{"prototype":{}}}'],
  ["too much", "json", `{"metrics":["${"a".repeat(65_536)}"]}`],
])("%s is refused", async (_, form, body) => {
  const headers = { "content-type": `application/${form}` };
  const raw = await send(RUN_REPORT, { method: "POST", headers, body });
  expect(raw.status).toBeGreaterThanOrEqual(400);
  expect(wrongIn("RunReport", raw)).toBeUndefined();
});
