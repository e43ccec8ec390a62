import { pipeline } from "node:stream/promises";
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  type Zlib,
} from "node:zlib";
import { Failure } from "../failure/failure.ts";

type Inflater = NodeJS.ReadWriteStream & Zlib;

/** Codings of HTTP bodies (RFC 9110 section 8.4.1) that are taken. */
const INFLATERS: Readonly<Record<string, () => Inflater>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** The names of the codings that can be inflated. */
export const CODINGS: readonly string[] = Object.keys(INFLATERS);

export interface InflateOptions {
  /** Most bytes of the result. */
  readonly most: number;
  /** Told of bytes as they appear; may throw to stop. */
  readonly onBytes: (bytes: number) => void;
  /** Told of packed bytes that are not needed any more. */
  readonly onUsed?: (bytes: number) => void;
}

/**
 * Inflates a body piece by piece, and no further than the limit.
 * @param coding one of CODINGS.
 * @throws Failure exhausted for a larger result, invalid for what is not in the coding; what the source or `onBytes`
 * throws.
 */
export async function inflate(
  packed: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  coding: string,
  { most, onBytes, onUsed }: InflateOptions,
): Promise<Buffer<ArrayBuffer>> {
  const pieces: Buffer[] = [];
  let size = 0;
  let given = 0;
  async function* counted() {
    for await (const piece of packed) {
      given += piece.length;
      yield piece;
      onUsed?.(piece.length);
    }
  }
  const gather = async (plain: AsyncIterable<Buffer>) => {
    for await (const piece of plain) {
      size += piece.length;
      if (size > most) throw tooLarge(most);
      onBytes(piece.length);
      pieces.push(piece);
    }
  };
  try {
    await pipeline(counted(), INFLATERS[coding]!(), gather);
  } catch (cause) {
    if (!isZlibError(cause)) throw cause;
    // Nothing at all stands for an empty body, as clients send it.
    if (given === 0) return Buffer.alloc(0);
    throw new Failure("invalid", `body: is not ${coding}`, { cause });
  }
  return Buffer.concat(pieces, size);
}

export function tooLarge(most: number): Failure {
  const message = `body: more than ${most} bytes, send smaller requests`;
  return new Failure("exhausted", message, { reason: "REQUEST_TOO_LARGE", allowed: `${most} bytes` });
}

/** zlib names its errors Z_..., ERR__ERROR_..., ZSTD_error_... and has a number for each. */
function isZlibError(error: unknown): boolean {
  return (
    error instanceof Error && "errno" in error && typeof error.errno === "number" && !("syscall" in error)
  );
}
