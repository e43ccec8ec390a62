import { timestampMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { LineReader } from "./line-reader.ts";
import { isPage } from "./page.ts";
import { type LinePosition, loggedEvent } from "./to-event.ts";

const options = { merchant: "m1", site: "https://shop.example" };
const text =
  '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 512 "-" "Mozilla/5.0 \\"x\\""';
const position: LinePosition = { file: "f1", offset: 120, text };

function requestOf(line: string) {
  const parsed = new LineReader({ format: "auto" }).read(line);
  if (!parsed?.ok) throw new Error(parsed?.reason);
  return parsed.request;
}

function eventOf(line: string) {
  return loggedEvent(requestOf(line), { ...position, text: line }, options);
}

const textOf = (value: string) => ({ kind: { case: "text", value } });

test("a page that was seen is a page_view", () => {
  const event = eventOf(text);
  expect(event).toMatchObject({
    name: "page_view",
    url: "https://shop.example/a?b=c",
    referrer: "",
    userAgent: 'Mozilla/5.0 "x"',
    ip: "203.0.113.9",
    visitorId: "",
    properties: {
      http_method: textOf("GET"),
      http_status: textOf("200"),
      http_bytes: textOf("512"),
      http_protocol: textOf("HTTP/1.1"),
    },
  });
  expect(timestampMs(event.clientTime!)).toBe(Date.UTC(2015, 4, 17, 10, 5, 3));
});

test.each([
  ["GET", 200, "page_view"],
  ["GET", 304, "page_view"],
  ["GET", 301, "http_request"],
  ["GET", 404, "http_request"],
  ["GET", 500, "http_request"],
  ["HEAD", 200, "http_request"],
  ["POST", 200, "http_request"],
])("%s answered %i is a %s", (method, status, name) => {
  expect(eventOf(text.replace("GET", method).replace(" 200 ", ` ${status} `)).name).toBe(name);
});

test("an absolute target is its own address, and * is none", () => {
  expect(eventOf(text.replace("/a?b=c", "http://other.example/x")).url).toBe("http://other.example/x");
  expect(eventOf(text.replace("GET /a?b=c", "OPTIONS *")).url).toBe("");
});

test("the host that a line tells comes before the site's, and one that cannot be does not", () => {
  const url = (host: string) => eventOf(`${host} ${text}`).url;
  expect(url("other.example:443")).toBe("https://other.example/a?b=c");
  expect(url("other.example:80")).toBe("http://other.example/a?b=c");
  expect(url("other.example:8080")).toBe("https://other.example:8080/a?b=c");
  expect(url("other.example")).toBe("https://other.example/a?b=c");
  expect(url("[2001:db8::1]:443")).toBe("https://[2001:db8::1]/a?b=c");
  expect(url("_")).toBe("https://shop.example/a?b=c");
});

test.each([
  ["no HTTP", "GET /a?b=c HTTP/1.1", String.raw`\x16\x03\x01`],
  ["a proxy's request", "GET /a?b=c", "CONNECT shop.example:443"],
  ["an address that is none", "GET /a?b=c", "GET http://[x"],
  ["no status", " 200 ", " - "],
])("%s is a request and no page", (_, part, other) => {
  expect(eventOf(text.replace(part, () => other)).name).toBe("http_request");
});

describe("pages", () => {
  test.each([
    "/",
    "/shop/",
    "/about",
    "/index.html",
    "/p.PHP?id=1",
    "/release/1.2.3",
    "/users/jane.doe",
    "/search?q=a.png",
    "/x?page=/robots.txt",
    "http://shop.example",
    "/a#b.css",
    "/feedback",
    "/?feedback=1",
    "/post.html?source=rss20",
  ])("%s is one", (target) => expect(isPage(target)).toBe(true));

  test.each([
    "/logo.png",
    "/LOGO.PNG?v=3",
    "/app.js",
    "/style.css",
    "/favicon.ico",
    "/f.woff2",
    "/robots.txt",
    "/sitemap.xml",
    "/feed",
    "/blog/feed/",
    "/blog/atom.xml",
    "/?flav=rss20",
    "/?feed=comments",
    "/.well-known/security",
    "*",
    "manual.pdf",
  ])("%s is none", (target) => expect(isPage(target)).toBe(false));
});

describe("the event's id", () => {
  const id = (changes: Partial<LinePosition & typeof options & { server: string }> = {}) => {
    const line = { ...position, ...changes };
    return loggedEvent(requestOf(line.text), line, { ...options, ...changes }).eventId;
  };

  test("is a UUIDv7 of the line's time, the same each time, and does not change with new releases", () => {
    expect(id()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const time = Date.UTC(2015, 4, 17, 10, 5, 3).toString(16).padStart(12, "0");
    expect(id()).toContain(`${time.slice(0, 8)}-${time.slice(8)}-`);
    expect(id()).toBe(id());
    expect(id({ site: "https://renamed.example" })).toBe(id());
    expect(id()).toBe("014d6155-8098-72c2-b2f5-e3838650f879");
  });

  test("differs by merchant, server, file, place and text", () => {
    const ids = [
      id(),
      id({ merchant: "m2" }),
      id({ server: "web-2" }),
      id({ file: "f2" }),
      id({ offset: 121 }),
      id({ text: text.replace("512", "513") }),
    ];
    expect(new Set(ids).size).toBe(6);
  });
});
