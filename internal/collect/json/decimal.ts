/** A decimal number of any notation, such as 12, -0.5, .5, 1e6. */
const DECIMAL = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?\s*$/i;

/** Longest text of a number: whoever writes more digits means something else. */
const MAX_LENGTH = 100;

export interface Decimal {
  readonly value: bigint;
  /** Whether nothing was rounded off. */
  readonly isExact: boolean;
}

/**
 * A decimal number times 10^scale as a whole one, halves rounded away from zero; by its digits, so that nothing is lost
 * where a double would lose it. Undefined: it is none.
 */
export function readDecimal(value: unknown, scale = 0): Decimal | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || text.length > MAX_LENGTH) return undefined;
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  if (whole + fraction === "") return undefined;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  const power = scale + Number(exponent) - fraction.length;
  if (power >= 0) return { value: digits * 10n ** BigInt(power), isExact: true };
  const divisor = 10n ** BigInt(-power);
  const half = digits < 0n ? -divisor / 2n : divisor / 2n;
  return { value: (digits + half) / divisor, isExact: digits % divisor === 0n };
}
