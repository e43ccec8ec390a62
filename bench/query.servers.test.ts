import { expect, test } from "vitest";
import { query } from "./query.ts";

interface Details {
  readonly mix: { readonly details: Readonly<Record<string, { readonly repeated: { readonly n: number } }>> };
  readonly month: { readonly details: readonly { readonly set: string; readonly rows: number }[] };
  readonly site: { readonly details: readonly { readonly question: string }[] };
}

test("a small run: what the service answers is what SQL over rows says", { timeout: 300_000 }, async () => {
  const parts = ["mix", "month", "site"] as const;
  const run = { parts, seconds: 0, events: 6_000, merchants: 4, days: 30, views: 3_000 };
  // The questions that disagree throw.
  const result = await query({ ...run, say: () => {} });
  const { mix, month, site } = result.details as unknown as Details;
  expect(Object.keys(mix.details)).toEqual(["1", "16", "64"]);
  expect(mix.details[64]!.repeated.n).toBe(64);
  expect(month.details.filter(({ set }) => set === "typical, phones")).toHaveLength(10);
  expect(site.details.map(({ question }) => question)).toContain("entry pages by visits");
});
