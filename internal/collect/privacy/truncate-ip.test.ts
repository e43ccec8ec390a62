import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { truncateIp } from "./truncate-ip.ts";

/** The truncated address; empty for a text that is no address. The bytes stand within others. */
function truncated(text: string): string {
  const target = new Uint8Array(64);
  const source = Buffer.from(`>${text}<`);
  const length = truncateIp(source, 1, source.length - 1, target);
  return Buffer.from(target).toString("latin1", 0, length);
}

test.each([
  ["192.0.2.77", "192.0.2.0"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.0"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1::"],
  ["2001:DB8::1", "2001:db8::"],
  ["2001:db8:0:1::", "2001:db8::"],
  ["2001:0:1::", "2001:0:1::"],
  ["::1", "::"],
  ["::", "::"],
  ["fe80::1%eth0", "fe80::"],
  ["::ffff:192.0.2.77", "192.0.2.0"],
  ["::ffff:c000:24d", "192.0.2.0"],
  ["64:ff9b::192.0.2.77", "64:ff9b::"],
])("%s becomes %s", (address, network) => {
  expect(truncated(address)).toBe(network);
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "1.2.3.256",
  "1.2.3.4:80",
  ".1.2.3.4",
  "1..2.3",
  "host",
  ":::",
  "é",
])("%j is no address", (text) => expect(truncated(text)).toBe(""));

test("what is left of any address is the network that it lies in, and the same for all of its neighbours", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, (text) => {
      const network = truncated(text);
      const family = isIP(network) === 4 ? "ipv4" : "ipv6";
      const list = new BlockList();
      list.addSubnet(network, family === "ipv4" ? 24 : 48, family);
      expect(list.check(text, isIP(text) === 4 ? "ipv4" : "ipv6")).toBe(true);
      expect(truncated(network)).toBe(network);
      if (family === "ipv4" && isIP(text) === 4) {
        expect(truncated(text.replace(/\d+$/, "9"))).toBe(network);
        expect(network.endsWith(".0")).toBe(true);
      } else if (family === "ipv6") expect(network.endsWith("::")).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test("texts and addresses are told apart as Node does", () => {
  const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f.:]{0,20}$/));
  fc.assert(
    fc.property(text, (value) => {
      expect(truncated(value) !== "").toBe(isIP(value) !== 0);
    }),
    { numRuns: 2_000 },
  );
});
