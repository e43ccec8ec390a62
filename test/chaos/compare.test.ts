import { expect, test } from "vitest";
import { AckLedger } from "./ack-ledger.ts";
import { compareReport, compareRows } from "./compare.ts";
import { describeProblem } from "./problem.ts";
import { summarise } from "./result.ts";
import type { StoredRow } from "./stored.ts";
import { Traffic } from "./traffic.ts";

const MERCHANT = 7;
const NOW = Date.UTC(2026, 10, 23, 8);
const ACK = { timeMs: NOW, collector: "collector-2", status: "accepted" } as const;

/** A ledger of acked events of two merchants, and the rows that they make. */
function sentAndStored() {
  const ledger = new AckLedger();
  const traffic = new Traffic({ seed: 1, round: 1, sdk: 0, merchants: 2, isLate: false });
  const rows: StoredRow[] = [];
  for (let i = 0; i < 40; i++) {
    const { merchant, events } = traffic.next(NOW);
    for (const event of events) {
      const { id: eventId, name, url, timeMs = NOW, order } = event;
      const merchantId = MERCHANT + merchant;
      ledger.sent(merchantId, event);
      ledger.ack(merchantId, eventId, ACK);
      const ofOrder = { orderId: order?.id ?? null, revenueMicros: order?.revenueMicros ?? null };
      rows.push({ merchantId, eventId, name, url, timeMs, ...ofOrder });
    }
  }
  return { ledger, rows };
}

const { ledger, rows } = sentAndStored();
const compare = (stored: readonly StoredRow[]) => compareRows(ledger, [MERCHANT, MERCHANT + 1], stored);
const purchase = rows.findIndex(({ orderId }) => orderId !== null);

test("rows that are what was acked are no problem", () => {
  expect(rows.length).toBeGreaterThan(100);
  expect(ledger.acked).toBe(rows.length);
  expect(compare(rows)).toEqual([]);
});

test("a lost event is found, with its ack", () => {
  const [found, ...others] = compare(rows.slice(1));
  expect(others).toEqual([]);
  expect(found).toMatchObject({ kind: "lost", eventId: rows[0]!.eventId, merchantId: rows[0]!.merchantId });
  expect(describeProblem(found!)).toContain("answered accepted by collector-2 at 2026-11-23T08:00:00.000Z");
});

test("a doubled event is found", () => {
  const found = compare([...rows, rows[3]!]);
  expect(found).toMatchObject([{ kind: "duplicated", eventId: rows[3]!.eventId }]);
});

test.each([
  ["name", { name: "other" }],
  ["url", { url: "https://shop.example/other" }],
  ["order_id", { orderId: null }],
  ["order_revenue_micros", { revenueMicros: 1 }],
])("a row whose %s is not as it was sent is found", (field, change) => {
  const found = compare(rows.with(purchase, { ...rows[purchase]!, ...change }));
  expect(found).toMatchObject([{ kind: "wrong", eventId: rows[purchase]!.eventId }]);
  expect(found[0]!.message).toContain(field);
});

test("a row of another time is found, where the client gave one", () => {
  const found = compare(rows.map((row) => ({ ...row, timeMs: row.timeMs + 3_600_000 })));
  const timed = [MERCHANT, MERCHANT + 1].flatMap((id) => [...ledger.of(id).values()]);
  expect(found.length).toBe(timed.filter(({ event }) => event.timeMs !== undefined).length);
  expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(["wrong"]));
});

test("a row with another merchant is lost there and wrong here", () => {
  const other = { ...rows[0]!, merchantId: rows[0]!.merchantId === MERCHANT ? MERCHANT + 1 : MERCHANT };
  expect(
    compare(rows.with(0, other))
      .map(({ kind }) => kind)
      .sort(),
  ).toEqual(["lost", "wrong"]);
});

test("an event that was never acked may be stored or not, but not twice", () => {
  const { ledger: own, rows: stored } = sentAndStored();
  const late = new Traffic({ seed: 1, round: 1, sdk: 1, merchants: 1, isLate: true }).next(NOW).events[0]!;
  own.sent(MERCHANT, late);
  const { id: eventId, name, url } = late;
  const ofOrder = { orderId: late.order?.id ?? null, revenueMicros: late.order?.revenueMicros ?? null };
  const row = { merchantId: MERCHANT, eventId, name, url, timeMs: late.timeMs!, ...ofOrder };
  const kinds = (all: StoredRow[]) => compareRows(own, [MERCHANT, MERCHANT + 1], all).map(({ kind }) => kind);
  expect(kinds(stored)).toEqual([]);
  expect(kinds([...stored, row])).toEqual([]);
  expect(kinds([...stored, row, row])).toEqual(["duplicated"]);
});

test("a report that says something else than was acked is found", () => {
  const totals = ledger.totals(MERCHANT);
  expect(totals.orders).toBeGreaterThan(0);
  expect(totals.revenueMicros).toBeGreaterThan(0);
  expect(compareReport(MERCHANT, totals, totals)).toEqual([]);
  const told = { ...totals, events: totals.events - 1, revenueMicros: 0 };
  expect(compareReport(MERCHANT, totals, told).map(({ kind, message }) => `${kind} ${message}`)).toEqual([
    `report events ${totals.events - 1}, acked ${totals.events}`,
    `report revenueMicros 0, acked ${totals.revenueMicros}`,
  ]);
});

test("the result counts what was found in several rounds once", () => {
  const lost = { kind: "lost", merchantId: 1, eventId: "a", message: "" } as const;
  const totals = { rounds: 2, acked: 9, stored: 8 };
  expect(summarise(totals, [lost, lost, { kind: "stuck", message: "did not recover: nats-1" }])).toEqual({
    ...totals,
    lost: 1,
    duplicated: 0,
    report_mismatches: 0,
    other_problems: 1,
  });
});
