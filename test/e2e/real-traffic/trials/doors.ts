import { expect } from "vitest";
import type { Trial } from "../shop.ts";

const JSON_BODY = { "content-type": "application/json" };

/** How browsers and proxies knock at the door. */
export const DOORS: readonly Trial[] = [
  {
    title: "a browser's beacon, text without a header of its own, is taken with the key in its body",
    reported: "Luracast/Restler#607; vesparny/fair-analytics#15; the Beacon standard",
    send: async (shop) => {
      const key = shop.merchant.writeKey;
      const body = JSON.stringify({ key, events: [{ name: "page_view", visitorId: "a" }] });
      const answer = await shop.post(body, { authorization: "", "content-type": "text/plain;charset=UTF-8" });
      expect(await answer.json()).toMatchObject({ accepted: 1 });
    },
    check: async (shop) => expect(await shop.total("page_views")).toBe(1),
  },
  {
    title: "JSON's media type is understood in every case and with a charset, quoted or not",
    reported: "RFC 9110, 8.3",
    send: async (shop) => {
      const types = ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"];
      for (const type of [...types, "Application/JSON", 'application/json; charset="utf-8"']) {
        const body = '{"events":[{"name":"page_view","visitorId":"a"}]}';
        expect(await (await shop.post(body, { "content-type": type })).json()).toMatchObject({ accepted: 1 });
      }
    },
    check: async (shop) => expect(await shop.total("page_views")).toBe(5),
  },
  {
    title: "a page whose tracing library adds traceparent may send",
    reported: "highlight/highlight#7893; opencomponents/oc#1406; the Fetch standard",
    send: async (shop) => {
      const asked = {
        origin: "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,traceparent",
      };
      const { status, headers } = await shop.post("", { authorization: "", ...asked }, "OPTIONS");
      const allowed = headers.get("access-control-allow-headers")?.toLowerCase().split(/,\s*/);
      expect(status).toBe(204);
      expect(allowed).toEqual(expect.arrayContaining(["authorization", "content-type", "traceparent"]));
    },
    check: async () => {},
  },
  {
    title: "a client's address comes with a port, in brackets or as the last of a list",
    reported: "PostHog/posthog#10111; rack/rack#1227; Azure's documentation",
    send: async (shop) => {
      for (const address of ["203.0.113.9:51008", "[2001:db8:1:2::9]:443", "198.51.100.1, 203.0.113.77"]) {
        const headers = { ...JSON_BODY, "x-forwarded-for": address };
        const answer = await shop.post('{"events":[{"name":"page_view","visitorId":"a"}]}', headers);
        expect(answer.status).toBe(200);
      }
    },
    check: async (shop) => {
      const rows = await shop.rows<{ ip: string }>(
        "SELECT ip FROM events WHERE merchant_id = $1 ORDER BY ip",
      );
      expect(rows.map(({ ip }) => ip)).toEqual(["2001:db8:1::", "203.0.113.0", "203.0.113.0"]);
    },
  },
  {
    title: "reports are had by GET, and gRPC-Web comes in base64",
    reported: "Connect's protocol, unary GET; grpc-web's default mode",
    send: async (shop) => {
      const { footfall, merchant } = shop;
      const message = { metrics: ["events"], period: { relative: { unit: "GRANULARITY_DAY", count: 1 } } };
      const query = `connect=v1&encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`;
      const url = `${footfall.queryUrl}/footfall.query.v1.QueryService/RunReport?${query}`;
      const report = await fetch(url, { headers: { authorization: `Bearer ${merchant.readKey}` } });
      expect([report.status, await report.json()]).toMatchObject([200, { table: { rowCount: 1 } }]);
      const text = { "content-type": "application/grpc-web-text" };
      expect((await shop.post("AAAAAAA=", text)).status).toBe(200);
      // Event {name: "page_view", visitor_id: "a"} in a SendRequest, in a frame of gRPC-Web.
      const event = Buffer.from("\x0a\x0e\x12\x09page_view\x22\x01a", "latin1");
      const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, event.length]), event]);
      const answer = await shop.post(frame.toString("base64"), text);
      expect(answer.headers.get("content-type")).toMatch(/^application\/grpc-web-text/);
      // Each part of an answer is encoded, and padded, by itself.
      const parts = (await answer.text()).match(/[^=]+=*/g) ?? [];
      expect(parts.map((part) => Buffer.from(part, "base64").toString("latin1")).join("")).toMatch(
        /grpc-status: ?0/,
      );
    },
    check: async (shop) => expect(await shop.total("page_views")).toBe(1),
  },
];
