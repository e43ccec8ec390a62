import fc from "fast-check";
import { expect, test } from "vitest";
import { sqlOf } from "../../store/report/sql.ts";
import { METRICS, type MetricName, metricOf } from "../metrics/registry.ts";
import { planReport } from "./plan.ts";

const QUARTERS = [0, 900_000, 5_400_000];
const MINUTES = [0, 60_000, 120_000];
const shown = (edges: number[], names: MetricName[]) =>
  planReport(edges, names).map(({ shape, source, columns }) => [shape, source, columns.map((c) => c.name)]);

test("additive metrics come from the aggregate when every edge is a quarter hour", () => {
  expect(shown(QUARTERS, ["revenue", "events"])).toEqual([["additive", "totals_15m", ["revenue", "events"]]]);
});

test("one edge within a quarter hour sends all of them to the raw events", () => {
  expect(shown([0, 900_000, 960_000], ["events"])).toEqual([["additive", "events", ["events"]]]);
  expect(shown([-60_000, 0], ["events"])).toEqual([["additive", "events", ["events"]]]);
});

test("distinct metrics are counted from raw events, in one statement", () => {
  expect(shown(QUARTERS, ["visitors", "orders", "sessions"])).toEqual([
    ["additive", "totals_15m", ["orders"]],
    ["distinct", "events", ["visitors", "sessions"]],
  ]);
  expect(shown(MINUTES, ["visitors"])).toEqual([["distinct", "events", ["visitors"]]]);
});

test("every plan answers each metric once, with SQL that can be built", () => {
  const names = Object.keys(METRICS) as MetricName[];
  fc.assert(
    fc.property(fc.subarray(names), fc.constantFrom(QUARTERS, MINUTES), (asked, edges) => {
      const plan = planReport(edges, asked);
      expect(plan.flatMap((statement) => statement.columns.map((column) => column.name)).sort()).toEqual(
        [...asked].sort(),
      );
      for (const statement of plan) {
        expect(sqlOf(statement)).toContain("merchant_id = $1");
        const kinds = statement.columns.map((column) => metricOf(column.name as MetricName).kind);
        expect(new Set(kinds)).toEqual(new Set([statement.shape]));
      }
    }),
  );
});

const DAY = 86_400_000;
const MONTHS = [0, 31 * DAY, 59 * DAY];

test("distinct metrics of a merchant with rollups come from sessions", () => {
  const shown = (edges: number[], readyFrom: number | undefined) =>
    planReport(edges, ["visitors", "sessions"], readyFrom).map(({ shape, source, columns }) => [
      shape,
      source,
      columns.length,
    ]);
  expect(shown(MONTHS, 0)).toEqual([["distinct", "sessions_15m", 2]]);
  expect(shown(MONTHS, 58 * DAY)).toEqual([["distinct", "sessions_15m", 2]]);
  // Before the rollups, without them, and where an edge cuts a quarter hour.
  expect(shown(MONTHS, 59 * DAY)).toEqual([["distinct", "events", 2]]);
  expect(shown(MONTHS, undefined)).toEqual([["distinct", "events", 2]]);
  expect(shown([...MONTHS, 90 * DAY + 1], 0)).toEqual([["distinct", "events", 2]]);
});
