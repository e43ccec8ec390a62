import {
  type DescMethod,
  type DescService,
  fromBinary,
  fromJsonString,
  type Message,
} from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { Failure } from "../failure/failure.ts";
import { type RequestMessage, takeMessage } from "./request-messages.ts";

/**
 * Decodes the messages of requests. Connect would call one that is none an error of the server's own (INTERNAL), and
 * has no option for it. @param undecoded services whose handlers take their messages as they came.
 */
export function decodeInterceptor(undecoded: readonly DescService[] = []): Interceptor {
  const names = new Set(undecoded.map(({ typeName }) => typeName));
  return (next) => (request) => {
    const { method, contextValues } = request;
    if (names.has(method.parent.typeName)) return next(request);
    const decoded = () => decodeRequest(method, takeMessage(contextValues));
    if (!request.stream) return next({ ...request, message: decoded() });
    return next({ ...request, message: map(request.message, decoded) });
  };
}

async function* map(messages: AsyncIterable<Message>, decoded: () => Message): AsyncIterable<Message> {
  for await (const _ of messages) yield decoded();
}

function decodeRequest({ input }: DescMethod, { bytes, isJson }: RequestMessage): Message {
  return orInvalid(() =>
    isJson
      ? fromJsonString(input, Buffer.from(bytes).toString(), { ignoreUnknownFields: true })
      : fromBinary(input, bytes),
  );
}

/** What cannot be decoded is the caller's fault, over whichever server it comes. @throws Failure invalid. */
export function orInvalid<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("invalid", `request: cannot be decoded: ${why}`, { cause });
  }
}
