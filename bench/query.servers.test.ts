import { expect, test } from "vitest";
import { query } from "./query.ts";

interface Details {
  readonly questions_ms: Readonly<Record<string, readonly { readonly question: string }[]>>;
  readonly mix: Readonly<Record<string, unknown>>;
  readonly site: readonly { readonly question: string; readonly product: number }[];
}

test("a small run: what the product answers is what SQL over rows says", { timeout: 300_000 }, async () => {
  const run = { seconds: 0, events: 6_000, merchants: 4, days: 30, views: 3_000 };
  // The questions that disagree throw.
  const result = await query({ ...run, say: () => {} });
  const { questions_ms, mix, site } = result.details as unknown as Details;
  expect(questions_ms["largest merchant, month"]).toHaveLength(10);
  expect(questions_ms["typical merchant, month, phones"]).toHaveLength(10);
  expect(Object.keys(mix)).toEqual(["1", "16", "64"]);
  expect(site.map(({ question }) => question)).toContain("entry pages by visits");
});
