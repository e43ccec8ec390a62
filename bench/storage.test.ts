import { expect, test } from "vitest";
import { storage } from "./storage.ts";

test("a small run: what the product answers is what plain SQL says, and everything has a cost", {
  timeout: 240_000,
}, async () => {
  const said: string[] = [];
  const result = await storage({
    seconds: 0,
    events: 12_000,
    merchants: 20,
    days: 30,
    say: (text) => said.push(text),
  });
  // The questions that disagree throw.
  expect(result.figure).toBeGreaterThan(0);
  const { loaded, bytes_per_event, aggregates, questions_ms } = result.details as {
    loaded: number;
    bytes_per_event: { events: { rows: number; columnstore: number } };
    aggregates: { totals_15m: { rows: number; bytesPerRow: number } };
    questions_ms: object[];
  };
  expect(loaded).toBeGreaterThan(11_000);
  expect(bytes_per_event.events.columnstore).toBeGreaterThan(16);
  expect(bytes_per_event.events.rows).toBeGreaterThan(2 * bytes_per_event.events.columnstore);
  expect(aggregates.totals_15m.rows).toBeGreaterThan(1_000);
  expect(questions_ms).toHaveLength(10);
});
