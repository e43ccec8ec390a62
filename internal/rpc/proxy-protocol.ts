import { isIPv4, isIPv6 } from "node:net";

/** What a load balancer tells of a connection before its first byte. */
export interface ProxyHeader {
  /** Bytes of the header. */
  readonly length: number;
  /** The client's address; undefined where the balancer speaks for itself (a health check) or does not know. */
  readonly client: string | undefined;
}

/** The longest header of version 1, with its line end, bytes. */
const MOST_V1_BYTES = 107;

/** Most bytes of addresses and further fields in version 2: balancers send a few hundred. */
const MOST_V2_BYTES = 4_096;

const V1 = Buffer.from("PROXY ");
const V2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n");
const V2_FIXED_BYTES = 16;

/**
 * Reads the header of HAProxy's PROXY protocol, version 1 (a line of text) or 2 (binary), from a connection's
 * first bytes. https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
 * @returns "more" while it has not come in whole; "wrong" when it is none.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | "more" | "wrong" {
  if (startsAs(bytes, V1)) return bytes.length < V1.length ? "more" : readV1(bytes);
  if (startsAs(bytes, V2)) return bytes.length < V2_FIXED_BYTES ? "more" : readV2(bytes);
  return "wrong";
}

/** Whether the bytes begin a text, or are the beginning of it. */
function startsAs(bytes: Buffer, text: Buffer): boolean {
  const length = Math.min(bytes.length, text.length);
  return bytes.subarray(0, length).equals(text.subarray(0, length));
}

/** PROXY TCP4 203.0.113.9 192.0.2.1 51008 443 */
function readV1(bytes: Buffer): ProxyHeader | "more" | "wrong" {
  const line = bytes.toString("latin1", 0, MOST_V1_BYTES);
  const end = line.indexOf("\r\n");
  if (end === -1) return bytes.length < MOST_V1_BYTES ? "more" : "wrong";
  const length = end + 2;
  const [, protocol, client = "", server = "", ...ports] = line.slice(0, end).split(" ");
  if (protocol === "UNKNOWN") return { length, client: undefined };
  const isAddress = protocol === "TCP4" ? isIPv4 : protocol === "TCP6" ? isIPv6 : () => false;
  const isGood = isAddress(client) && isAddress(server) && ports.length === 2 && ports.every(isPort);
  return isGood ? { length, client } : "wrong";
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

/** Command (low half of byte 12), family (high half of byte 13), length (bytes 14 and 15), then source address first. */
function readV2(bytes: Buffer): ProxyHeader | "more" | "wrong" {
  const [version, command] = [bytes[12]! >> 4, bytes[12]! & 0xf];
  const size = bytes.readUInt16BE(14);
  if (version !== 2 || command > 1 || size > MOST_V2_BYTES) return "wrong";
  const length = V2_FIXED_BYTES + size;
  if (bytes.length < length) return "more";
  const fields = bytes.subarray(V2_FIXED_BYTES, length);
  const family = command === 0 ? 0 : bytes[13]! >> 4;
  if (family === 1) return size < 12 ? "wrong" : { length, client: fields.subarray(0, 4).join(".") };
  if (family === 2) return size < 36 ? "wrong" : { length, client: ipv6(fields) };
  // LOCAL, an unspecified family, a Unix socket.
  return { length, client: undefined };
}

function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return groups.join(":");
}
