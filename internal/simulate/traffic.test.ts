import { toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Event, EventSchema } from "../gen/footfall/event/v1/event_pb.js";
import { EVENTS_PER_VISIT } from "./funnel.ts";
import { goodsMicros } from "./order.ts";
import { busyness } from "./rhythm.ts";
import { historyTraffic, liveTraffic, type Traffic, type TrafficRequest } from "./traffic.ts";

const DAY_MS = 86_400_000;
const MONDAY = Date.UTC(2026, 2, 2);
const week = { seed: 9, merchants: 200, batch: 100, fromMs: MONDAY, toMs: MONDAY + 7 * DAY_MS };

function take(traffic: Traffic, events: number, nowMs = MONDAY): TrafficRequest[] {
  const requests: TrafficRequest[] = [];
  for (let count = 0; count < events; ) {
    const request = traffic.nextRequest(nowMs);
    if (request === undefined) break;
    requests.push(request);
    count += request.events.length;
  }
  return requests;
}

const all = (requests: TrafficRequest[]): Event[] => requests.flatMap(({ events }) => events);

function encoded(requests: TrafficRequest[]): string {
  return requests
    .map(({ merchant, events }) => {
      const bytes = events.map((event) => Buffer.from(toBinary(EventSchema, event)).toString("base64"));
      return `${merchant}: ${bytes.join()}`;
    })
    .join("\n");
}

describe("history", () => {
  const requests = take(historyTraffic({ ...week, events: 100_000 }), Number.POSITIVE_INFINITY);
  const events = all(requests);

  test("is the same to the byte for the same seed, and another for another", () => {
    const run = (seed: number) =>
      encoded(take(historyTraffic({ ...week, seed, events: 5_000 }), Number.POSITIVE_INFINITY));
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });

  test("comes to the events asked for, all within the span and spread over all of it", () => {
    expect(events.length).toBeLessThanOrEqual(100_000);
    expect(events.length).toBeGreaterThan(99_500);
    const times = events.map(({ clientTime }) => timestampMs(clientTime!));
    expect(Math.min(...times.slice(0, 1_000))).toBeLessThan(week.fromMs + DAY_MS / 24);
    const last = times.reduce((a, b) => Math.max(a, b));
    expect(last).toBeLessThan(week.toMs);
    expect(last).toBeGreaterThan(week.toMs - DAY_MS / 24);
  });

  test("is in the order of time for each merchant, and its ids carry the events' times", () => {
    const latest = new Map<number, number>();
    for (const { merchant, events } of requests) {
      for (const { clientTime, eventId } of events) {
        const timeMs = timestampMs(clientTime!);
        const idMs = Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16);
        if (timeMs < (latest.get(merchant) ?? 0) || idMs !== timeMs) expect.fail(`${timeMs}, id ${eventId}`);
        latest.set(merchant, timeMs);
      }
    }
  });

  test("says how far it is complete: what comes later is not older", () => {
    const traffic = historyTraffic({ ...week, events: 60_000 });
    let complete = Number.NEGATIVE_INFINITY;
    let advanced = 0;
    for (let request = traffic.nextRequest(0); request !== undefined; request = traffic.nextRequest(0)) {
      const oldest = timestampMs(request.events[0]!.clientTime!);
      if (oldest < complete) expect.fail(`${oldest} comes after ${complete} was complete`);
      if (traffic.completeBefore() > Math.max(complete, week.fromMs)) advanced++;
      complete = traffic.completeBefore();
    }
    expect(complete).toBe(Number.POSITIVE_INFINITY);
    expect(advanced).toBeGreaterThan(100);
  });

  test("follows the day of the merchant's time zone", () => {
    const traffic = historyTraffic({ ...week, events: 1_000 });
    const byHour = new Array<number>(24).fill(0);
    for (const { merchant, events } of requests) {
      const { timeZone } = traffic.shops.get(merchant).region;
      for (const { clientTime } of events) {
        const instant = Temporal.Instant.fromEpochMilliseconds(timestampMs(clientTime!));
        byHour[instant.toZonedDateTimeISO(timeZone).hour]!++;
      }
    }
    const night = byHour[2]! + byHour[3]! + byHour[4]!;
    const evening = byHour[19]! + byHour[20]! + byHour[21]!;
    expect(evening / night).toBeGreaterThan(6);
  });

  test("has long-tailed merchants: all of them are there, the largest has a sixth", () => {
    const counts = new Map<number, number>();
    for (const { merchant, events } of requests)
      counts.set(merchant, (counts.get(merchant) ?? 0) + events.length);
    expect(counts.size).toBe(200);
    expect(counts.get(0)! / events.length).toBeCloseTo(1 / 5.88, 1);
    const sorted = [...counts.values()].sort((a, b) => a - b);
    expect(sorted[100]! / counts.get(0)!).toBeLessThan(0.03);
  });
});

describe("the funnel", () => {
  const events = all(take(liveTraffic({ seed: 4, run: 1, merchants: 50, batch: 500 }), 300_000));
  const sessions = Map.groupBy(
    events.filter(({ sessionId }) => sessionId !== ""),
    ({ sessionId }) => sessionId,
  );
  const share = (name: string) =>
    [...sessions.values()].filter((visit) => visit.some((event) => event.name === name)).length /
    sessions.size;

  test("drops off as shops' do", () => {
    expect(share("page_view")).toBeGreaterThan(0.97);
    expect(share("view_item")).toBeGreaterThan(0.5);
    expect(share("add_to_cart")).toBeGreaterThan(0.05);
    expect(share("add_to_cart")).toBeLessThan(0.15);
    expect(share("begin_checkout")).toBeLessThan(share("add_to_cart") / 1.5);
    expect(share("purchase")).toBeGreaterThan(0.01);
    expect(share("purchase")).toBeLessThan(0.03);
  });

  test("has visitors who come back, and a few percent of crawlers", () => {
    const visitors = new Set(events.map(({ visitorId }) => visitorId));
    expect(sessions.size / visitors.size).toBeGreaterThan(1.2);
    const crawled = events.filter(({ sessionId }) => sessionId === "");
    expect(crawled.length / events.length).toBeGreaterThan(0.02);
    expect(crawled.length / events.length).toBeLessThan(0.08);
  });

  test("goes in order: a purchase follows the checkout, and its items are the cart's", () => {
    for (const visit of sessions.values()) {
      const names = visit.map(({ name }) => name);
      const bought = names.indexOf("purchase");
      if (bought < 0 || names[0] !== "page_view") continue;
      expect(names.lastIndexOf("purchase")).toBe(names.length - 1);
      expect(names.slice(0, bought)).toContain("begin_checkout");
      const put = visit.filter(({ name }) => name === "add_to_cart").flatMap(({ items }) => items);
      expect(visit[bought]!.items).toEqual(put);
    }
  });
});

test("an average visit is as long as the pace assumes", () => {
  const traffic = historyTraffic({ ...week, merchants: 1, events: 200_000 });
  const events = all(take(traffic, Number.POSITIVE_INFINITY));
  // Every visit, a crawler's too, lands once on a page that another site, or none, has sent it to.
  const host = traffic.shops.get(0).origin;
  const visits = events.filter((e) => e.name === "page_view" && !e.referrer.startsWith(host)).length;
  expect(Math.abs(events.length / visits / EVENTS_PER_VISIT - 1)).toBeLessThan(0.03);
});

test("live events happen now, and two runs of one seed share shops and visitors but no ids", () => {
  const run = (run: number) =>
    take(liveTraffic({ seed: 4, run, merchants: 20, batch: 50 }), 3_000, 5_000_001);
  const [first, second] = [run(1), run(2)];
  const ids = new Set([...all(first), ...all(second)].map(({ eventId }) => eventId));
  expect(ids.size).toBe(all(first).length + all(second).length);
  const names = (requests: TrafficRequest[]) => all(requests).map(({ visitorId, url }) => visitorId + url);
  expect(names(first).map((text) => text.replace(/gclid=[^&]+/, ""))).toEqual(
    names(second).map((text) => text.replace(/gclid=[^&]+/, "")),
  );
  expect(new Set(all(first).map(({ clientTime }) => timestampMs(clientTime!)))).toEqual(new Set([5_000_001]));
});

test("requests hold one merchant's events, at most the batch, and a slow rate is not held up for it", () => {
  const traffic = liveTraffic({ seed: 4, run: 1, merchants: 5, batch: 100, rate: 10 });
  const requests = take(traffic, 500);
  for (const { merchant, events } of requests) {
    expect(events.length).toBeLessThanOrEqual(100);
    const { origin } = traffic.shops.get(merchant);
    for (const { url } of events) expect(url.startsWith(`${origin}/`)).toBe(true);
  }
  expect(500 / requests.length).toBeLessThan(10);
});

test("every event is within the limits of the wire format, and its money adds up", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(1, 30, 1_000_000), (seed, merchants) => {
      const traffic = historyTraffic({ ...week, seed, merchants, events: 2_000 });
      for (const { merchant, events } of take(traffic, Number.POSITIVE_INFINITY)) {
        for (const event of events) {
          expectLimits(event);
          expectMoney(event, traffic.shops.get(merchant).region.currency);
        }
      }
    }),
    { numRuns: 20 },
  );
});

function expectLimits(event: Event): void {
  const within = (text: string, bytes: number) => {
    if (Buffer.byteLength(text) > bytes) throw new Error(`${text} is longer than ${bytes} bytes`);
  };
  within(event.eventId, 64);
  expect(event.name).toMatch(/^[a-z_]{1,64}$/);
  for (const text of [event.visitorId, event.sessionId]) within(text, 128);
  for (const text of [event.url, event.referrer]) within(text, 4_096);
  expect(new URL(event.url).protocol).toBe("https:");
  within(event.userAgent, 2_048);
  within(event.language, 35);
  for (const [key, value] of Object.entries(event.properties)) {
    within(key, 64);
    if (value.kind.case === "text") within(value.kind.value, 1_024);
  }
  expect(event.items.length).toBeLessThanOrEqual(200);
  for (const { id, name, brand, category, variant, quantityMicros } of event.items) {
    for (const text of [id, name, brand, category, variant]) within(text, 256);
    expect(id).not.toBe("");
    expect(quantityMicros > 0n).toBe(true);
  }
}

function expectMoney({ name, order, items }: Event, currency: string): void {
  expect(order !== undefined).toBe(name === "purchase");
  if (order === undefined) return;
  const { revenueMicros, discountMicros, shippingMicros, taxMicros } = order;
  expect(items.length).toBeGreaterThan(0);
  expect(revenueMicros).toBe(goodsMicros(items) - discountMicros + shippingMicros + taxMicros);
  expect(order.currency).toBe(currency);
  expect(discountMicros > 0n).toBe(order.coupon !== "");
  for (const amount of [revenueMicros, discountMicros, shippingMicros, taxMicros]) {
    expect(amount >= 0n && amount <= 10n ** 18n).toBe(true);
    expect(amount % (currency === "JPY" ? 1_000_000n : 10_000n)).toBe(0n);
  }
}

test("a shop is busy in its own evening, also over the change of the clocks", () => {
  const evening = (utc: number) => busyness(utc, "Europe/Berlin");
  expect(evening(Date.UTC(2026, 2, 28, 19))).toBeCloseTo(1.4 * 1.12);
  expect(evening(Date.UTC(2026, 2, 29, 18))).toBeCloseTo(1.4 * 1.25);
  expect(busyness(Date.UTC(2026, 2, 30, 14, 15), "Asia/Kathmandu")).toBeCloseTo(1.4);
});
