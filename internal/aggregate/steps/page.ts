import { addressOf } from "./address.ts";
import { deriveOnce } from "./spread.ts";
import type { Step } from "./step.ts";

type PageAndHost = readonly [page: string, host: string | null];

/**
 * The path of a url as it was sent, "/" for its site's root, and its host in one form, whatever was written; undefined
 * where the url is not absolute. The host keeps its www.: what reports show, not what sites are told apart by.
 */
export function pageOf(url: string): PageAndHost | undefined {
  const address = addressOf(url);
  if (address === undefined) return undefined;
  return [address.path || "/", address.host ?? null];
}

/** Page and host, from the page's address. */
export const page: Step = {
  name: "page",
  version: 2,
  run(batch, { page }) {
    deriveOnce(batch, batch.text("url"), page, pageOf);
  },
};
