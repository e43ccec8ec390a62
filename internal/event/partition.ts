/**
 * The partition of a merchant: MurmurHash3's 32-bit finaliser (Austin Appleby, public domain) of the id,
 * modulo the number of partitions. Part of the stored data's meaning: it can never change.
 * @param merchantId 1 to 2^31 - 1.
 * @param partitions the installation's number of partitions, 1 or more.
 */
export function partitionOf(merchantId: number, partitions: number): number {
  let h = merchantId >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) % partitions;
}
