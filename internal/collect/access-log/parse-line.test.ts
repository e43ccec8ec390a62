import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LoggedRequest, parseLine } from "./parse-line.ts";

const LINE =
  '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 512 "https://x.example/" "Mozilla/5.0"';

function parsed(line: string): LoggedRequest {
  const result = parseLine(line);
  if (!result.ok) throw new Error(result.reason);
  return result.request;
}

test("all fields are read", () => {
  expect(parsed(LINE)).toEqual({
    ip: "203.0.113.9",
    timeMs: Date.UTC(2015, 4, 17, 10, 5, 3),
    method: "GET",
    path: "/a?b=c",
    protocol: "HTTP/1.1",
    status: 200,
    bytes: 512,
    referrer: "https://x.example/",
    userAgent: "Mozilla/5.0",
  });
  for (const end of ["\n", "\r\n"]) expect(parsed(LINE + end)).toEqual(parsed(LINE));
});

test.each([
  ["+0000", 0],
  ["+0200", -120],
  ["-0330", 210],
  ["+0545", -345],
])("the zone %s is taken off", (zone, minutes) => {
  const { timeMs } = parsed(LINE.replace("+0000", zone));
  expect(timeMs).toBe(Date.UTC(2015, 4, 17, 10, 5, 3) + minutes * 60_000);
});

test("IPv6, a user with spaces, absent fields and a leap second are read", () => {
  const line = '2001:db8::7 - jane q. doe [30/Jun/2015:23:59:60 +0000] "OPTIONS * HTTP/1.0" 204 - "-" "-"';
  expect(parsed(line)).toMatchObject({
    ip: "2001:db8::7",
    timeMs: Date.UTC(2015, 6, 1),
    path: "*",
    bytes: undefined,
    referrer: undefined,
    userAgent: undefined,
  });
});

describe("escapes", () => {
  const agent = (field: string) => parsed(LINE.replace("Mozilla/5.0", () => field)).userAgent;

  test.each([
    [String.raw`say \"hi\" \\o/`, String.raw`say "hi" \o/`],
    [String.raw`nginx \x22hi\x22`, 'nginx "hi"'],
    [String.raw`caf\xc3\xa9 \xE2\x82\xAC`, "café €"],
    ["already café", "already café"],
  ])("%s", (written, meant) => expect(agent(written)).toBe(meant));

  test.each([
    String.raw`\xe4\xe5 is not UTF-8`,
    String.raw`nul \x00`,
    String.raw`line\nbreak`,
    String.raw`\q`,
  ])("%s stays as it is", (written) => expect(agent(written)).toBe(written));
});

test.each([
  ["", "combined"],
  ["hello", "combined"],
  [LINE.slice(0, -1), "combined"],
  [`${LINE} extra`, "combined"],
  [LINE.replace("203.0.113.9", "host.example"), 'client is not an IP address: "host.example"'],
  [LINE.replace("203.0.113.9", "999.1.1.1"), "client"],
  [LINE.replace("17/May", "31/Feb"), 'time is not like 17/May/2015:10:05:03 +0000: "31/Feb'],
  [LINE.replace("May", "Mai"), "time"],
  [LINE.replace("10:05:03", "24:05:03"), "time"],
  [LINE.replace("GET /a?b=c HTTP/1.1", "-"), "request"],
  [LINE.replace("GET /a?b=c HTTP/1.1", String.raw`\x16\x03\x01`), "request"],
  [LINE.replace("200", "999"), "status"],
  [LINE.replace("200", "2000"), "combined"],
  [LINE.replace("512", "many"), "combined"],
])("%j is refused: %s", (line, reason) => {
  const result = parseLine(line);
  expect(result.ok).toBe(false);
  expect(!result.ok && result.reason).toContain(reason);
});

test("what a server writes is read back, whatever a client sent", () => {
  const escaped = (bytes: Uint8Array) =>
    [...bytes]
      .map((byte) => {
        const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
        return plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0").toUpperCase()}`;
      })
      .join("");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (sent) => {
      fc.pre(!/\p{Cc}/u.test(sent) && sent !== "-");
      const line = LINE.replace("Mozilla/5.0", () => escaped(Buffer.from(sent)));
      expect(parsed(line).userAgent).toBe(sent);
    }),
  );
});

test("no text makes it throw, or slow", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseLine(text)));
  const start = performance.now();
  for (const piece of [" [", '" ', '\\"', " [17/May/2015:10:05:03 +0000] ", "x "]) {
    expect(parseLine(`1.1.1.1 - ${piece.repeat(65_536 / piece.length)}`).ok).toBe(false);
  }
  expect(performance.now() - start).toBeLessThan(1_000);
});
