import {
  type CallOptions,
  type Client,
  Code,
  ConnectError,
  createClient,
  type Transport,
} from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createConnectTransport as createBrowserTransport } from "@connectrpc/connect-web";
import { CollectService } from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";

export type CollectClient = Client<typeof CollectService>;
export type QueryClient = Client<typeof QueryService>;

/** A gRPC client of CollectService, as a server's SDK is one. */
export function collectClient(baseUrl: string): CollectClient {
  return createClient(CollectService, createGrpcTransport({ baseUrl }));
}

/** A gRPC client of QueryService. */
export function grpcQueryClient(baseUrl: string): QueryClient {
  return createClient(QueryService, createGrpcTransport({ baseUrl }));
}

const HTTP1 = { httpVersion: "1.1" } as const;

/** Transports of every protocol that a service speaks. */
export function transportsTo(baseUrl: string): Readonly<Record<string, Transport>> {
  return {
    gRPC: createGrpcTransport({ baseUrl }),
    "gRPC-Web": createGrpcWebTransport({ baseUrl, ...HTTP1 }),
    "Connect with JSON": createConnectTransport({ baseUrl, ...HTTP1, useBinaryFormat: false }),
    "Connect, binary": createConnectTransport({ baseUrl, ...HTTP1, useBinaryFormat: true }),
    "Connect with JSON by fetch, as a browser": createBrowserTransport({ baseUrl, useBinaryFormat: false }),
  };
}

/** Clients of QueryService over every protocol that it speaks. */
export function queryClients(baseUrl: string): Readonly<Record<string, QueryClient>> {
  return Object.fromEntries(
    Object.entries(transportsTo(baseUrl)).map(([name, transport]) => [
      name,
      createClient(QueryService, transport),
    ]),
  );
}

/** Call options that carry a key. */
export function bearer(key: string): CallOptions {
  return { headers: { authorization: `Bearer ${key}` } };
}

/** What a caller sees of a call that is refused. @throws when it is not. */
export async function refusedCall(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    const { code, rawMessage, metadata } = ConnectError.from(error);
    return { code: Code[code], message: rawMessage, retryAfterMs: metadata.get("retry-after-ms") };
  }
  throw new Error("the call was answered");
}

/** Answer of a JSON request, as curl would get it. */
export interface JsonAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came, whatever it is.
  readonly body: any;
  readonly headers: Headers;
}

/** POSTs JSON to an RPC, such as "footfall.query.v1.QueryService/RunReport", as curl would. */
export async function postJson(
  baseUrl: string,
  rpc: string,
  key: string,
  body: unknown,
): Promise<JsonAnswer> {
  const response = await fetch(`${baseUrl}/${rpc}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

/** POSTs bytes as the binary form of a request. */
export function postProto(baseUrl: string, rpc: string, key: string, body: Buffer): Promise<Response> {
  const headers = { "content-type": "application/proto", authorization: `Bearer ${key}` };
  return fetch(`${baseUrl}/${rpc}`, { method: "POST", headers, body: new Uint8Array(body) });
}
