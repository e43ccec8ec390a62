import { expect } from "vitest";
import { minutesAgo, type Trial } from "../shop.ts";

const order = (id: string) => ({ id, revenueMicros: "50000000" });

/** What counts as an order, and what takes it back. */
export const ORDERS: readonly Trial[] = [
  {
    title: "a refund that a webhook tells twice counts once",
    reported: "edx/commerce-coordinator#243",
    send: async (shop) => {
      const told = { visitorId: "v", clientTime: minutesAgo(50), order: order("o1") };
      const refund = { name: "refund", ...told };
      const { body } = await shop.send([
        { name: "purchase", ...told, clientTime: minutesAgo(60) },
        refund,
        refund,
      ]);
      expect(body.accepted).toBe(3);
    },
    check: async (shop) => expect(await shop.total("revenue")).toBe(0),
  },
  {
    title: "names of events are understood in any case: a refund never adds revenue",
    reported: "GA4's reference of events; a refund must never add revenue",
    send: async (shop) => {
      const amount = (id: string, units: number) => ({ id, revenueMicros: `${units}000000` });
      const { body } = await shop.send([
        { name: "purchase", visitorId: "v", clientTime: minutesAgo(60), order: amount("o1", 30) },
        { name: "Refund", visitorId: "v", clientTime: minutesAgo(50), order: amount("r1", 30) },
        { name: "Begin_Checkout", visitorId: "v", clientTime: minutesAgo(60), order: amount("c1", 99) },
      ]);
      expect(body.accepted).toBe(3);
    },
    check: async (shop) => {
      expect([await shop.total("orders"), await shop.total("revenue")]).toEqual([1, 0]);
    },
  },
];
