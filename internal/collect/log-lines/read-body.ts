import type { Readable } from "node:stream";
import { Failure } from "../../failure/failure.ts";
import type { Admission } from "../../rpc/gate.ts";
import { CODINGS, inflate, tooLarge } from "../../rpc/inflate.ts";

/** Largest body, as it comes and as it is when it was unpacked, bytes. */
const MAX_BODY_BYTES = 8 << 20;

/**
 * Reads a request's body and inflates it as it comes.
 * @param coding value of Content-Encoding. @param admission is told of the bytes, and may refuse them.
 * @throws Failure invalid for a coding that is unknown or not kept to, exhausted for too many bytes.
 */
export async function readBody(
  request: Readable,
  coding: string,
  admission: Admission | undefined,
): Promise<Buffer<ArrayBuffer>> {
  const name = coding.trim().toLowerCase();
  const body = bodyOf(request, admission);
  if (CODINGS.includes(name)) {
    return inflate(body, name, {
      most: MAX_BODY_BYTES,
      onBytes: (bytes) => admission?.read(bytes),
      onUsed: (bytes) => admission?.release(bytes),
    });
  }
  if (name !== "identity") {
    throw new Failure(
      "invalid",
      `content-encoding: ${coding}, must be one of identity, ${CODINGS.join(", ")}`,
    );
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* bodyOf(request: Readable, admission: Admission | undefined): AsyncGenerator<Uint8Array> {
  let size = 0;
  // A request that is given up must stay open for its answer.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES);
    admission?.read(piece.length);
    yield piece;
  }
}
