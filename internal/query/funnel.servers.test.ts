import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, refreshAggregates, type TestDatabase } from "../../test/kit/database.ts";
import { inSnapshot } from "../store/snapshot.ts";
import type { Column, Table } from "./question/answer.ts";
import type { FunnelQuestion } from "./question/funnel.ts";
import type { Merchant } from "./question/question.ts";
import { countFunnel } from "./run/count-funnel.ts";
import { readDataState } from "./run/data-state.ts";
import { readSize } from "./run/size.ts";
import { addMerchants } from "./testing/add-merchants.ts";
import { roundedValue } from "./testing/compare.ts";
import { eventsWithin } from "./testing/generate/events.ts";
import { funnelsAbout } from "./testing/generate/funnels.ts";
import { GOALS, OWN_FIELDS } from "./testing/generate/own-fields.ts";
import type { StoredEvent } from "./testing/naive/event.ts";
import { evaluateFunnel, type RightStep } from "./testing/naive/funnel.ts";
import { storeEvents } from "./testing/store-events.ts";

const FROM = Date.UTC(2025, 2, 3);
const TO = Date.UTC(2025, 4, 3);
const RUNS = Number(process.env.FOOTFALL_TEST_FUNNELS ?? 100);

const merchants: Merchant[] = [1, 2].map((merchantId) => ({
  ...{ merchantId, partitionId: 0, timeZone: "UTC", currency: "EUR" },
}));
/** The one with rollups. */
const LARGE = 2;

let database: TestDatabase;
let events: StoredEvent[];
beforeAll(async () => {
  database = await openTestDatabase(4);
  [events] = fc.sample(eventsWithin({ merchants: [1, 2], from: FROM, to: TO, sessions: 250 }), {
    numRuns: 1,
    seed: 19,
  }) as [StoredEvent[]];
  const large = new Map([[LARGE, FROM]]);
  await addMerchants(database.pool, [1, 2], large);
  await storeEvents(database.pool, events, large);
  await refreshAggregates(database.pool);
});
afterAll(() => database?.close());

const ask = (question: FunnelQuestion, sampleFromEvents?: number) => {
  const limits = { statementTimeoutMs: 30_000, sampleFromEvents };
  return inSnapshot(database.pool, limits, async (client) => {
    const { coverage } = await readDataState(client, [question]);
    const size = () => readSize(client, question, coverage);
    return countFunnel(client, question, { coverage, size }, limits);
  });
};

test("a random funnel over random events is answered as by trying all ways", async () => {
  let converted = 0;
  await fc.assert(
    fc.asyncProperty(funnelsAbout({ merchants, from: FROM, to: TO, ...OWN_FIELDS }), async (question) => {
      const { table, totals } = await ask(question);
      const right = evaluateFunnel(events, question, GOALS);
      expect(stepsIn(totals, question)).toEqual(right.totals.map((steps) => steps.map(rounded)));
      const funnels = right.funnels.flatMap(({ spans }) =>
        spans[0]!.map((_, step) => spans.map((steps) => rounded(steps[step]!))),
      );
      const found = stepsIn(table, question);
      expect(funnels.map((_, row) => found.map((span) => span[row]))).toEqual(funnels);
      expect(table.rows).toBe(funnels.length);
      if (question.breakdown !== undefined) {
        const values = right.funnels.flatMap(({ value, spans }) => spans[0]!.map(() => value));
        expect(columnOf(table, question.breakdown.name, 0).values.map(plain)).toEqual(values);
      }
      if (right.totals.some((steps) => steps.at(-1)!.visitors > 0)) converted++;
    }),
    { numRuns: RUNS, endOnFailure: process.env.FOOTFALL_TEST_SHRINK === undefined },
  );
  // It says something only where many go all the way.
  expect(converted).toBeGreaterThan(RUNS / 5);
}, 600_000);

function columnOf({ columns }: Table, name: string, span: number): Column {
  return columns.find((column) => column.name === name && column.span === span)!;
}

/** For each span the steps of all rows. */
function stepsIn(table: Table, { spans }: FunnelQuestion): RightStep[][] {
  return spans.map((_, span) => {
    const of = (name: string) => columnOf(table, name, span).values as readonly (bigint | number)[];
    const [visitors, conversion, stepConversion, dropOffs] = [
      "visitors",
      "conversion_rate",
      "step_conversion_rate",
      "drop_offs",
    ].map(of);
    const [revenue, median, p90] = ["revenue", "median_time", "p90_time"].map(of);
    return visitors!.map((_, row) =>
      rounded({
        visitors: Number(visitors![row]),
        conversion: Number(conversion![row]),
        stepConversion: Number(stepConversion![row]),
        dropOffs: Number(dropOffs![row]),
        revenue: revenue![row] as bigint,
        median: Number(median![row]),
        p90: Number(p90![row]),
      }),
    );
  });
}

function rounded(step: RightStep): RightStep {
  return Object.fromEntries(
    Object.entries(step).map(([name, value]) => [name, roundedValue(value)]),
  ) as unknown as RightStep;
}

function plain(value: unknown): unknown {
  return Number.isNaN(value) ? null : value;
}
