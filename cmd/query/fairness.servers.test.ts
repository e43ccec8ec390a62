import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Granularity } from "../../internal/gen/footfall/query/v1/period_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import type {
  RunReportRequestSchema,
  RunReportResponse,
} from "../../internal/gen/footfall/query/v1/report_pb.js";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import { findPostgres } from "../../test/kit/debian-programs.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { type PlainPostgres, startPlainPostgres } from "../../test/kit/plain-postgres.ts";
import { tableRows } from "../../test/kit/report-table.ts";
import { startTestQuery, type TestQuery } from "./testing/query-service.ts";
import { KEYS, makeSlowDatabase } from "./testing/slow-database.ts";

const postgresProgram = await findPostgres();

let postgres: PlainPostgres;
let pool: Pool;
let service: TestQuery;
let baseUrl: string;

const connections = 6;

beforeAll(async () => {
  if (postgresProgram === undefined) return;
  postgres = await startPlainPostgres(postgresProgram);
  pool = createPool({ url: postgres.url, name: "test", maxConnections: 2, statementTimeoutMs: 30_000 });
  await makeSlowDatabase(pool);
  service = await startTestQuery(postgres.url, {
    "max-connections": String(connections),
    "statement-timeout-ms": "120000",
    "max-waiting": "200",
    "answer-cache-bytes": "0",
  });
  baseUrl = service.url;
});

afterAll(async () => {
  await service?.stop();
  await pool?.end();
  await postgres?.close();
});

const request: MessageInitShape<typeof RunReportRequestSchema> = {
  period: {
    span: {
      case: "times",
      value: {
        startTime: { seconds: 1_767_225_600n, nanos: 0 },
        endTime: { seconds: 1_767_229_200n, nanos: 0 },
      },
    },
  },
  dimensions: ["time"],
  granularity: Granularity.MINUTE,
  metrics: ["events"],
};

const eventsOf = ({ totals }: RunReportResponse) => tableRows(totals!)[0]![0];

interface Asking extends CallOptions {
  /** Calls with the same one ask the same question. Default: one that no other call has. */
  readonly pageSize?: number;
  readonly transport?: Transport;
}

let questions = 0;

/** One call of a merchant, over a connection of its own. */
function report(key: string, { pageSize = ++questions, transport, ...options }: Asking = {}) {
  const headers = { authorization: `Bearer ${key}` };
  const client = createClient(QueryService, transport ?? createGrpcTransport({ baseUrl }));
  return client.runReport({ ...request, pageSize }, { ...options, headers });
}

/** What a call is refused with; undefined where it is answered. */
const refusal = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );

/** When the transaction began of each statement of a report that the database works on. */
async function statements(): Promise<string[]> {
  const { rows } = await pool.query<{ began: string }>(
    `SELECT xact_start::text AS began FROM pg_stat_activity
     WHERE application_name = 'query' AND state = 'active' AND query LIKE '%FROM events%'`,
  );
  return rows.map(({ began }) => began);
}

const running = async () => (await statements()).length;

async function metric(name: string, labels: string): Promise<number> {
  const line = (await service.registry.metrics())
    .split("\n")
    .find((each) => each.startsWith(`${name}{`) && each.includes(labels));
  return Number(line?.split(" ").at(-1));
}

describe.skipIf(postgresProgram === undefined)("needs Debian's postgresql", () => {
  test("40 heavy reports of one merchant leave another's light one as fast as it is alone, give or take", async () => {
    const took = async () => {
      const before = performance.now();
      expect(eventsOf(await report(KEYS.light))).toBe(1n);
      return performance.now() - before;
    };
    await took();
    const heavy = Array.from({ length: 40 }, () => report(KEYS.heavy));
    const answered = { heavy: 0 };
    for (const each of heavy)
      each.then(
        () => answered.heavy++,
        () => {},
      );
    await waitFor("the heavy ones", async () => (await running()) === connections / 2);
    const before = answered.heavy;
    const times: number[] = [];
    for (let index = 0; index < 10; index++) times.push(await took());
    // One heavy report takes a second, and 40 of them, three at a time, 14.
    expect(Math.min(...times)).toBeLessThan(1_000);
    expect(answered.heavy - before).toBeLessThan(20);
    expect(await running()).toBeLessThanOrEqual(connections / 2);
    await Promise.all(heavy);
  });

  test("a deadline is answered in time, and the statement is gone", async () => {
    const before = performance.now();
    const answer = report(KEYS.endless, { timeoutMs: 300 });
    await expect(answer).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    expect(performance.now() - before).toBeLessThan(3_000);
    await waitFor("its end", async () => (await running()) === 0, 10_000);
    const late = 'rpc="RunReport",code="DEADLINE_EXCEEDED"';
    const counted = await metric("footfall_query_requests_total", late);
    // The server's own answer, not only the client's clock: curl waits longer than the deadline that it names.
    const response = await fetch(`${baseUrl}/footfall.query.v1.QueryService/RunReport`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${KEYS.endless}`,
        "content-type": "application/json",
        "connect-timeout-ms": "300",
      },
      body: JSON.stringify({
        period: { times: { startTime: "2026-01-01T00:00:00Z", endTime: "2026-01-01T01:00:00Z" } },
        metrics: ["events"],
        dimensions: ["time"],
        granularity: "GRANULARITY_MINUTE",
      }),
    });
    expect(await response.json()).toMatchObject({ code: "deadline_exceeded" });
    await waitFor("its end", async () => (await running()) === 0, 10_000);
    expect(await metric("footfall_query_requests_total", late)).toBe(counted + 1);
  });

  test.each([
    ["gRPC", () => createGrpcTransport({ baseUrl })],
    ["HTTP/1.1", () => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ])(
    "who goes away over %s takes the statement along, and who waits then gets the place",
    async (_, transport) => {
      const leaving = new AbortController();
      const gone = Array.from({ length: 8 }, () =>
        report(KEYS.endless, { signal: leaving.signal, transport: transport() }).catch(() => "gone"),
      );
      await waitFor("the statements", async () => (await running()) === connections / 2);
      leaving.abort();
      expect(await Promise.all(gone)).toEqual(Array.from(gone, () => "gone"));
      await waitFor("their end", async () => (await running()) === 0, 10_000);
      await waitFor("their places", async () => (await metric("footfall_query_working", "")) === 0, 10_000);
      expect(eventsOf(await report(KEYS.light))).toBe(1n);
      expect(await metric("footfall_query_waiting", "")).toBe(0);
    },
  );

  test.each<[string, Asking & { readonly code: Code }]>([
    ["goes away", { code: Code.Canceled }],
    ["has a deadline", { code: Code.DeadlineExceeded, timeoutMs: 6_000 }],
  ])(
    "what several ask for goes on while one of them is left, and ends with the last, who %s",
    async (_, { code, ...asking }) => {
      const [first, last] = [new AbortController(), new AbortController()];
      const same = { pageSize: ++questions, transport: createGrpcTransport({ baseUrl }) };
      const gone = refusal(report(KEYS.endless, { ...same, signal: first.signal }));
      await waitFor("the statement", async () => (await running()) === 1);
      const began = await statements();
      const late = refusal(report(KEYS.endless, { ...same, timeoutMs: 1_000 }));
      const left = refusal(report(KEYS.endless, { ...same, signal: last.signal, ...asking }));
      // Sent after them over the same connection, and answered when they wait.
      expect(await refusal(report(KEYS.endless, { ...same, pageSize: -1 }))).toBe(Code.InvalidArgument);
      first.abort();
      expect([await gone, await late]).toEqual([Code.Canceled, Code.DeadlineExceeded]);
      expect(await statements()).toEqual(began);
      if (asking.timeoutMs === undefined) last.abort();
      expect(await left).toBe(code);
      await waitFor("its end", async () => (await running()) === 0, 10_000);
      await waitFor("its place", async () => (await metric("footfall_query_working", "")) === 0, 10_000);
    },
  );

  test("one merchant that asks more than may wait is refused with a time to wait; others are not", async () => {
    const leaving = new AbortController();
    const all = Array.from({ length: 120 }, () => report(KEYS.endless, { signal: leaving.signal }));
    const refused = await Promise.any(
      all.map((each) =>
        each.then(
          () => expect.unreachable(),
          (error) => {
            if (error.code !== Code.ResourceExhausted) throw error;
            return error;
          },
        ),
      ),
    );
    expect(Number(refused.metadata.get("retry-after-ms"))).toBeGreaterThan(0);
    expect(eventsOf(await report(KEYS.light))).toBe(1n);
    leaving.abort();
    await Promise.allSettled(all);
    await waitFor("their end", async () => (await running()) === 0, 10_000);
  });

  test("a database that stands still is told of in time, and no statement is left when it goes on", async () => {
    await report(KEYS.light);
    const pids = await stopped();
    try {
      const before = performance.now();
      await expect(report(KEYS.light)).rejects.toMatchObject({ code: Code.Unavailable });
      expect(performance.now() - before).toBeLessThan(12_000);
    } finally {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    }
    expect(eventsOf(await report(KEYS.light))).toBe(1n);
  });
});

/** Stops the processes of all sessions of reports. */
async function stopped(): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'query'",
  );
  for (const { pid } of rows) process.kill(pid, "SIGSTOP");
  return rows.map(({ pid }) => pid);
}
