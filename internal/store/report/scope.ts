import type { ReadLimits } from "../snapshot.ts";

/** Whose rows a query sees, and within what bounds. */
export interface Scope extends ReadLimits {
  /** No statement sees another merchant's rows. */
  readonly merchantId: number;
}

/** @throws TypeError for a scope that no caller may pass. */
export function checkScope({ merchantId, statementTimeoutMs }: Scope): void {
  if (!Number.isInteger(merchantId) || merchantId <= 0) throw new TypeError(`merchant id ${merchantId}`);
  if (!Number.isInteger(statementTimeoutMs) || statementTimeoutMs <= 0) {
    throw new TypeError(`statement timeout ${statementTimeoutMs} ms`);
  }
}
