import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { testBatch } from "../../testkit/batches.ts";
import { openEmptyDatabase, type TestDatabase } from "../../testkit/database.ts";
import { testContext } from "../../testkit/step-context.ts";
import { process } from "./process.ts";

type Found = readonly [page: string | null, host: string | null];

/** Page and host of each url, of one batch. */
function derive(urls: readonly string[]): Found[] {
  const events = urls.map((url) => ({ merchantId: 1, time: 1, url }));
  const { sealed, batch } = open(testBatch(events, { partition: 0 }).bytes);
  const { page } = process(new BatchView(sealed!.batchId, batch!), testContext());
  return urls.map((_, row) => {
    const [path = null, host = null] = page.texts[page.keys?.[row] ?? 0] ?? [];
    return [path, host];
  });
}

describe("page and host of a url", () => {
  test.each<[url: string, ...Found]>([
    ["https://shop.example/a/b.html?utm_source=x#top", "/a/b.html", "shop.example"],
    ["https://shop.example", "/", "shop.example"],
    ["https://shop.example?q=/no/path", "/", "shop.example"],
    ["https://shop.example#/app/route", "/", "shop.example"],
    ["https://shop.example/#?/a", "/", "shop.example"],
    ["https://shop.example//a//b/", "//a//b/", "shop.example"],
    ["HTTPS://WWW.Shop.Example:8443/A%20b/Ä?x", "/A%20b/Ä", "www.shop.example"],
    ["http://user:pw@shop.example:80/b", "/b", "shop.example"],
    ["http://user@:80/b", "/b", "user@"],
    ["http://a@b@shop.example/", "/", "b@shop.example"],
    ["https://BÜCHER.example./", "/", "bÜcher.example."],
    ["http://[2001:DB8::1]:8080/", "/", "[2001"],
    ["android-app://com.example/https/shop", "/https/shop", "com.example"],
    ["file:///home/me/index.html", "/home/me/index.html", null],
    ["https://", "/", null],
    ["://shop.example/a", null, null],
    ["//shop.example/a", null, null],
    ["/a", null, null],
    ["mailto:me@shop.example", null, null],
    ["no address", null, null],
    ["", null, null],
  ])("%s", (url, page, host) => {
    expect(derive([url])).toEqual([[page, host]]);
  });
});

/** What reports and aggregates matched against every url before there were columns (0012), letters of ASCII lowered. */
const IN_SQL = `SELECT '/' || substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*/?([^?#]*)') AS page,
    lower(substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)') COLLATE "C") AS host
  FROM unnest($1::text[]) WITH ORDINALITY AS given (url, at) ORDER BY at`;

describe("against the database", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openEmptyDatabase();
  });
  afterAll(() => database?.close());

  const sign = fc.constantFrom(
    ..."/?#@:.%[]+-\\'\" \n\t",
    "://",
    "//",
    "aB",
    "Z",
    "1",
    "é",
    "Ä",
    "İ",
    "🛒",
    "%2F",
  );
  const piece = fc.oneof(
    fc.array(sign, { maxLength: 6 }).map((signs) => signs.join("")),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.domain(),
    fc.nat({ max: 3_000 }).map((length) => "aB/".repeat(length)),
  );
  const scheme = fc.constantFrom(
    "https://",
    "http://",
    "HTTP://",
    "a+b.c-1://",
    "1a://",
    "é://",
    "https:/",
    "x:",
    "",
  );
  const madeUp = fc
    .tuple(
      scheme,
      fc.constantFrom("", "me@", "me:pw@", "@"),
      piece,
      fc.constantFrom("", ":80", ":"),
      piece,
      piece,
    )
    .map((pieces) => pieces.join(""));
  const url = fc
    .oneof(
      { weight: 4, arbitrary: madeUp },
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
      piece,
    )
    // Batches hold no U+0000, and an absent url is no empty one.
    .map((text) => text.replaceAll("\0", "0").toWellFormed())
    .filter((text) => text !== "");

  test("urls of any kind have the page and host that SQL found in them", async () => {
    const seen = { pages: 0, hosts: 0, none: 0 };
    const check = async (urls: string[]) => {
      const { rows } = await database.pool.query<{ page: string | null; host: string | null }>(IN_SQL, [
        urls,
      ]);
      const found = derive(urls);
      for (const [at, { page, host }] of rows.entries()) {
        seen.pages += Number(page !== null);
        seen.hosts += Number(host !== null);
        seen.none += Number(page === null);
        expect([urls[at], ...found[at]!]).toEqual([urls[at], page, host]);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(url, { minLength: 30, maxLength: 60 }), check), {
      numRuns: 100,
    });
    expect(seen.pages).toBeGreaterThan(1_000);
    expect(seen.hosts).toBeGreaterThan(1_000);
    expect(seen.none).toBeGreaterThan(500);
  });
});
