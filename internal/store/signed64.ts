/** A 64-bit hash of a low and a high word, as PostgreSQL's bigint has it: signed. */
export function signed64(low: number, high: number): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}
