import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Failure, REASONS } from "../failure/failure.ts";
import { Reason } from "../gen/footfall/query/v1/error_pb.js";
import { QueryService } from "../gen/footfall/query/v1/query_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.js";
import { createLogger } from "../telemetry/logger.ts";
import { connectHandler } from "./connect-server.ts";
import { HealthState } from "./health.ts";
import { listenOnePort, type OnePortServer } from "./one-port.ts";

let server: OnePortServer;
let base: string;
/** What the next call ends with. */
let thrown: unknown;

beforeAll(async () => {
  const handler = connectHandler({
    routes: (router) =>
      router.service(QueryService, {
        getMetadata() {
          throw thrown;
        },
      }),
    log: createLogger("test", "silent"),
    health: new HealthState([]),
    readMaxBytes: 1_000,
    maxTimeoutMs: 60_000,
    shutdown: new AbortController().signal,
  });
  server = await listenOnePort("127.0.0.1", 0, handler);
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const PROTOCOLS = {
  "Connect JSON": () => createConnectTransport({ baseUrl: base, httpVersion: "1.1", useBinaryFormat: false }),
  gRPC: () => createGrpcTransport({ baseUrl: base }),
  "gRPC-Web": () => createGrpcWebTransport({ baseUrl: base, httpVersion: "1.1" }),
};

/** The error that a client gets, as its program reads it. */
async function received(protocol: keyof typeof PROTOCOLS, error: unknown) {
  thrown = error;
  const client = createClient(QueryService, PROTOCOLS[protocol]());
  const got: unknown = await client.getMetadata({}).catch((cause: unknown) => cause);
  if (!(got instanceof ConnectError)) throw new Error("no error", { cause: got });
  const [info] = got.findDetails(ErrorInfoSchema);
  const violations = got.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  const [wait] = got.findDetails(RetryInfoSchema);
  return {
    code: got.code,
    info: info && [info.domain, info.reason, info.metadata],
    violations: violations.map(({ field, description, reason }) => ({ field, description, reason })),
    wait: wait?.retryDelay && [Number(wait.retryDelay.seconds), wait.retryDelay.nanos],
  };
}

test.each(Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[])(
  "%s carries field, value, what is allowed, and how long to wait",
  async (protocol) => {
    const allowed = "one of visitors, revenue";
    const [field, value] = ["metrics[1]", "visitrs"];
    const description = `${field} "${value}" is no metric`;
    const options = { reason: "FIELD_UNKNOWN", field, value, allowed } as const;
    const unknown = new Failure("invalid", description, options);
    expect(await received(protocol, unknown)).toEqual({
      code: Code.InvalidArgument,
      info: ["footfall", "FIELD_UNKNOWN", { field: "metrics[1]", value: "visitrs", allowed }],
      violations: [{ field: "metrics[1]", description, reason: "FIELD_UNKNOWN" }],
      wait: undefined,
    });
    expect(await received(protocol, new Failure("exhausted", "busy", { retryAfterMs: 1_499.2 }))).toEqual({
      code: Code.ResourceExhausted,
      info: ["footfall", "RATE_LIMITED", {}],
      violations: [],
      wait: [1, 500_000_000],
    });
    expect(await received(protocol, new Failure("precondition", "a year of hours"))).toMatchObject({
      code: Code.FailedPrecondition,
      info: ["footfall", "QUERY_TOO_EXPENSIVE", {}],
      wait: undefined,
    });
    expect(await received(protocol, new Error("password=secret"))).toMatchObject({
      code: Code.Internal,
      info: ["footfall", "INTERNAL", {}],
    });
  },
);

test("over Connect too expensive is HTTP 400, too many is 429", async () => {
  const statusOf = async (error: Failure) => {
    thrown = error;
    const headers = { "content-type": "application/json" };
    const url = `${base}/${QueryService.typeName}/GetMetadata`;
    return (await fetch(url, { method: "POST", headers, body: "{}" })).status;
  };
  expect(await statusOf(new Failure("precondition", "too expensive"))).toBe(400);
  expect(await statusOf(new Failure("exhausted", "too many", { retryAfterMs: 1_000 }))).toBe(429);
});

test("what cannot be read, or is too large, has its reason", async () => {
  const post = async (body: string) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${base}/${QueryService.typeName}/GetMetadata`, {
      method: "POST",
      headers,
      body,
    });
    const { details } = (await answer.json()) as { details: { debug: { reason: string } }[] };
    return details.map(({ debug }) => debug.reason);
  };
  expect(await post("{")).toEqual(["REQUEST_INVALID"]);
  expect(await post(" ".repeat(2_000))).toEqual(["REQUEST_TOO_LARGE"]);
});

test("the reasons are those that the proto lists", () => {
  const listed = Object.keys(Reason).filter((name) => /^[A-Z]/.test(name) && name !== "UNSPECIFIED");
  expect([...Object.values(REASONS).flat(), "INTERNAL"].sort()).toEqual(listed.sort());
});

test("a value is cut to 200 characters, none of them half", () => {
  const long = new Failure("invalid", "too long", { field: "filter", value: "\u{1f600}".repeat(1_000) });
  const { value, reason } = long;
  expect([value!.length, value!.isWellFormed(), value!.endsWith("…")]).toEqual([199, true, true]);
  expect(reason).toBe("FIELD_INVALID");
});
