import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { openGeoDatabase, placeOfRecord } from "./geo-database.ts";

const folder = mkdtempSync(join(tmpdir(), "footfall-geo-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("the database that comes with Footfall knows countries of truncated addresses, and no more", async () => {
  const placeOf = await openGeoDatabase(undefined);
  const country = (code: string) => ({ country: code, region: null, city: null });
  expect(placeOf("8.8.8.0")).toEqual(country("US"));
  expect(placeOf("130.237.218.0")).toEqual(country("SE"));
  expect(placeOf("2a01:4f8::")).toEqual(country("DE"));
  expect(placeOf("192.0.2.0")).toBeUndefined();
  expect(placeOf("no address")).toBeUndefined();
});

test("a missing file is named", async () => {
  const file = join(folder, "none.mmdb");
  await expect(openGeoDatabase(file)).rejects.toThrow(
    `GEOIP_DB: ${file} cannot be used as a MaxMind database: ENOENT`,
  );
});

test.each([
  ["text", Buffer.from("not a database")],
  ["nothing", Buffer.alloc(0)],
])("a file of %s is named", async (_, content) => {
  const file = join(folder, "bad.mmdb");
  writeFileSync(file, content);
  await expect(openGeoDatabase(file)).rejects.toThrow(
    `GEOIP_DB: ${file} cannot be used as a MaxMind database: `,
  );
});

test("another file is used when it is given", async () => {
  const other = import.meta.resolve(
    "@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country-ipv6.mmdb",
  );
  const placeOf = await openGeoDatabase(fileURLToPath(other));
  expect(placeOf("2a01:4f8::")?.country).toBe("DE");
});

test("regions and cities are taken from records that have them: MaxMind's and flat ones", () => {
  const zurich = { country: "CH", region: "Zurich", city: "Zürich" };
  const names = {
    country: { iso_code: "CH" },
    subdivisions: [{ names: { en: "Zurich" } }],
    city: { names: { en: "Zürich" } },
  };
  expect(placeOfRecord(names)).toEqual(zurich);
  expect(placeOfRecord({ country_code: "CH", state1: "Zurich", city: "Zürich" })).toEqual(zurich);
  expect(placeOfRecord({ country: { iso_code: "CH" } })).toEqual({ country: "CH", region: null, city: null });
  expect(placeOfRecord({})).toBeUndefined();
});
