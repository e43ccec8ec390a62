import { MAX_AMOUNT_MICROS } from "../event-schema/fields.ts";

/** What a line of an order tells, micros; of one piece but the quantity, which is in millionths of one. */
export interface ItemAmounts {
  readonly price: bigint;
  readonly discount: bigint;
  readonly quantity: bigint;
}

/** Price less discount, by quantity, halves rounded up; micros. Undefined beyond the largest amount that is stored. */
export function itemWorth({ price, discount, quantity }: ItemAmounts): bigint | undefined {
  if (price <= discount) return 0n;
  const worth = ((price - discount) * quantity + 500_000n) / 1_000_000n;
  return worth > MAX_AMOUNT_MICROS ? undefined : worth;
}
