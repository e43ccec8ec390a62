import { BlockList } from "node:net";
import type { TrustedProxies } from "../../config/trusted-proxies.ts";
import { addressesOf } from "./header-list.ts";
import { family, parseAddress } from "./parse-address.ts";

/** Where a request comes from. @param header the value of the header; @param peer the connection's other end. */
export type FindClient = (header: string | null, peer: string) => string | undefined;

/**
 * Finds the client's address in a list that each proxy on the way has appended to. What a client wrote there itself
 * stands further left than what trusted proxies wrote, and is never taken instead of it.
 * @param name of the header; `forwarded` is read as RFC 7239 has it.
 */
export function clientFinder(name: string | undefined, trusted: TrustedProxies): FindClient {
  if (name === undefined) return (_, peer) => parseAddress(peer);
  const read = (header: string) => addressesOf(name, header);
  if ("hops" in trusted) return byHops(read, trusted.hops);
  return byNetworks(read, trusted.networks);
}

type ReadList = (header: string) => (string | undefined)[];

/**
 * As Express's `trust proxy` with a number: the connection's other end is the first hop, the last entry is whom that
 * one saw. An entry that is no address (a hop over a Unix socket, an `unknown`) is passed over for the one before it.
 */
function byHops(read: ReadList, hops: number): FindClient {
  return (header, peer) => {
    if (!header) return parseAddress(peer);
    const entries = read(header);
    const farthest = Math.max(entries.length - hops, 0);
    return entries.slice(0, farthest + 1).findLast((entry) => entry !== undefined);
  };
}

/** As nginx's `real_ip_recursive`: from the connection's other end back to the first that is no trusted proxy. */
function byNetworks(
  read: ReadList,
  networks: readonly { readonly address: string; readonly prefix: number }[],
): FindClient {
  const list = new BlockList();
  for (const { address, prefix } of networks) list.addSubnet(address, prefix, family(address));
  return (header, peer) => {
    const from = parseAddress(peer);
    if (!header || from === undefined || !list.check(from, family(from))) return from;
    const known = read(header).filter((entry) => entry !== undefined);
    return known.findLast((entry) => !list.check(entry, family(entry))) ?? known[0];
  };
}
