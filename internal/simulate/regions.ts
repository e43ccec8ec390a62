import { Weighted } from "./random.ts";

/** Where a shop sells: what its prices, addresses and customers are like. */
export interface Region {
  /** IANA time zone. */
  readonly timeZone: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Smallest amount that can be paid, micros: 10,000 is a cent. */
  readonly minorUnitMicros: number;
  /** Price level against the euro. */
  readonly priceLevel: number;
  /** Added to the price, thousandths. */
  readonly taxPermille: number;
  /** Top level domain of its shops. */
  readonly domain: string;
  readonly languages: Weighted<string>;
}

const CENT = 10_000;
const WHOLE = 1_000_000;

type Row = [timeZone: string, currency: string, level: number, tax: number, domain: string, tags: string];

function region([timeZone, currency, priceLevel, taxPermille, domain, tags]: Row): Region {
  // Most visitors speak the shop's own language; English and a few others come from abroad.
  const home = tags.split(" ").map((tag, index) => [tag, index === 0 ? 80 : 12] as const);
  const abroad = ["en-US", "de-DE", "fr-FR", "zh-CN", "es-ES"].map((tag) => [tag, 2] as const);
  const minorUnitMicros = currency === "JPY" || currency === "KRW" ? WHOLE : CENT;
  const languages = new Weighted([...home, ...abroad]);
  return { timeZone, currency, minorUnitMicros, priceLevel, taxPermille, domain, languages };
}

/** The regions with their share of shops; half-hour zones, southern and no-DST zones among them. */
export const REGIONS: readonly (readonly [Region, number])[] = [
  [region(["America/New_York", "USD", 1.1, 70, "com", "en-US es-US"]), 22],
  [region(["Europe/Berlin", "EUR", 1, 190, "de", "de-DE en-GB"]), 15],
  [region(["Europe/London", "GBP", 0.86, 200, "co.uk", "en-GB"]), 12],
  [region(["America/Los_Angeles", "USD", 1.1, 95, "com", "en-US es-US zh-TW"]), 10],
  [region(["Europe/Paris", "EUR", 1, 200, "fr", "fr-FR en-GB"]), 9],
  [region(["America/Sao_Paulo", "BRL", 5.4, 120, "com.br", "pt-BR"]), 7],
  [region(["Asia/Tokyo", "JPY", 160, 100, "jp", "ja-JP"]), 7],
  [region(["Asia/Kolkata", "INR", 60, 180, "in", "en-IN hi-IN"]), 6],
  [region(["Europe/Warsaw", "PLN", 4.3, 230, "pl", "pl-PL"]), 4],
  [region(["Australia/Sydney", "AUD", 1.6, 100, "com.au", "en-AU"]), 4],
  [region(["America/Mexico_City", "MXN", 18, 160, "mx", "es-MX"]), 3],
  [region(["Asia/Kathmandu", "NPR", 110, 130, "com.np", "ne-NP en-GB"]), 1],
];
