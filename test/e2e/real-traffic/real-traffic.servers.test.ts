import { afterAll, beforeAll, describe, test } from "vitest";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../../kit/installation.ts";
import { grpcQueryClient } from "../../kit/installation-clients.ts";
import { waitUntilReported } from "../../kit/installation-reports.ts";
import { Shop, type Trial } from "./shop.ts";
import { DOORS } from "./trials/doors.ts";
import { LOGS } from "./trials/logs.ts";
import { ORDERS } from "./trials/orders.ts";
import { PERSONS } from "./trials/people.ts";
import { SOURCES } from "./trials/sources.ts";
import { VALUES } from "./trials/values.ts";

const TRIALS = {
  "where visits come from": SOURCES,
  "who is a person, and on what": PERSONS,
  values: VALUES,
  doors: DOORS,
  orders: ORDERS,
  logs: LOGS,
};

let footfall: TestInstallation;
beforeAll(async () => {
  footfall = await startTestInstallation({ env: { FOOTFALL_COLLECTOR_CLIENT_IP_HEADER: "x-forwarded-for" } });
});
afterAll(() => footfall?.close());

async function run({ merchant, send, check }: Trial): Promise<void> {
  const shop = new Shop(footfall, await createTestMerchant(footfall.pool, merchant));
  await send(shop);
  await waitUntilReported(grpcQueryClient(footfall.queryUrl), shop.merchant, Date.now());
  await check(shop);
}

describe.each(Object.entries(TRIALS))("%s", (_, trials) => {
  test.each(trials)("$title", run);
});
