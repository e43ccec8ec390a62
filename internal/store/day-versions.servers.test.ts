import { expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { Erasing } from "./erasure/testing/erasing.ts";
import { DAY, NOON, shopEvents, store } from "./erasure/testing/shops.ts";
import { expire } from "./maintenance/retention.ts";

const erasing = new Erasing();

/** A digest of the rows of each day. */
async function days(): Promise<Map<string, string>> {
  const rows = await erasing.query<{ day: string; digest: string }>(
    `SELECT day::text, md5(string_agg(line, ',' ORDER BY line)) AS digest
     FROM (
       SELECT (ts AT TIME ZONE 'UTC')::date AS day, e::text AS line FROM events e
       UNION ALL SELECT (ts AT TIME ZONE 'UTC')::date, i::text FROM items i
     ) lines GROUP BY day`,
  );
  return new Map(rows.map(({ day, digest }) => [day, digest]));
}

/** An early day that has no rows, whose version rises where it changes who is new on all later ones. */
const BEFORE_ALL = "1970-01-01";

async function versions(): Promise<Map<string, bigint>> {
  const rows = await erasing.query<{ day: string; version: string }>(
    "SELECT day::text, version FROM day_versions WHERE partition_id = 0 AND day <> $1",
    [BEFORE_ALL],
  );
  return new Map(rows.map(({ day, version }) => [day, BigInt(version)]));
}

/** What is in one map and not, or otherwise, in the other. */
function changed<V>(before: ReadonlyMap<string, V>, after: ReadonlyMap<string, V>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((day) => before.get(day) !== after.get(day))
    .sort();
}

/** Does something that changes rows; the versions of exactly their days rise. @returns how many days these are. */
async function expectRaised(change: () => Promise<unknown>): Promise<number> {
  const [rows, known] = [await days(), await versions()];
  await change();
  const [rowsNow, knownNow] = [await days(), await versions()];
  expect(changed(known, knownNow)).toEqual(changed(rows, rowsNow));
  for (const [day, version] of known) expect(knownNow.get(day)).toBeGreaterThanOrEqual(version);
  return changed(rows, rowsNow).length;
}

test("whoever changes rows of a day raises its version: commits, sessions that are joined, erasure, retention", async () => {
  const events = shopEvents(240);
  const [some, rest] = [events.filter((_, at) => at % 2 === 0), events.filter((_, at) => at % 2 === 1)];
  expect(await expectRaised(() => store(erasing.pool, some))).toBeGreaterThan(3);
  expect(await expectRaised(() => store(erasing.pool, rest))).toBeGreaterThan(3);
  expect(await expectRaised(() => store(erasing.pool, rest))).toBe(0);
  // An event between two sessions makes one of them: rows of the day after it change, too.
  const at = (ts: number) => eventRow({ merchant_id: 2, visitor_id: 99n, session_id: 0n, ts });
  const midnight = NOON - DAY / 2;
  const commit = (...times: number[]) => commitNext(erasing.pool, [batchOf(times.map(at))]);
  expect(await expectRaised(() => commit(midnight - 1_000_000, midnight + 1_000_000))).toBe(2);
  expect(await expectRaised(() => commit(midnight - 1))).toBe(2);
  expect(await expectRaised(() => erasing.erase(1, 4n))).toBeGreaterThan(1);
  expect(await erasing.query("SELECT FROM day_versions WHERE day = $1", [BEFORE_ALL])).toHaveLength(1);
  await erasing.query("UPDATE merchants SET retention_days = 20 + merchant_id");
  const expired = () => expire(erasing.pool, NOON + 20 * DAY);
  expect(await expectRaised(expired)).toBeGreaterThan(0);
  expect(await expectRaised(() => erasing.erase(1))).toBeGreaterThan(0);
});
