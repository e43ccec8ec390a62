import { deriveOnce } from "./spread.ts";
import type { Step } from "./step.ts";

type PageAndHost = readonly [page: string, host: string | null];

/** Scheme, authority and path of an absolute url. */
const ABSOLUTE = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/([^/?#]*)([^?#]*)/;
/** What an authority has of a host, behind the user and before the port. */
const HOST = /^(?:[^@]*@)?([^:]+)/;

/**
 * The path of a url as it was sent, "/" for its site's root, and its host in lower case; undefined where it is not
 * absolute. The host is as written but for the case, with www. and a last dot: what reports show, not what sites are
 * told apart by (address.ts). Only ASCII letters are lowered, as by PostgreSQL in every locale.
 */
export function pageOf(url: string): PageAndHost | undefined {
  const found = ABSOLUTE.exec(url);
  if (found === null) return undefined;
  const host = HOST.exec(found[1]!)?.[1];
  return [found[2] || "/", host === undefined ? null : lowered(host)];
}

function lowered(host: string): string {
  return host.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Page and host, from the page's address. */
export const page: Step = {
  name: "page",
  version: 1,
  run(batch, { page }) {
    deriveOnce(batch, batch.text("url"), page, pageOf);
  },
};
