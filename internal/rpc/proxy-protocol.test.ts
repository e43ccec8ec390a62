import fc from "fast-check";
import { expect, test } from "vitest";
import { readProxyHeader } from "./proxy-protocol.ts";

const V1 = "PROXY TCP4 203.0.113.9 192.0.2.1 51008 443\r\n";
const V1_IPV6 = "PROXY TCP6 2001:db8::9 2001:db8::1 51008 443\r\n";
// Written out from section 2.2 of the protocol: signature, version 2 and PROXY, TCP over IPv4, 12 bytes.
const V2 = "0d0a0d0a000d0a515549540a 21 11 000c cb007109 c0000201 c740 01bb";
const V2_IPV6 = `0d0a0d0a000d0a515549540a 21 21 0027 20010db8000000000000000000000009 ${"0".repeat(32)} c740 01bb 040000`;
const V2_LOCAL = "0d0a0d0a000d0a515549540a 20 00 0000";
const V2_UNIX = `0d0a0d0a000d0a515549540a 21 31 00d8 ${"61".repeat(216)}`;

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const HEADERS: [string, Buffer, string | undefined][] = [
  ["version 1, IPv4", Buffer.from(V1), "203.0.113.9"],
  ["version 1, IPv6", Buffer.from(V1_IPV6), "2001:db8::9"],
  ["version 1, unknown", Buffer.from("PROXY UNKNOWN\r\n"), undefined],
  ["version 1, unknown with more", Buffer.from("PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n"), undefined],
  ["version 2, IPv4", hex(V2), "203.0.113.9"],
  ["version 2, IPv6, with a further field", hex(V2_IPV6), "2001:db8:0:0:0:0:0:9"],
  ["version 2, LOCAL", hex(V2_LOCAL), undefined],
  ["version 2, a Unix socket", hex(V2_UNIX), undefined],
];

test.each(HEADERS)("%s", (_, header, client) => {
  expect(readProxyHeader(Buffer.concat([header, Buffer.from("GET / HTTP/1.1")]))).toEqual({
    length: header.length,
    client,
  });
  for (let length = 0; length < header.length; length++) {
    expect(readProxyHeader(header.subarray(0, length))).toBe("more");
  }
});

test.each([
  "GET / HTTP/1.1\r\n",
  "PRI * HTTP/2.0\r\n",
  "PROXY TCP4 203.0.113.9 192.0.2.1 51008\r\n",
  "PROXY TCP4 2001:db8::9 2001:db8::1 51008 443\r\n",
  "PROXY TCP4 203.0.113.9 192.0.2.1 51008 65536\r\n",
  "PROXY UDP4 203.0.113.9 192.0.2.1 51008 443\r\n",
  `PROXY UNKNOWN ${"x".repeat(100)}`,
  "proxy TCP4 203.0.113.9 192.0.2.1 51008 443\r\n",
])("%j is no header", (text) => expect(readProxyHeader(Buffer.from(text))).toBe("wrong"));

test.each([
  ["another version", "0d0a0d0a000d0a515549540a 11 11 000c cb007109 c0000201 c740 01bb"],
  ["another command", "0d0a0d0a000d0a515549540a 22 11 000c cb007109 c0000201 c740 01bb"],
  ["too few bytes", "0d0a0d0a000d0a515549540a 21 11 000b cb007109 c0000201 c740 01"],
  ["far too many", "0d0a0d0a000d0a515549540a 21 11 ffff cb007109"],
])("version 2 with %s is no header", (_, bytes) => expect(readProxyHeader(hex(bytes))).toBe("wrong"));

test("no bytes make it fail", () => {
  const start = fc.constantFrom(...HEADERS.map(([, header]) => header.subarray(0, 16)), Buffer.alloc(0));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), (head, rest) => {
      const header = readProxyHeader(Buffer.concat([head, rest]));
      if (typeof header === "object") expect(header.length).toBeLessThanOrEqual(head.length + rest.length);
    }),
  );
});
