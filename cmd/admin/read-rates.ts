import { ConfigError } from "../../internal/config/config-error.ts";
import type { CurrencyRate } from "../../internal/store/currency-rates.ts";

const DAY_MS = 86_400_000;

/**
 * Reads currency rates in the form of the ECB's eurofxref-hist.csv: a head line "Date,USD,JPY,...", then a line a
 * day with the units of each currency that one euro was; N/A or nothing where there is none.
 * https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates
 * @throws ConfigError naming the line and the value.
 */
export function readRates(csv: string): CurrencyRate[] {
  const [head = "", ...lines] = csv.replace(/^\ufeff/, "").split(/\r?\n/);
  const [first, ...currencies] = fieldsOf(head);
  if (first !== "Date") throw new ConfigError(`line 1: begins with ${quoted(first)}, not with "Date"`);
  const wrong = currencies.find((code) => !/^([A-Z]{3})?$/.test(code));
  if (wrong !== undefined) throw new ConfigError(`line 1: ${quoted(wrong)} is no currency`);
  return lines.flatMap((line, index) =>
    line.trim() === "" ? [] : ratesOf(fieldsOf(line), currencies, index + 2),
  );
}

function ratesOf(
  [date, ...values]: readonly string[],
  currencies: readonly string[],
  number: number,
): CurrencyRate[] {
  const ms = /^\d{4}-\d\d-\d\d$/.test(date!) ? Date.parse(date!) : Number.NaN;
  if (Number.isNaN(ms)) throw new ConfigError(`line ${number}: ${quoted(date)} is no day such as 2026-03-29`);
  return currencies.flatMap((currency, at) => {
    const value = values[at] ?? "";
    if (currency === "" || value === "" || value === "N/A") return [];
    const perEuro = Number(value);
    if (!(perEuro > 0 && perEuro < Number.POSITIVE_INFINITY)) {
      throw new ConfigError(`line ${number}: ${currency}: ${quoted(value)} is no rate`);
    }
    return [{ currency, day: ms / DAY_MS, perEuro }];
  });
}

function fieldsOf(line: string): string[] {
  return line.split(",").map((field) => field.trim());
}

function quoted(value: string | undefined): string {
  return JSON.stringify((value ?? "").slice(0, 40));
}
