import { BlockList, isIPv4, isIPv6 } from "node:net";
import type { Network } from "../../config/trusted-proxies.ts";

/**
 * Whom an address is counted for: an IPv4 address for itself, one of IPv6 for its /64, all of which one host or
 * household has (RFC 6177). What is no address is counted for one and the same.
 */
export function networkOfAddress(address: string): string {
  if (isIPv4(address)) return address;
  const text = address.split("%", 1)[0]!;
  if (!isIPv6(text)) return "";
  const groups = groupsOf(text);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped)
    return `${groups
      .slice(0, 4)
      .map((group) => group.toString(16))
      .join(":")}::`;
  return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join(".");
}

/** The eight groups of an IPv6 address in any of RFC 4291's forms. */
function groupsOf(text: string): number[] {
  const [head = "", tail] = text.split("::", 2);
  const before = parse(head);
  if (tail === undefined) return before;
  const behind = parse(tail);
  return [...before, ...Array<number>(8 - before.length - behind.length).fill(0), ...behind];
}

function parse(text: string): number[] {
  return text.split(":").flatMap((group) => {
    if (group === "") return [];
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a, b, c, d] = group.split(".").map(Number) as [number, number, number, number];
    return [(a << 8) | b, (c << 8) | d];
  });
}

/** Whether an address is in one of some networks; what is no address is in none. */
export function inNetworks(networks: readonly Network[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefix } of networks) {
    list.addSubnet(address, prefix, isIPv4(address) ? "ipv4" : "ipv6");
  }
  // An IPv4 address in IPv6's clothes is looked for as IPv4 too.
  return (address) =>
    isIPv4(address) ? list.check(address) : isIPv6(address) && list.check(address, "ipv6");
}
