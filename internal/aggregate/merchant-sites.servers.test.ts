import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { createMerchant } from "../store/merchants.ts";
import { MerchantSitesCache } from "./merchant-sites.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(4);
});
afterAll(() => database?.close());

test("merchants that say something of sites are known with hosts in one form, the others are not", async () => {
  const merchant = { name: "shop", timeZone: "UTC", currency: "EUR", retentionDays: 30 };
  const [one, other] = [
    await createMerchant(database.pool, merchant),
    await createMerchant(database.pool, merchant),
  ];
  await database.pool.query(
    "UPDATE merchants SET own_domains = $2, ignored_referrers = $3 WHERE merchant_id = $1",
    [one.merchantId, ["www.Checkout.example.", "bücher.example"], ["bank.example:443", "no host"]],
  );
  const sites = await new MerchantSitesCache(database.pool).all();
  expect(sites.get(one.merchantId)).toEqual({
    ownDomains: new Set(["checkout.example", "xn--bcher-kva.example"]),
    ignoredReferrers: new Set(["bank.example"]),
  });
  expect(sites.has(other.merchantId)).toBe(false);
});
