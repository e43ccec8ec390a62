import { expect } from "vitest";
import { CHROME, type Trial } from "../shop.ts";

const stamp = (minutes: number) => {
  const [, day, month, year, time] = /(\d+) (\w+) (\d+) ([\d:]+)/.exec(
    new Date(Date.now() - minutes * 60_000).toUTCString(),
  )!;
  return `[${day}/${month}/${year}:${time} +0000]`;
};

/** What web servers write. */
export const LOGS: readonly Trial[] = [
  {
    title: "nginx's packaged format, with X-Forwarded-For behind the agent",
    reported: "allinurl/goaccess#1864, #20; fluent/fluentd#1303; nginx.conf of nginx.org's packages",
    send: async (shop) => {
      const summary = await shop.log([
        `198.51.100.7 - - ${stamp(120)} "GET / HTTP/1.1" 200 612 "-" "${CHROME}" "-"`,
        `198.51.100.8 - - ${stamp(120)} "GET /p HTTP/2.0" 200 612 "https://www.example.com/" "${CHROME}" "203.0.113.9"`,
      ]);
      expect(summary).toMatchObject({ accepted: 2, rejected: 0 });
    },
    check: async (shop) => expect(await shop.total("page_views")).toBe(2),
  },
  {
    title: "Apache's vhost_combined, with host and port in front",
    reported: "allinurl/goaccess#1542; Debian's apache2.conf",
    send: async (shop) => {
      const line = `shop.example:443 198.51.100.7 - - ${stamp(120)} "GET / HTTP/1.1" 200 612 "-" "${CHROME}"`;
      expect(await shop.log([line])).toMatchObject({ accepted: 1, rejected: 0 });
    },
    check: async (shop) => expect(await shop.by("host", "page_views")).toEqual({ "shop.example": 1 }),
  },
  {
    title: "combined with more fields behind it",
    reported: "allinurl/goaccess#1066",
    send: async (shop) => {
      const line = `198.51.100.7 - - ${stamp(120)} "GET / HTTP/1.1" 200 612 "-" "${CHROME}" 0.012 10.0.0.2:8080 0.011 .`;
      expect(await shop.log([line])).toMatchObject({ accepted: 1, rejected: 0 });
    },
    check: async (shop) => expect(await shop.total("page_views")).toBe(1),
  },
  {
    title: "a request of HTTP/0.9 is a request, a connection that timed out is none",
    reported: "allinurl/goaccess#1542; RFC 1945",
    send: async (shop) => {
      const lines = [
        `198.51.100.7 - - ${stamp(120)} "GET /" 200 23287 "-" "-"`,
        `198.51.100.7 - - ${stamp(120)} "-" 408 0 "-" "-"`,
      ];
      expect(await shop.log(lines)).toMatchObject({ accepted: 1, rejected: 1 });
    },
    check: async (shop) => expect(await shop.total("page_views")).toBe(1),
  },
];
