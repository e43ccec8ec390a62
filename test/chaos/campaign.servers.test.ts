import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import type { SentEvent } from "./ack-ledger.ts";
import { Campaign } from "./campaign.ts";
import { planRound } from "./planner.ts";
import { System } from "./system.ts";

const SEED = 11;

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let campaign: Campaign;
const signal = new AbortController().signal;

beforeAll(async () => {
  folder = await temporaryDirectory("chaos");
  const { path: dataDir } = folder;
  system = await System.create({ dataDir, logDir: join(dataDir, "logs"), onDeath: () => {} });
  await system.start();
  campaign = new Campaign(system, { seed: SEED, rate: 300, signal });
}, 120_000);

afterAll(async () => {
  await system?.close();
  await folder?.remove();
}, 60_000);

test("rounds of faults under load lose, double and change nothing", { timeout: 240_000 }, async () => {
  for (const round of [1, 2]) {
    const { faults, acked, problems } = await campaign.run(round);
    expect(faults).toEqual(planRound(SEED, round));
    expect(acked).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  }
  const { rows } = await system.pool.query(
    "SELECT count(*)::integer AS count FROM events WHERE merchant_id = ANY($1::integer[])",
    [campaign.ledger.merchantIds],
  );
  expect(rows[0].count).toBe(campaign.ledger.acked);
  expect(await campaign.finish()).toEqual({ stored: campaign.ledger.acked, problems: [] });
});

test("events that are lost, doubled or changed behind its back are found", { timeout: 120_000 }, async () => {
  // An event whose first answer was lost is a duplicate when it is sent again.
  const sent = campaign.ledger.merchantIds
    .flatMap((id) => [...campaign.ledger.of(id).values()])
    .filter(({ ack }) => ack?.status === "accepted");
  const [lost, doubled, changed] = sent as [SentEvent, SentEvent, SentEvent];
  const run = (sql: string, { merchantId, event }: SentEvent) =>
    system.pool.query(`${sql} WHERE merchant_id = $1 AND event_id = $2`, [merchantId, event.id]);
  await run("DELETE FROM events", lost);
  await run("INSERT INTO events SELECT * FROM events", doubled);
  await run("UPDATE events SET url = 'https://shop.example/other'", changed);
  // A merchant with one row too few and one too many must not pass for one with as many as it should have.
  const { problems } = await campaign.finish();
  const found = problems.filter(({ kind }) => kind !== "report");
  expect(found).toMatchObject([
    { kind: "lost", eventId: lost.event.id },
    { kind: "duplicated", eventId: doubled.event.id },
    { kind: "wrong", eventId: changed.event.id },
  ]);
  expect(found[0]!.message).toMatch(/answered accepted by collector-\d at .*; in batch .* of collector-\d/);
});
