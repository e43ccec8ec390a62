import { fileURLToPath } from "node:url";
import * as maxmind from "maxmind";
import { memo } from "../cache/memo.ts";
import { Failure } from "../failure/failure.ts";
import type { Place, StepContext } from "./steps/step.ts";

/** The country database that comes with Footfall. */
const DEFAULT = "@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb";

/** Addresses. 100,000 were no quicker where most are new, and each is kept as a string and a place. */
const CAPACITY = 20_000;

/** Records of MaxMind's databases and of those made like them: nested with names, or flat. */
export interface GeoRecord {
  readonly country?: { readonly iso_code?: string } | string;
  readonly country_code?: string;
  readonly subdivisions?: readonly { readonly names?: { readonly en?: string } }[];
  readonly state1?: string;
  readonly city?: { readonly names?: { readonly en?: string } } | string;
}

/**
 * Loads a database in MaxMind's format into memory. @param file undefined for the one that comes with Footfall.
 * @returns the place of an address, undefined where the database has none.
 * @throws Failure invalid, naming the file, when it is missing or no such database.
 */
export async function openGeoDatabase(file: string | undefined): Promise<StepContext["placeOf"]> {
  const path = file ?? fileURLToPath(import.meta.resolve(DEFAULT));
  try {
    const reader = await maxmind.open(path);
    return memo((address: string) => {
      const record = maxmind.validate(address) ? (reader.get(address) as GeoRecord | null) : null;
      return record === null ? undefined : placeOfRecord(record);
    }, CAPACITY);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("invalid", `GEOIP_DB: ${path} cannot be used as a MaxMind database: ${why}`, { cause });
  }
}

/** The place that a record tells; undefined without a country. */
export function placeOfRecord({
  country,
  country_code,
  subdivisions,
  state1,
  city,
}: GeoRecord): Place | undefined {
  const code = country_code ?? (typeof country === "string" ? country : country?.iso_code);
  if (code === undefined) return undefined;
  return {
    country: code,
    region: subdivisions?.[0]?.names?.en ?? state1 ?? null,
    city: (typeof city === "string" ? city : city?.names?.en) ?? null,
  };
}
