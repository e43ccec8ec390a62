import { expect } from "vitest";
import type { Trial } from "../shop.ts";

const JSON_BODY = { "content-type": "application/json" };
const order = (id: string) => ({ id, revenueMicros: "50000000" });

/** What browsers, shops and SDKs write into an event. */
export const VALUES: readonly Trial[] = [
  {
    title: "half of an emoji in one event costs that text one character, and the others nothing",
    reported: "PostHog/posthog#9368; getsentry/sentry-javascript#20245",
    send: async (shop) => {
      const events = [
        '{"name":"page_view","visitorId":"a"}',
        '{"name":"page_view","visitorId":"b","properties":{"title":"Sale \\ud83d"}}',
        '{"name":"page_view","visitorId":"c"}',
      ];
      const answer = await shop.post(`{"events":[${events}]}`, JSON_BODY);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ accepted: 3, adjustments: [{ index: 1 }] });
    },
    check: async (shop) =>
      expect(
        await shop.rows("SELECT properties FROM events WHERE merchant_id = $1 AND properties IS NOT NULL"),
      ).toEqual([{ properties: { title: "Sale \ufffd" } }]),
  },
  {
    title: "orders with an address or a referrer of four thousand characters count",
    reported: "umami-software/umami#3919, #2260, #510: the visit must count",
    send: async (shop) => {
      const click = "E_C_P_".repeat(700);
      const landing = `https://shop.example/thanks?utm_source=tiktok&utm_medium=paid&ttclid=${click}`;
      const referrer = `https://m.baidu.com/from=844b?x=${"a".repeat(4_200)}`;
      const { body } = await shop.view(
        { name: "purchase", order: order("o1"), url: landing },
        { name: "purchase", order: order("o2"), referrer },
      );
      expect(body.accepted).toBe(2);
    },
    check: async (shop) => {
      expect(await shop.total("orders")).toBe(2);
      expect(await shop.by("source", "orders")).toEqual({ tiktok: 1, baidu: 1 });
    },
  },
  {
    title: "numbers, booleans and null are properties like texts",
    reported: "ProtoJSON; Umami's, PostHog's and GA4's trackers take them",
    send: async (shop) => {
      const { body } = await shop.view({}, { properties: { price: 12.5, member: true, ref: null } }, {});
      expect(body.accepted).toBe(3);
    },
    check: async (shop) =>
      expect(
        await shop.rows("SELECT properties FROM events WHERE merchant_id = $1 AND properties IS NOT NULL"),
      ).toEqual([{ properties: { price: 12.5, member: true } }]),
  },
  {
    title: "an order of 1,500,000,000 rial is an order",
    reported: "InvoiceShelf/InvoiceShelf#73; opencollective/opencollective#7093",
    merchant: { currency: "IRR", timeZone: "Asia/Tehran" },
    send: async (shop) => {
      const amount = { id: "o1", revenueMicros: "1500000000000000", currency: "IRR" };
      const { body } = await shop.send([{ name: "purchase", order: amount, visitorId: "v" }]);
      expect(body.accepted).toBe(1);
    },
    check: async (shop) => {
      expect(await shop.total("orders")).toBe(1);
      expect(await shop.total("revenue")).toBe(1_500_000_000_000_000);
    },
  },
  {
    title: "items with 127 Japanese or 120 Arabic letters keep their names",
    reported: "malnafei/thawani-pay-woocommerce#8: limits in bytes lose other scripts",
    send: async (shop) => {
      const item = (id: string, name: string) => ({ items: [{ id, name, priceMicros: "1000000" }] });
      const { body } = await shop.send([
        {
          name: "purchase",
          visitorId: "v",
          order: order("o1"),
          ...item("a", `${"送料無料限定".repeat(21)}品`),
        },
        { name: "purchase", visitorId: "v", order: order("o2"), ...item("b", "ساعة".repeat(30)) },
      ]);
      expect([body.accepted, body.adjustments]).toEqual([2, undefined]);
    },
    check: async (shop) => {
      expect(await shop.total("orders")).toBe(2);
      const names = await shop.by("item_name", "item_revenue");
      expect(
        Object.keys(names)
          .map((name) => [...name].length)
          .toSorted(),
      ).toEqual([120, 127]);
    },
  },
  {
    title: "a mail address is taken out of addresses within addresses, however often they are encoded",
    reported: "Automattic/wp-calypso#16318, #16905; docs/processing.md",
    send: async (shop) => {
      const queries = [
        "redirect_to=%2Fpost%3Femail%3Djane%40example.org",
        "redirect_to=%2Fa%3Fnext%3D%252Fb%253Femail%253Djane%2540example.org",
        "u=jane%252540example.org",
      ];
      const { body } = await shop.view(
        ...queries.map((query) => ({ url: `https://shop.example/login?${query}` })),
      );
      expect(body.accepted).toBe(3);
    },
    check: async (shop) => {
      const left =
        "SELECT url FROM events WHERE merchant_id = $1 AND (url || coalesce(referrer, '')) ILIKE '%jane%'";
      expect(await shop.rows(left)).toEqual([]);
      expect(await shop.by("page", "page_views")).toEqual({ "/login": 3 });
    },
  },
];
