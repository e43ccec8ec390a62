import { parseAddress } from "./parse-address.ts";

/** The addresses in a header's list, in its order; undefined for an entry that is none. */
export function addressesOf(name: string, header: string): (string | undefined)[] {
  return name === "forwarded"
    ? split(header, ",").map(addressOfElement)
    : header.split(",").map(parseAddress);
}

/** An element of `Forwarded` (RFC 7239): for="[2001:db8::17]:4711";proto=https;by=203.0.113.43 */
function addressOfElement(element: string): string | undefined {
  for (const parameter of split(element, ";")) {
    const [name = "", ...value] = parameter.split("=");
    if (name.trim().toLowerCase() === "for") return parseAddress(value.join("="));
  }
  return undefined;
}

/**
 * Splits at a separator that stands outside of quotes. It reads from the end, which trusted proxies wrote: a quote
 * that a client left open takes none of theirs with it.
 */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let end = text.length;
  let isQuoted = false;
  for (let at = text.length - 1; at >= 0; at--) {
    const char = text[at];
    if (char === '"' && text[at - 1] !== "\\") isQuoted = !isQuoted;
    else if (char === separator && !isQuoted) {
      parts.push(text.slice(at + 1, end));
      end = at;
    }
  }
  parts.push(text.slice(0, end));
  return parts.reverse();
}
