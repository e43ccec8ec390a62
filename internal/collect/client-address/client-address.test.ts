import fc from "fast-check";
import { expect, test } from "vitest";
import { trustedProxies } from "../../config/trusted-proxies.ts";
import { addressOfField, parseAddress } from "./parse-address.ts";
import { clientFinder } from "./trusted-proxies.ts";

test.each([
  ["203.0.113.9", "203.0.113.9"],
  [" 203.0.113.9\t", "203.0.113.9"],
  ["203.0.113.9:51008", "203.0.113.9"],
  ["[2001:db8:1:2::9]:443", "2001:db8:1:2::9"],
  ["[2001:db8::9]", "2001:db8::9"],
  ["2001:db8::9", "2001:db8::9"],
  ["2001:db8:1:2:3:4:5:6:51008", "2001:db8:1:2:3:4:5:6"],
  ['"[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"],
  ['"203.0.113.9"', "203.0.113.9"],
  ["203.0.113.9:_port", "203.0.113.9"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["[::ffff:203.0.113.9]:80", "203.0.113.9"],
  ["::ffff:cb00:7109", "203.0.113.9"],
  ["fe80::1%eth0", "fe80::1"],
  ["::", "::"],
])("%j is the address %s", (entry, address) => expect(parseAddress(entry)).toBe(address));

test.each([
  "",
  "unknown",
  "_hidden",
  "_SEVKISEK",
  "unix:",
  "unix:/run/nginx.sock",
  "localhost",
  "203.0.113",
  "203.0.113.256",
  "203.0.113.9:port",
  "203.0.113.9:123456",
  "[203.0.113.9",
  "[::1]x",
  "203.0.113.9 198.51.100.1",
  "::1::2",
])("%j is no address", (entry) => expect(parseAddress(entry)).toBeUndefined());

test("an address is found in each form that it can be written in", () => {
  const forms = fc.oneof(
    fc
      .ipV4()
      .chain((ip) =>
        fc.constantFrom(ip, `${ip}:65535`, `"${ip}:1"`, `[::ffff:${ip}]:8`).map((text) => [text, ip]),
      ),
    fc
      .ipV6()
      .chain((ip) => fc.constantFrom(ip, `[${ip}]`, `"[${ip}]:443"`, ` ${ip} `).map((text) => [text, ip])),
  );
  const canonical = (ip: string) => new URL(`http://${ip.includes(":") ? `[${ip}]` : ip}`).hostname;
  fc.assert(
    fc.property(forms, ([text, ip]) => {
      const found = parseAddress(text!)!;
      const [seen, given] = [canonical(found), canonical(ip!)];
      // What IPv6 holds of IPv4 comes out as IPv4.
      const mapped = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(given);
      const bytes = mapped
        ?.slice(1)
        .flatMap((group) => [Number(`0x${group}`) >> 8, Number(`0x${group}`) & 255]);
      expect(seen).toBe(bytes?.join(".") ?? given);
    }),
  );
});

test.each([
  ["1.2.3.4:5678", "1.2.3.4"],
  ["[::1]:80", "::1"],
  ["203.0.113.9, 10.0.0.1", "203.0.113.9"],
  ["10.1.2.3, 203.0.113.9, 198.51.100.1", "203.0.113.9"],
  ["unknown, 203.0.113.9:80", "203.0.113.9"],
  ["192.168.1.7,10.0.0.1", "192.168.1.7"],
  ["unknown", undefined],
])("of an event's own %j counts %s", (text, address) => expect(addressOfField(text)).toBe(address));

const PEER = "10.0.0.1";
const find = (trusted: string, header: string | null, name = "x-forwarded-for", peer = PEER) =>
  clientFinder(name, trustedProxies().parse(trusted))(header, peer);

// The farthest hop that is trusted: https://expressjs.com/en/guide/behind-proxies.html
test.each([
  ["1", "198.51.100.1, 203.0.113.77", "203.0.113.77"],
  ["2", "198.51.100.1, 203.0.113.77", "198.51.100.1"],
  ["2", "192.0.2.1, 198.51.100.1, 203.0.113.77", "198.51.100.1"],
  ["3", "192.0.2.1, 198.51.100.1, 203.0.113.77", "192.0.2.1"],
  ["5", "192.0.2.1, 198.51.100.1", "192.0.2.1"],
  ["1", "unknown, 203.0.113.7", "203.0.113.7"],
  ["1", "203.0.113.7, unix:", "203.0.113.7"],
  ["1", "unknown", undefined],
  ["2", "unknown, 203.0.113.7", undefined],
  ["1", null, PEER],
  ["1", "", PEER],
])("with %s trusted hops %j tells %s", (trusted, header, address) => {
  expect(find(trusted, header)).toBe(address);
});

// https://nginx.org/en/docs/http/ngx_http_realip_module.html#real_ip_recursive
test.each([
  ["10.0.0.0/8", "198.51.100.1, 203.0.113.77", "203.0.113.77"],
  ["10.0.0.0/8,203.0.113.0/24", "198.51.100.1, 203.0.113.77, 10.9.9.9:80", "198.51.100.1"],
  ["private", "198.51.100.1, fd00::5, 192.168.0.9", "198.51.100.1"],
  ["private", "10.5.5.5, 192.168.0.9", "10.5.5.5"],
  ["private", "198.51.100.1, unknown, 10.9.9.9", "198.51.100.1"],
  ["192.0.2.1", "198.51.100.1", PEER],
  ["private", "unknown", undefined],
  ["private", null, PEER],
])("with the trusted networks %s %j tells %s", (trusted, header, address) => {
  expect(find(trusted, header)).toBe(address);
});

test.each([
  ["for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"],
  ['For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"],
  ["for=192.0.2.43, for=198.51.100.17", "198.51.100.17"],
  ['for="_gazonk", for="203.0.113.9:51008";host="a,b;c"', "203.0.113.9"],
  ["for=unknown, for=_secret", undefined],
  ["by=203.0.113.43", undefined],
  ['for=", for=203.0.113.9', "203.0.113.9"],
  ['for="a\\"b", for="203.0.113.9";x="\\","', "203.0.113.9"],
])("RFC 7239: %j tells %s", (header, address) => expect(find("1", header, "forwarded")).toBe(address));

test("a header of one address", () => {
  expect(find("1", "203.0.113.9", "cf-connecting-ip")).toBe("203.0.113.9");
  expect(find("private", "203.0.113.9", "cf-connecting-ip")).toBe("203.0.113.9");
  expect(clientFinder(undefined, { hops: 1 })(null, "::ffff:203.0.113.9")).toBe("203.0.113.9");
});

test("what a client writes itself is never taken for what a trusted proxy saw", () => {
  const client = "203.0.113.50";
  const written = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.ipV4(),
    fc.constantFrom("unknown", ",", '"', "10.0.0.1"),
  );
  fc.assert(
    fc.property(written, (text) => {
      const header = `${text}, ${client}`;
      expect(find("1", `${text}, for=${client}`, "forwarded")).toBe(client);
      expect(find("1", header)).toBe(client);
      expect(find("private", header)).toBe(client);
    }),
  );
});

test.each(["0", "33", "", "10.0.0.0/33", "private,host", "fe80::1%a/64", "-1", "1.5"])(
  "trusted-proxies %j is refused with its words",
  (value) => {
    const result = trustedProxies().safeParse(value);
    expect(result.error?.issues[0]?.message).toMatch(/neither a number from 1 to 32/);
  },
);
