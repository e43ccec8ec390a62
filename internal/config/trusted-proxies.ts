import { isIP } from "node:net";
import { z } from "zod";

export interface Network {
  readonly address: string;
  readonly prefix: number;
}

/** Which proxies are believed about whom they speak for: so many on the way, or those in some networks. */
export type TrustedProxies = { readonly hops: number } | { readonly networks: readonly Network[] };

/** What `private` stands for: loopback, RFC 1918, RFC 6598, link-local, unique local (RFC 4193). */
export const PRIVATE_NETWORKS: readonly string[] = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "::1/128",
  "fe80::/10",
  "fc00::/7",
];

const MOST_HOPS = 32;

/** A number of proxies, or addresses and networks (CIDR, or `private`) parted by commas. */
export const trustedProxies = () =>
  z.string().transform((value, context): TrustedProxies => {
    const hops = Number(value);
    if (/^\d+$/.test(value) && hops >= 1 && hops <= MOST_HOPS) return { hops };
    const parts = value.split(",").flatMap((part) => expanded(part.trim()));
    const networks = parts.map(networkOf);
    if (networks.every((network) => network !== undefined)) return { networks };
    const wrong = parts[networks.indexOf(undefined)];
    context.addIssue(
      `is neither a number from 1 to ${MOST_HOPS} nor a list of addresses and networks such as 10.0.0.0/8: ${wrong}`,
    );
    return z.NEVER;
  });

/** Addresses and networks (CIDR, or `private`) parted by commas; none where empty. */
export const networks = () =>
  z.string().transform((value, context): readonly Network[] => {
    const parts = value === "" ? [] : value.split(",").flatMap((part) => expanded(part.trim()));
    const found = parts.map(networkOf);
    if (found.every((network) => network !== undefined)) return found;
    context.addIssue(
      `is no list of addresses and networks such as 10.0.0.0/8: ${parts[found.indexOf(undefined)]}`,
    );
    return z.NEVER;
  });

function expanded(part: string): readonly string[] {
  return part === "private" ? PRIVATE_NETWORKS : [part];
}

/** @returns undefined for what is no network. */
export function networkOf(text: string): Network | undefined {
  const [, address = "", prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0 || address.includes("%")) return undefined;
  const most = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? most : Number(prefix);
  return bits <= most ? { address, prefix: bits } : undefined;
}
