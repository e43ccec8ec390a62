import fc from "fast-check";
import { expect, test } from "vitest";
import { networkOfAddress } from "./network.ts";

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["::ffff:cb00:7109", "203.0.113.9"],
  ["0:0:0:0:0:ffff:203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
  ["2001:0db8:0001:0002::9", "2001:db8:1:2::"],
  ["2001:db8::9", "2001:db8:0:0::"],
  ["::1", "0:0:0:0::"],
  ["fe80::1%eth0", "fe80:0:0:0::"],
  ["64:ff9b::203.0.113.9", "64:ff9b:0:0::"],
  ["unix", ""],
  ["", ""],
])("%s is counted for %s", (address, network) => expect(networkOfAddress(address)).toBe(network));

test("two IPv6 addresses are counted for one network when their first 64 bits are the same", () => {
  // The platform's own parser writes an address in one form; its groups, filled up, are compared as text.
  const first64 = (ip: string) => {
    const text = new URL(`http://[${ip}]`).hostname.slice(1, -1);
    const [head = "", tail = ""] = text.split("::");
    const [left, right] = [head.split(":").filter(Boolean), tail.split(":").filter(Boolean)];
    const filled = [...left, ...Array(8 - left.length - right.length).fill("0"), ...right];
    return filled.slice(0, 4).join(":");
  };
  const ip = fc.ipV6().filter((text) => !/^[0:]*ffff:/i.test(text));
  fc.assert(
    fc.property(ip, ip, (a, b) => {
      expect(networkOfAddress(a) === networkOfAddress(b)).toBe(first64(a) === first64(b));
      expect(networkOfAddress(a)).toBe(`${first64(a)}::`);
    }),
  );
});
