import { expect, test } from "vitest";
import { storage } from "./storage.ts";

interface Details {
  readonly loaded: number;
  readonly upkeep_rounds: number;
  readonly refresh_seconds_per_million: Readonly<Record<string, number>>;
  readonly bytes_per_event: { readonly events: { readonly rows: number; readonly columnstore: number } };
  readonly aggregates: { readonly totals_15m: { readonly rows: number } };
}

test("a small run: everything stored has a cost", { timeout: 240_000 }, async () => {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const result = await storage({ seconds: 0, events: 12_000, merchants: 8, days: 30, say });
  const { loaded, ...details } = result.details as unknown as Details;
  expect(loaded).toBeGreaterThan(11_000);
  // Some beside the loading, and the last.
  expect(details.upkeep_rounds).toBeGreaterThan(2);
  expect(details.refresh_seconds_per_million.totals_15m).toBeGreaterThan(0);
  expect(details.bytes_per_event.events.columnstore).toBeGreaterThan(16);
  const { rows, columnstore } = details.bytes_per_event.events;
  expect(rows).toBeGreaterThan(2 * columnstore);
  expect(result.figure).toBe(columnstore);
  expect(details.aggregates.totals_15m.rows).toBeGreaterThan(1_000);
});

test("what is to be kept needs a server that outlives the run", async () => {
  const run = storage({ seconds: 0, loaded: "some", say: () => {} });
  await expect(run).rejects.toThrow("loaded");
});
