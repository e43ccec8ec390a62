import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";

const TEXT = "application/grpc-web-text";
const BINARY = "application/grpc-web";

/**
 * gRPC-Web's text mode, the default of the grpc-web client, whose bodies are base64
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md): what is behind this sees binary calls only.
 * @param call is changed when it is text.
 * @returns makes the call's answer text, where the call asks for that.
 */
export function textMode(
  call: UniversalServerRequest,
): (answer: UniversalServerResponse) => UniversalServerResponse {
  const type = call.header.get("content-type") ?? "";
  if (!type.startsWith(BINARY)) return (answer) => answer;
  const isText = type.startsWith(TEXT);
  if (isText) {
    call.header.set("content-type", type.replace(TEXT, BINARY));
    call.body = decoded(call.body as AsyncIterable<Uint8Array>);
  }
  return asksForText(call.header.get("accept") ?? "", isText) ? encodedAnswer : (answer) => answer;
}

/** The answer is in the mode of the request, unless the request names the other one. */
function asksForText(accept: string, isText: boolean): boolean {
  const wanted = accept.toLowerCase();
  return wanted.includes(TEXT) || (isText && !wanted.includes(BINARY));
}

function encodedAnswer(answer: UniversalServerResponse): UniversalServerResponse {
  const type = answer.header?.get("content-type") ?? "";
  if (!type.startsWith(BINARY)) return answer;
  answer.header!.set("content-type", type.replace(BINARY, TEXT));
  return answer.body === undefined ? answer : { ...answer, body: encoded(answer.body) };
}

/** Each piece is base64 of its own, padded: it can be read as soon as it is there. */
async function* encoded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const { buffer, byteOffset, byteLength } of body) {
    yield Buffer.from(Buffer.from(buffer, byteOffset, byteLength).toString("base64"), "latin1");
  }
}

/** A body may consist of padded pieces, and come cut anywhere. */
async function* decoded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let rest = "";
  for await (const { buffer, byteOffset, byteLength } of body) {
    const text = rest + Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    if (whole > 0) yield fromBase64(text.slice(0, whole));
  }
  if (rest !== "") yield fromBase64(rest);
}

/** @throws ConnectError invalid_argument. */
function fromBase64(text: string): Uint8Array {
  if (!/^[\w+/=-]*$/.test(text)) {
    throw new ConnectError("body: not base64, which application/grpc-web-text is", Code.InvalidArgument);
  }
  // A piece ends with its padding.
  return Buffer.concat(text.split(/(?<==)(?!=)/).map((piece) => Buffer.from(piece, "base64")));
}
