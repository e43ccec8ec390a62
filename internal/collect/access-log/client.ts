import { trustedProxies } from "../../config/trusted-proxies.ts";
import { parseAddress } from "../client-address/parse-address.ts";
import { clientFinder, type FindClient } from "../client-address/trusted-proxies.ts";

/** Proxies in private networks are one's own: no visitor of a public site comes from there. */
export const BEHIND_PRIVATE: FindClient = clientFinder("x-forwarded-for", trustedProxies().parse("private"));

/** Longest list of addresses that is looked at, from its end, UTF-16 code units: a client can send any. */
const LONGEST = 2_048;

/**
 * The client's address, from the connection's other end and what X-Forwarded-For said; each may be a list.
 * @param find which proxies are believed.
 * @returns undefined where none is an address, such as a host name.
 */
export function clientAddress(
  client: string | undefined,
  forwarded: string | undefined,
  find: FindClient,
): string | undefined {
  const entries = `${forwarded ?? ""},${client ?? ""}`.slice(-LONGEST).split(",");
  const peer = entries.pop()!;
  const list = entries.filter((entry) => entry.trim() !== "").join(",");
  // Who comes over a local socket, or whom the log does not tell, is a proxy of one's own.
  const isLocal = peer === "" || peer === "unix:";
  return find(list === "" ? null : list, isLocal && list !== "" ? "127.0.0.1" : peer);
}

/** Whether every entry of a list is an address. */
export function isAddressList(text: string): boolean {
  if (!text.includes(",")) return parseAddress(text) !== undefined;
  const entries = text
    .slice(-LONGEST)
    .split(",")
    .map((entry) => entry.trim());
  return entries.every((entry) => entry === "" || entry === "unknown" || parseAddress(entry) !== undefined);
}

const HOST_NAME = /^[\p{L}\p{N}_](?:[\p{L}\p{N}._-]{0,253}[\p{L}\p{N}_])?\.?$/u;

/** Whether a text may be a host name; one that ends in a number would be an address. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text) && !/(?:^|\.)\d+\.?$/.test(text);
}
