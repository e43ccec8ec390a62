import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { integers, sampleAnswer, texts } from "../../internal/client/testing/answers.ts";
import { Failure } from "../../internal/failure/failure.ts";
import {
  FieldKind,
  FieldScope,
  GetMetadataResponseSchema,
} from "../../internal/gen/footfall/query/v1/metadata_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import type { RunReportRequest } from "../../internal/gen/footfall/query/v1/report_pb.js";
import { Unit } from "../../internal/gen/footfall/query/v1/table_pb.js";
import { toConnectError } from "../../internal/rpc/errors.ts";
import { launch } from "../../test/kit/launch.ts";

// The client as it is typed at a shell, against a service that answers what is told here.

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const KEY = "ffr_secret";

/** Pages of `/page/N`, with 9,999 rows each and one in the last. */
const ROWS = 20_001;

const asked: { readonly request: RunReportRequest; readonly key: string | null }[] = [];
const failures: Record<string, Failure> = {
  vistors: new Failure("invalid", 'metrics[0] "vistors" must be visitors', {
    reason: "FIELD_UNKNOWN",
    field: "metrics[0]",
    value: "vistors",
    allowed: "visitors",
  }),
  busy: new Failure("exhausted", "too many questions", { retryAfterMs: 1_500 }),
  dear: new Failure("precondition", "the question costs too much", { allowed: "fewer days" }),
  away: new Failure("unavailable", "the database is away"),
};

function routes(router: ConnectRouter): void {
  router.service(QueryService, {
    runReport(request, { requestHeader }) {
      asked.push({ request, key: requestHeader.get("authorization") });
      const failure = failures[request.metrics[0]!];
      if (failure !== undefined) throw toConnectError(failure);
      const from = Number(request.pageToken);
      const standard = request.dimensions.includes("time") ? 2_500 : 2;
      const count = Math.min(request.pageSize || standard, ROWS - from);
      const rows = Array.from({ length: count }, (_, index) => from + index);
      return sampleAnswer(
        count,
        [
          texts(
            "page",
            rows.map((row) => `/page/${row}`),
          ),
          integers(
            "views",
            rows.map((row) => BigInt(ROWS - row)),
          ),
        ],
        [integers("views", [123n])],
        { totalSize: ROWS, nextPageToken: from + count < ROWS ? String(from + count) : "" },
      );
    },
    getMetadata: ({ metrics }) =>
      create(GetMetadataResponseSchema, {
        metrics: [
          {
            name: "visitors",
            title: "Visitors",
            description: "Different visitors, =so to say",
            unit: Unit.COUNT,
            kind: FieldKind.DISTINCT,
            scope: FieldScope.VISITOR,
            filterable: true,
            compatible: true,
          },
        ],
        dimensions: [
          {
            name: "page",
            title: "Page",
            kind: FieldKind.DIMENSION,
            scope: FieldScope.EVENT,
            compatible: metrics.length === 0,
            incompatibleReason: metrics.length === 0 ? "" : "of items",
          },
        ],
      }),
  });
}

let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer(connectNodeAdapter({ routes })).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => void server.close());

const run = (...args: string[]) =>
  launch(MAIN, { args, env: { FOOTFALL_URL: url, FOOTFALL_READ_KEY: KEY } }).finished;
const report = (...args: string[]) => run("report", "--metrics", "views", "--last", "30d", ...args);

test("a table, asked for with the key of the environment", async () => {
  asked.length = 0;
  const { code, stdout, stderr } = await report("--by", "page", "--order", "-views");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/│ \/page\/0 +│ 20,001 │\n│ \/page\/1 +│ 20,000 │\n│ total +│ +123 │/);
  expect(stdout).toContain("2 of 20,001 rows");
  expect(asked).toMatchObject([
    { key: `Bearer ${KEY}`, request: { dimensions: ["page"], pageSize: 0, orderBy: [{ field: "views" }] } },
  ]);
});

test("as many pages as the limit takes, as CSV", async () => {
  asked.length = 0;
  const { code, stdout } = await report("--by", "page", "--limit", "20000", "--format", "csv");
  expect(code).toBe(0);
  const lines = stdout.split("\r\n");
  expect(lines.slice(0, 2)).toEqual(["page,views", "/page/0,20001"]);
  expect(lines.slice(-2)).toEqual(["/page/19999,2", ""]);
  expect(lines).toHaveLength(20_002);
  expect(asked.map(({ request }) => [request.pageSize, request.pageToken])).toEqual([
    [10_000, ""],
    [10_000, "10000"],
  ]);
});

test("of time alone all buckets, however many come at a time", async () => {
  asked.length = 0;
  const { stdout } = await report("--by", "time", "--granularity", "minute", "--format", "csv");
  // A question has 10,000 buckets at most.
  expect(stdout.trim().split("\r\n")).toHaveLength(10_001);
  expect(asked.map(({ request }) => [request.pageSize, request.pageToken])).toEqual([
    [0, ""],
    [0, "2500"],
    [0, "5000"],
    [0, "7500"],
  ]);
});

test("one object of JSON", async () => {
  const { stdout } = await report("--by", "page", "--format", "json");
  expect(JSON.parse(stdout)).toMatchObject({
    rows: [
      { page: "/page/0", views: 20_001 },
      { page: "/page/1", views: 20_000 },
    ],
    totals: { views: 123 },
    total_size: 20_001,
  });
});

test("an error of the service: message, reason, field with its flag, value, what is allowed", async () => {
  const { code, stdout, stderr } = await run("report", "--metrics", "vistors", "--last", "30d");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toBe(
    [
      'footfall report: metrics[0] "vistors" must be visitors',
      "  reason  FIELD_UNKNOWN",
      "  field   metrics[0] (--metrics)",
      "  value   vistors",
      "  allowed visitors",
      "",
    ].join("\n"),
  );
});

test.each([
  ["busy", 1, "  wait    1500 ms"],
  ["away", 1, "the database is away"],
  ["dear", 2, "  reason  QUERY_TOO_EXPENSIVE\n  allowed fewer days"],
])("of the error %s the exit code is %i", async (metric, code, line) => {
  const outcome = await run("report", "--metrics", metric, "--last", "30d");
  expect(outcome.code).toBe(code);
  expect(outcome.stderr).toContain(line);
  expect(outcome.stderr).not.toContain("   at ");
});

test("wrong use, and a service that is not there", async () => {
  const wrong = await report("--filter", "country=");
  expect(wrong).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("footfall report: --filter: the filter"),
  });
  const missing = await launch(MAIN, { args: ["report", "--metrics", "views", "--last", "1d"] }).finished;
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("FOOTFALL_READ_KEY") });
  const away = await report("--url", "http://127.0.0.1:1");
  expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining("ECONNREFUSED") });
});

test("the metadata as a list, and what does not go with a metric", async () => {
  const table = await run("metadata");
  expect(table.stdout).toMatch(/│ visitors +│ distinct +│ count +│ visitor +│ Visitors +│/);
  const csv = await run("metadata", "--metrics", "item_revenue", "--format", "csv");
  expect(csv.stdout.split("\r\n").slice(0, 2)).toEqual([
    "name,kind,unit,scope,filterable,compatible,title,description",
    'visitors,distinct,count,visitor,true,true,Visitors,"Different visitors, =so to say"',
  ]);
  expect((await run("metadata", "--metrics", "item_revenue")).stdout).toContain("not compatible: of items");
});
