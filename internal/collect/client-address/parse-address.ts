import { BlockList, isIP } from "node:net";
import { networkOf, PRIVATE_NETWORKS } from "../../config/trusted-proxies.ts";
import { ipv4In } from "../privacy/truncate-ip.ts";

/**
 * The address in an entry as proxies write it: bare, with a port (Azure), in brackets, in quotes, with a zone; an
 * IPv4 address in IPv6's clothes comes out without them. RFC 7239 section 6 has the forms.
 * @returns undefined for what is no address: `unknown`, `_hidden`, `unix:`.
 */
export function parseAddress(entry: string): string | undefined {
  const bare = entry.trim().replaceAll('"', "");
  const text = /^\[([^\]]*)\](?::\w*)?$/.exec(bare)?.[1] ?? bare;
  if (isIP(text) !== 0) return plain(text);
  // What may follow an address with no brackets around it; RFC 7239 allows to hide the port too.
  const host = text.replace(/:(?:\d{1,5}|_[\w.-]{1,64})?$/, "");
  return isIP(host) === 0 ? undefined : plain(host);
}

function plain(address: string): string {
  if (!address.includes(":")) return address;
  const text = address.replace(/%.*$/, "");
  return ipv4In(text) ?? text;
}

export function family(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}

const privateNetworks = new BlockList();
for (const { address, prefix } of PRIVATE_NETWORKS.map((network) => networkOf(network)!)) {
  privateNetworks.addSubnet(address, prefix, family(address));
}

/** Most entries of a list that are looked at. */
const MOST_ENTRIES = 20;

/**
 * The client's address in an event's own field: SDKs pass on what their server has, ports and lists included. Of
 * a list, the first entry is the client as it told; a private one is its side of a proxy, if a public one follows.
 */
export function addressOfField(text: string): string | undefined {
  const addresses = text
    .split(",", MOST_ENTRIES)
    .map(parseAddress)
    .filter((address) => address !== undefined);
  return addresses.find((address) => !privateNetworks.check(address, family(address))) ?? addresses[0];
}
