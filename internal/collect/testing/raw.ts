import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { testKey } from "../../../test/kit/keys.ts";
import { CollectService, type SendResponse } from "../../gen/footfall/collect/v1/collect_pb.js";
import { methodDefinition } from "../../rpc/grpc-js.ts";

const SEND = methodDefinition(CollectService.method.send, true);

/** A SendRequest around events that need not be events: field 1, length-delimited, once for each. */
export function sendRequest(events: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(events.flatMap((event) => [Buffer.from([0x0a, ...varint(event.length)]), event]));
}

/** A text field of a protobuf message. */
export function textField(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** Sends a request's bytes over gRPC with grpc-js, as an SDK in another language would. */
export async function sendRaw(port: number, request: Uint8Array, key = "ffw_one"): Promise<SendResponse> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${testKey(key)}`);
  const { path, requestSerialize, responseDeserialize } = SEND;
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        (error, answer) => (error === null ? resolve(answer as SendResponse) : reject(error)),
      );
    });
  } finally {
    client.close();
  }
}
