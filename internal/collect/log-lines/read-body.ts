import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { Failure } from "../../failure/failure.ts";
import type { Passage } from "../../rpc/gate.ts";

/** Largest body, as it comes and as it is when it was unpacked, bytes. */
const MAX_BODY_BYTES = 8 << 20;

type Bytes = Buffer<ArrayBuffer>;
type Unpack = (packed: Bytes, options: { maxOutputLength: number }) => Promise<Bytes>;

const CODINGS: Readonly<Record<string, Unpack>> = {
  identity: async (plain) => plain,
  gzip: promisify(gunzip) as Unpack,
  "x-gzip": promisify(gunzip) as Unpack,
  deflate: promisify(inflate) as Unpack,
  br: promisify(brotliDecompress) as Unpack,
  zstd: promisify(zstdDecompress) as Unpack,
};

/**
 * Reads a request's body and unpacks it, off the event loop.
 * @param coding value of Content-Encoding. @param passage is told of the bytes, and may refuse them.
 * @throws Failure invalid for a coding that is unknown or not kept to, exhausted for too many bytes.
 */
export async function readBody(
  request: Readable,
  coding: string,
  passage: Passage | undefined,
): Promise<Bytes> {
  const unpack = CODINGS[coding.trim().toLowerCase()];
  if (unpack === undefined) {
    throw new Failure(
      "invalid",
      `content-encoding: ${coding}, must be one of ${Object.keys(CODINGS).join(", ")}`,
    );
  }
  const chunks: Buffer[] = [];
  let size = 0;
  // A request that is given up must stay open for its answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    passage?.read(chunk.length);
    chunks.push(chunk);
  }
  try {
    const body = await unpack(Buffer.concat(chunks), { maxOutputLength: MAX_BODY_BYTES });
    passage?.read(Math.max(0, body.length - size));
    return body;
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof RangeError) throw tooLarge();
    throw new Failure("invalid", `body: is not ${coding}`, { cause: error });
  }
}

function tooLarge(): Failure {
  return new Failure("exhausted", `body: more than ${MAX_BODY_BYTES} bytes, send smaller chunks`);
}
