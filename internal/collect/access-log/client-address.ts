import { BlockList, isIP } from "node:net";

/** Networks that no visitor of a public site comes from: a proxy of one's own does. RFC 1918, 6598, 4193 and kin. */
const INNER = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
] as const) {
  INNER.addSubnet(network, prefix, "ipv4");
}
INNER.addAddress("::1", "ipv6");
INNER.addSubnet("fc00::", 7, "ipv6");
INNER.addSubnet("fe80::", 10, "ipv6");

/** Longest list of addresses that is looked at, from its end, UTF-16 code units: a client can send any. */
const LONGEST = 2_048;

/**
 * The client's address, from the connection's other end and what X-Forwarded-For said; each may be a list.
 * @param trustedHops how many proxies before the server are one's own: the address that the outermost of them saw
 * counts. Absent: proxies are told by their addresses, and the last one that is of no private network counts.
 * @returns undefined where none is an address, such as a host name.
 */
export function clientAddress(
  client: string | undefined,
  forwarded: string | undefined,
  trustedHops: number | undefined,
): string | undefined {
  if (forwarded === undefined && client !== undefined && isIP(client) !== 0) return client;
  const chain = [...entries(forwarded), ...entries(client)].map(addressOf);
  if (trustedHops !== undefined) return chain[Math.max(0, chain.length - 1 - trustedHops)];
  const outer = chain.findLast((address) => address !== undefined && !isInner(address));
  return outer ?? chain.findLast((address) => address !== undefined);
}

/** Whether every entry of a list is an address. */
export function isAddressList(text: string): boolean {
  if (isIP(text) !== 0) return true;
  return entries(text).every((entry) => entry === "unknown" || addressOf(entry) !== undefined);
}

const HOST_NAME = /^[\p{L}\p{N}_](?:[\p{L}\p{N}._-]{0,253}[\p{L}\p{N}_])?\.?$/u;

/** Whether a text may be a host name; one that ends in a number would be an address. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text) && !/(?:^|\.)\d+\.?$/.test(text);
}

function entries(list: string | undefined): string[] {
  if (list === undefined) return [];
  return list
    .slice(-LONGEST)
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** An address without the port, brackets and zone that may stand with it. */
function addressOf(entry: string): string | undefined {
  if (isIP(entry) !== 0) return entry.replace(/%.*$/, "");
  const bare = /^"?\[([^\]]+)\](?::\d+)?"?$/.exec(entry)?.[1] ?? /^"?([\d.]+):\d+"?$/.exec(entry)?.[1];
  return bare !== undefined && isIP(bare) !== 0 ? bare.replace(/%.*$/, "") : undefined;
}

function isInner(address: string): boolean {
  return INNER.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}
