import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientFinder } from "../client-address/trusted-proxies.ts";
import { LineReader } from "./line-reader.ts";
import type { LoggedRequest } from "./request.ts";

const TIME = "17/May/2015:10:05:03 +0000";
const TIME_MS = Date.UTC(2015, 4, 17, 10, 5, 3);
const LINE = `203.0.113.9 - - [${TIME}] "GET /a?b=c HTTP/1.1" 200 512 "https://x.example/" "Mozilla/5.0"`;

function read(line: string, format = "auto") {
  return new LineReader({ format }).read(line);
}

function requestOf(line: string, format = "auto"): LoggedRequest {
  const result = read(line, format);
  if (result === undefined || !result.ok) throw new Error(result?.reason ?? "no line");
  return result.request;
}

function reasonOf(line: string, format = "auto"): string {
  const result = read(line, format);
  return result === undefined || result.ok ? "" : result.reason;
}

test("all fields are read", () => {
  expect(requestOf(LINE)).toEqual({
    ip: "203.0.113.9",
    timeMs: TIME_MS,
    method: "GET",
    target: "/a?b=c",
    protocol: "HTTP/1.1",
    status: 200,
    bytes: 512,
    referrer: "https://x.example/",
    userAgent: "Mozilla/5.0",
  });
  for (const end of ["\n", "\r\n"]) expect(requestOf(LINE + end)).toEqual(requestOf(LINE));
  expect(requestOf(`\ufeff${LINE}`)).toEqual(requestOf(LINE));
  expect(requestOf(`\0\0\0${LINE}`)).toEqual(requestOf(LINE));
});

test.each(["", "   ", "\r\n", "#Software: x"])("%j is no line", (line) => expect(read(line)).toBeUndefined());

describe("clients", () => {
  const client = (text: string) => requestOf(LINE.replace("203.0.113.9", text)).ip;
  test.each([
    ["2001:db8::7", "2001:db8::7"],
    ["203.0.113.9, 10.0.0.1", "203.0.113.9"],
    ["unknown, 203.0.113.9,10.0.0.1, 192.168.1.1", "203.0.113.9"],
    ["198.51.100.1, 203.0.113.9", "203.0.113.9"],
    ["10.0.0.1", "10.0.0.1"],
    ["203.0.113.9:4711", "203.0.113.9"],
    ["[2001:db8::7]:4711", "2001:db8::7"],
    ["host.example.net", undefined],
    ["p5483a.dip0.t-ipconnect.de", undefined],
    ["192.168.1.x", undefined],
    ["-", undefined],
  ])("%s is %s", (text, ip) => expect(client(text)).toBe(ip));

  test.each(["999.1.1.1", "a;b", "<script>"])("%s is none", (text) => {
    expect(reasonOf(LINE.replace("203.0.113.9", text))).not.toBe("");
  });

  // nginx's real_ip_recursive, with the private networks as the trusted ones.
  test.each([
    ["203.0.113.9", "198.51.100.2", "203.0.113.9"],
    ["10.0.0.3", "198.51.100.2", "198.51.100.2"],
    ["10.0.0.3", "192.0.2.66, 198.51.100.2, 10.9.9.9", "198.51.100.2"],
    ["unix:", "198.51.100.2", "198.51.100.2"],
    ["10.0.0.3", "-", "10.0.0.3"],
    ["::1", "2001:db8::9", "2001:db8::9"],
  ])("%s with %s forwarded is %s", (peer, forwarded, ip) => {
    expect(requestOf(`${LINE.replace("203.0.113.9", peer)} "${forwarded}"`).ip).toBe(ip);
  });
});

test("with a number of proxies trusted, the address that the outermost of them saw counts", () => {
  const findClient = clientFinder("x-forwarded-for", { hops: 2 });
  const line = `${LINE.replace("203.0.113.9", "198.51.100.9")} "192.0.2.66, 203.0.113.9, 198.51.100.2"`;
  const read = new LineReader({ format: "main", findClient }).read(line);
  expect(read).toMatchObject({ ok: true, request: { ip: "203.0.113.9" } });
});

describe("requests", () => {
  const request = (text: string) => {
    const { method, target, protocol } = requestOf(LINE.replace("GET /a?b=c HTTP/1.1", () => text));
    return [method, target, protocol];
  };
  test.each([
    ["GET /", ["GET", "/", "HTTP/0.9"]],
    ["GET /a b  c HTTP/1.1", ["GET", "/a b  c", "HTTP/1.1"]],
    ["GET http://shop.example/ HTTP/1.1", ["GET", "http://shop.example/", "HTTP/1.1"]],
    ["CONNECT shop.example:443 HTTP/1.1", ["CONNECT", "shop.example:443", "HTTP/1.1"]],
    ["OPTIONS * HTTP/1.0", ["OPTIONS", "*", "HTTP/1.0"]],
    ["GET /h2 HTTP/2.0", ["GET", "/h2", "HTTP/2.0"]],
    [String.raw`GET /\x22q\x22 HTTP/1.1`, ["GET", '/"q"', "HTTP/1.1"]],
    [String.raw`GET /\"q\" HTTP/1.1`, ["GET", '/"q"', "HTTP/1.1"]],
    ['GET /"raw" HTTP/1.1', ["GET", '/"raw"', "HTTP/1.1"]],
    [String.raw`\x16\x03\x01\x02`, [undefined, undefined, undefined]],
    ["quit", [undefined, undefined, undefined]],
    ["SSH-2.0-Go", [undefined, undefined, undefined]],
  ])("%s", (text, parts) => expect(request(text)).toEqual(parts));

  test.each(["-", ""])("%j is none: nothing came", (text) => {
    expect(reasonOf(LINE.replace("GET /a?b=c HTTP/1.1", text))).toBe(
      "no request came: the client timed out or hung up",
    );
  });
});

test.each(["-", "0", "000"])("a status of %s is none: the client was gone", (status) => {
  expect(requestOf(LINE.replace("200", status)).status).toBeUndefined();
});

test("a user with blanks and a leap second are read", () => {
  const line = `2001:db8::7 - jane q. doe [30/Jun/2015:23:59:60 +0000] "GET / HTTP/1.0" 204 - "-" "-"`;
  const request = requestOf(line);
  expect(request).toMatchObject({ ip: "2001:db8::7", timeMs: Date.UTC(2015, 6, 1) });
  for (const field of ["bytes", "referrer", "userAgent", "host"] as const)
    expect(request[field]).toBeUndefined();
});

describe("escapes", () => {
  const agent = (field: string) => requestOf(LINE.replace("Mozilla/5.0", () => field)).userAgent;

  test.each([
    [String.raw`say \"hi\" \\o/`, String.raw`say "hi" \o/`],
    [String.raw`nginx \x22hi\x22`, 'nginx "hi"'],
    [String.raw`caf\xc3\xa9 \xE2\x82\xAC`, "café €"],
    ["already café", "already café"],
    ['raw"quote', 'raw"quote'],
  ])("%s", (written, meant) => expect(agent(written)).toBe(meant));

  test.each([
    String.raw`\xe4\xe5 is not UTF-8`,
    String.raw`nul \x00`,
    String.raw`line\nbreak`,
    String.raw`\q`,
  ])("%s stays as it is", (written) => expect(agent(written)).toBe(written));
});

test.each([
  ["hello", "no known format"],
  [LINE.slice(0, -1), "no known format"],
  [`${LINE}extra`, "no known format"],
  [LINE.replace("17/May", "31/Feb"), "no known format"],
  [LINE.replace("200", "999"), 'status is not within 100 to 599: "999"'],
])("%j is refused: %s", (line, reason) => expect(reasonOf(line)).toContain(reason));

test("a reason shows no address", () => {
  expect(reasonOf(`x 203.0.113.9 and 2001:db8::17, seen`)).toBe(
    'line is in no known format: "… … and …, seen"',
  );
});

test("the format is found from the first lines and said; lines of another one are read too, and it is said", () => {
  const said: string[] = [];
  const reader = new LineReader({ format: "auto", onFormat: (message) => said.push(message) });
  const main = `${LINE} "-"`;
  reader.begin([main, "", "nonsense", main, `shop.example:443 ${LINE}`]);
  expect(said).toEqual(["access log: format nginx main, found from the first 4 lines"]);
  expect(reader.read(main)?.ok).toBe(true);
  expect(reader.read("nonsense")?.ok).toBe(false);
  const common = LINE.slice(0, LINE.indexOf(' "https'));
  for (let count = 0; count < 2; count++) expect(reader.read(common)?.ok).toBe(true);
  expect(said.slice(1)).toEqual(["access log: lines in the format common"]);
});

test("with a format given, a line in another one is refused", () => {
  expect(reasonOf(LINE, "common")).toContain("line is not in the format common");
  expect(reasonOf(LINE, "main")).toContain("line is not in the format main");
  expect(read(LINE, "combined")?.ok).toBe(true);
});

test.each([
  ["combination", "is none of auto, "],
  ["$remote_addr $status", "names no time"],
  ["%h %t", "names no request"],
  ['{"a": $b', "is no JSON object"],
])("the format %j is none: %s", (format, message) => {
  expect(() => new LineReader({ format })).toThrow(message);
});

test("no format string is slow to read", () => {
  const start = performance.now();
  for (const piece of [":$", ': "$a{', "%{", "$a", "%!<", '{"a":%{', " "]) {
    for (const head of ["", '{"a":', "LogFormat "]) {
      try {
        new LineReader({ format: (head + piece.repeat(1_000)).slice(0, 2_000) });
      } catch {
        // Most are none.
      }
    }
  }
  expect(performance.now() - start).toBeLessThan(3_000);
  expect(() => new LineReader({ format: "$time_local $request ".repeat(100) })).toThrow("longer than");
});

test("no text makes it throw, or slow", () => {
  const any = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.string().map((text) => `${LINE}${text}`),
  );
  fc.assert(fc.property(any, (text) => void read(text)));
  const pieces = [
    " [",
    '" ',
    '\\"',
    ` [${TIME}] `,
    "x ",
    "1.1.1.1,",
    ", ",
    "\t",
    '{"log":',
    "[",
    "2026-11-29 10:00:00 ",
  ];
  const heads = ["1.1.1.1 - ", `1.1.1.1 - - [${TIME}] "`, "2026-11-29 10:00:00 ", '{"request":"', "{"];
  const start = performance.now();
  for (const head of heads) {
    for (const piece of pieces) read(head + piece.repeat(65_536 / piece.length));
  }
  expect(performance.now() - start).toBeLessThan(3_000);
});
