import { isIP } from "node:net";

const [DOT, ZERO, NINE, COLON] = [0x2e, 0x30, 0x39, 0x3a];

/** Longest text of an address, a zone included, bytes. */
const MAX_LENGTH = 64;

/**
 * Truncates the address in some bytes to its network: an IPv4 address to /24, an IPv6 address to /48, an IPv4
 * address in IPv6's clothes to /24 without them.
 * @param target at least as long as the longest address, 46 bytes; gets the truncated address.
 * @returns its length; 0 when the bytes are no address.
 */
export function truncateIp(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  if (end - start > MAX_LENGTH) return 0;
  const dot = lastDotOfIpv4(source, start, end);
  if (dot !== -1) {
    for (let at = start; at <= dot; at++) target[at - start] = source[at]!;
    target[dot + 1 - start] = ZERO;
    return dot + 2 - start;
  }
  const length = truncatePlainIpv6(source, start, end, target);
  if (length > 0) return length;
  const text = Buffer.from(source.buffer, source.byteOffset + start, end - start).toString("latin1");
  const truncated = isIP(text) === 6 ? truncateIpv6(text) : "";
  for (let at = 0; at < truncated.length; at++) target[at] = truncated.charCodeAt(at);
  return truncated.length;
}

/** Where the last dot of an IPv4 address stands (four numbers up to 255 without leading zeros); -1: none is there. */
function lastDotOfIpv4(source: Uint8Array, start: number, end: number): number {
  let value = -1;
  let dots = 0;
  let last = -1;
  for (let at = start; at < end; at++) {
    const byte = source[at]!;
    if (byte === DOT && value !== -1 && dots < 3) {
      dots++;
      last = at;
      value = -1;
    } else if (byte >= ZERO && byte <= NINE && value !== 0) {
      value = value === -1 ? byte - ZERO : value * 10 + byte - ZERO;
      if (value > 255) return -1;
    } else return -1;
  }
  return dots === 3 && value !== -1 ? last : -1;
}

/** Of an IPv6 address that has eight groups and the third of which is not 0, what is up to its third colon. */
function truncatePlainIpv6(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let groups = 1;
  let digits = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = source[at]!;
    if (byte === COLON) {
      if (digits === 0) return 0;
      groups++;
      digits = 0;
    } else if (isHex(byte) && digits < 4) {
      // In RFC 5952's form no group begins with 0, and all is in lower case.
      if (digits++ === 0 && byte === ZERO && groups < 4) return 0;
    } else return 0;
    if (groups < 4) target[length++] = byte | 0x20;
  }
  if (groups !== 8 || digits === 0) return 0;
  target[length] = COLON;
  target[length + 1] = COLON;
  return length + 2;
}

function isHex(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** @param text a valid IPv6 address. @returns the first 48 bits of it, in RFC 5952's form. */
function truncateIpv6(text: string): string {
  const address = text.replace(/%.*$/, "");
  const ipv4 = ipv4In(address);
  if (ipv4 !== undefined) return ipv4.replace(/\d+$/, "0");
  const network = groupsOf(address).slice(0, 3);
  while (network.at(-1) === 0) network.pop();
  return `${network.map((group) => group.toString(16)).join(":")}::`;
}

/** The IPv4 address in IPv6's clothes (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2); undefined: it is another one. */
export function ipv4In(address: string): string | undefined {
  const groups = groupsOf(address);
  const isIpv4 = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isIpv4) return undefined;
  return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join(".");
}

/** The eight groups of an IPv6 address. */
function groupsOf(text: string): number[] {
  const [head = "", tail] = text.split("::").map(halfOf);
  if (tail === undefined) return head as number[];
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail] as number[];
}

function halfOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return Number.parseInt(group, 16);
    const [a, b, c, d] = group.split(".").map(Number) as [number, number, number, number];
    return [(a << 8) | b, (c << 8) | d];
  });
}
