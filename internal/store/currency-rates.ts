import { type Pool, transaction } from "./pool.ts";

/** How old a day's rate may be, days: rates are not published on weekends and holidays. */
export const MAX_RATE_AGE_DAYS = 7;

const EPOCH = "DATE '1970-01-01'";

/** A currency and a UTC day (days since 1970-01-01). */
export interface CurrencyDay {
  readonly currency: string;
  readonly day: number;
}

export interface CurrencyRate extends CurrencyDay {
  /** Units of the currency that one euro was. */
  readonly perEuro: number;
}

/** The rate of each currency on its day, in their order: the latest on or before it; undefined where none is known. */
export async function findRates(pool: Pool, needs: readonly CurrencyDay[]): Promise<(number | undefined)[]> {
  const { rows } = await pool.query<{ per_euro: number | null }>(
    `SELECT found.per_euro
     FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS need (currency, day, place)
     LEFT JOIN LATERAL (
       SELECT per_euro FROM currency_rates r
       WHERE r.currency = need.currency AND r.day BETWEEN ${EPOCH} + need.day - $3::integer AND ${EPOCH} + need.day
       ORDER BY r.day DESC LIMIT 1
     ) found ON true
     ORDER BY need.place`,
    [needs.map(({ currency }) => currency), needs.map(({ day }) => day), MAX_RATE_AGE_DAYS],
  );
  return rows.map(({ per_euro }) => per_euro ?? undefined);
}

/** A rate as the decimal number that it was written as: a whole number and how many of its digits are decimals. */
function decimalOf(rate: number): [digits: bigint, decimals: number] {
  const [mantissa = "", exponent = "0"] = String(rate).split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return [BigInt(whole + fraction), fraction.length - Number(exponent)];
}

/**
 * An amount in another currency, rounded to the micro, halves away from zero; exact in between.
 * @param given units of its currency that one euro was. @param own those of the other one; undefined: not known.
 * @returns undefined where a rate is not known, or the amount does not fit into 64 bits.
 */
export function convertMicros(
  micros: bigint,
  given: number | undefined,
  own: number | undefined,
): bigint | undefined {
  if (given === undefined || own === undefined) return undefined;
  const [ownDigits, ownDecimals] = decimalOf(own);
  const [givenDigits, givenDecimals] = decimalOf(given);
  const shift = givenDecimals - ownDecimals;
  const top = micros * ownDigits * 10n ** BigInt(Math.max(shift, 0));
  const bottom = givenDigits * 10n ** BigInt(Math.max(-shift, 0));
  const half = top < 0n ? -bottom : bottom;
  // Division of whole numbers cuts off towards zero.
  const converted = (2n * top + half) / (2n * bottom);
  return converted > MAX_INT64 || converted < -MAX_INT64 ? undefined : converted;
}

const MAX_INT64 = 2n ** 63n - 1n;

/** Most rates of one statement. */
const CHUNK = 20_000;

/** Stores rates, all or none; a rate that is there already is replaced. */
export function saveRates(pool: Pool, rates: readonly CurrencyRate[]): Promise<void> {
  return transaction(pool, async (client) => {
    for (let at = 0; at < rates.length; at += CHUNK) {
      const chunk = rates.slice(at, at + CHUNK);
      await client.query(
        `INSERT INTO currency_rates (currency, day, per_euro)
         SELECT currency, ${EPOCH} + day, per_euro
         FROM unnest($1::text[], $2::integer[], $3::float8[]) AS r (currency, day, per_euro)
         ON CONFLICT (currency, day) DO UPDATE SET per_euro = excluded.per_euro`,
        [
          chunk.map(({ currency }) => currency),
          chunk.map(({ day }) => day),
          chunk.map(({ perEuro }) => perEuro),
        ],
      );
    }
  });
}
