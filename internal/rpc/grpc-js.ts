import { subscribe } from "node:diagnostics_channel";
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type handleUnaryCall,
  type MethodDefinition,
  type Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import { Failure } from "../failure/failure.ts";
import { Health, type HealthCheckRequest } from "../gen/health_pb.js";
import { orInvalid } from "./decode.ts";
import { codeOf } from "./errors.ts";
import type { HealthState } from "./health.ts";

/**
 * A grpc-js definition of a protobuf-es method.
 * @param rawRequest hands the request's bytes to the handler as they came, undecoded.
 */
export function methodDefinition(method: DescMethod, rawRequest = false): MethodDefinition<unknown, unknown> {
  const read = (schema: DescMessage) => (bytes: Buffer) => fromBinary(schema, bytes);
  const write = (schema: DescMessage) => (message: unknown) => asBuffer(toBinary(schema, message as Message));
  const raw = (bytes: unknown) => asBuffer(bytes as Uint8Array);
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestDeserialize: rawRequest ? raw : orFailure(read(method.input)),
    requestSerialize: rawRequest ? raw : write(method.input),
    responseDeserialize: read(method.output),
    responseSerialize: write(method.output),
  };
}

/** The failure in the place of a message that is none: grpc-js would call it an error of the server's own (INTERNAL). */
function orFailure(decode: (bytes: Buffer) => unknown): (bytes: Buffer) => unknown {
  return (bytes) => {
    try {
      return orInvalid(() => decode(bytes));
    } catch (error) {
      return error;
    }
  };
}

/** @throws Failure invalid in the place of a request that could not be decoded. */
function checked<I>(request: I): I {
  if (request instanceof Failure) throw request;
  return request;
}

/** grpc-js wants Buffers; no copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A grpc-js definition of a protobuf-es service. @param raw local names of methods with raw requests. */
export function serviceDefinition(service: DescService, raw: readonly string[] = []): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => [
      method.localName,
      methodDefinition(method, raw.includes(method.localName)),
    ]),
  );
}

/** An error as grpc-js wants it; the counterpart of toConnectError. */
export function toServiceError(error: unknown): { code: status; details: string } {
  if (error instanceof Failure) return { code: codeOf(error.kind) as number, details: error.message };
  return { code: status.INTERNAL, details: "internal error" };
}

/** A unary handler from a plain async function. @param report is told of unexpected errors. */
export function unary<I, O>(
  work: (request: I, authorization: string | undefined) => Promise<O> | O,
  report: (error: unknown) => void,
): handleUnaryCall<I, O> {
  return (call, answer) => {
    const authorization = call.metadata.get("authorization")[0]?.toString();
    Promise.resolve()
      .then(() => work(checked(call.request), authorization))
      .then(
        (response) => answer(null, response),
        (error: unknown) => {
          const mapped = toServiceError(error);
          if (mapped.code === status.INTERNAL) report(error);
          answer(mapped);
        },
      );
  };
}

/** Adds the part of the health protocol that answers at once: a port that clients reach holds no stream for it. */
export function addHealthCheck(server: Server, health: HealthState): void {
  const check = unary(
    (request: HealthCheckRequest) => health.check(request.service),
    () => {},
  );
  server.addService(serviceDefinition(Health), { check });
}

/** How much a client may send ahead of the server's reading, bytes: a few batches. */
const RECEIVE_WINDOW = 8 << 20;

const widened = new WeakSet<Http2Session>();
let watching = false;

/**
 * Lets clients of this process' HTTP/2 servers send far ahead. grpc-js leaves its servers with the protocol's
 * first window of 64 KiB, in which every batch would wait several times for the server's event loop; it has
 * no option for it, and Node's diagnostics channel is the public way to its sessions.
 */
function widenReceiveWindows(): void {
  if (watching) return;
  watching = true;
  subscribe("http2.server.stream.created", (message) => {
    const { session } = (message as { stream: ServerHttp2Stream }).stream;
    if (session === undefined || widened.has(session)) return;
    widened.add(session);
    session.setLocalWindowSize(RECEIVE_WINDOW);
    session.settings({ initialWindowSize: RECEIVE_WINDOW });
  });
}

/** Binds a grpc-js server; @returns the port. */
export function bind(
  server: Server,
  host: string,
  port: number,
  credentials = ServerCredentials.createInsecure(),
): Promise<number> {
  widenReceiveWindows();
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
}
