import fc from "fast-check";
import sql from "sql-template-tag";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEmptyDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { matchesWildcard } from "./wildcard.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openEmptyDatabase();
});
afterAll(() => database?.close());

/** Which of some pages the SQL of a pattern finds. */
async function found(pattern: string, pages: readonly string[]): Promise<boolean[]> {
  const { rows } = await database.pool.query<{ matches: boolean }>(
    sql`SELECT ${matchesWildcard(sql`page`, pattern)} AS matches
      FROM unnest(${pages}::text[]) WITH ORDINALITY AS pages (page, at) ORDER BY at`,
  );
  return rows.map(({ matches }) => matches);
}

/**
 * Whether a page matches, found without SQL, LIKE and expressions: which prefixes of the page the pattern can have
 * used up, sign by sign of the pattern.
 */
function matches(pattern: string, page: string): boolean {
  let reached = new Set([0]);
  for (let at = 0; at < pattern.length; at++) {
    const many = pattern.startsWith("**", at);
    if (pattern[at] !== "*") {
      reached = new Set([...reached].filter((end) => page[end] === pattern[at]).map((end) => end + 1));
      continue;
    }
    for (const start of [...reached]) {
      for (let end = start; end < page.length && (many || page[end] !== "/"); end++) reached.add(end + 1);
    }
    if (many) at++;
  }
  return reached.has(page.length);
}

test.each([
  ["/thanks", ["/thanks"], ["/thanks/", "/Thanks", "/thanks/you", "/", ""]],
  ["/blog/*", ["/blog/", "/blog/a", "/blog/a.html"], ["/blog", "/blog/a/b", "/blog/a/"]],
  ["/blog/**", ["/blog/", "/blog/a", "/blog/a/b/"], ["/blog", "/weblog/a"]],
  ["/*/thanks", ["/a/thanks", "//thanks"], ["/thanks", "/a/b/thanks", "/a/thanks/x"]],
  ["**/thanks", ["/thanks", "/a/b/thanks"], ["/thanks/", "/a/thanksgiving"]],
  ["/shop/**/item-*", ["/shop/a/item-1", "/shop/a/b/item-"], ["/shop/item-1", "/shop/a/item-1/x"]],
  ["/*.php/**", ["/a.php/x", "/.php/"], ["/a/b.php/x", "/a.php", "/aphp/x"]],
  ["/100%_off\\", ["/100%_off\\"], ["/100xx_off\\", "/100%1off\\", "/100%_off"]],
  ["/a(b)[c]{2}+$^|*", ["/a(b)[c]{2}+$^|", "/a(b)[c]{2}+$^|x"], ["/abcc"]],
  ["**.(a|b)/*", ["/x.(a|b)/y"], ["/x.a/y", "/xa/y"]],
  ["/ä%20b/*", ["/ä%20b/ü"], ["/a%20b/ü"]],
  ["/*", ["/", "/a b", "/line\nline"], ["/a/b"]],
  ["**", ["/", "/a/b", ""], []],
])("%s", async (pattern, yes, no) => {
  expect(await found(pattern, [...yes, ...no])).toEqual([...yes.map(() => true), ...no.map(() => false)]);
  for (const page of yes) expect([page, matches(pattern, page)]).toEqual([page, true]);
  for (const page of no) expect([page, matches(pattern, page)]).toEqual([page, false]);
});

test("a page that is absent is neither found nor passed over by what is true of all", async () => {
  for (const pattern of ["/a", "/*", "**", "/**/*"]) {
    const { rows } = await database.pool.query(
      sql`SELECT ${matchesWildcard(sql`page`, pattern)} AS matches FROM (SELECT NULL::text AS page) pages`,
    );
    expect(rows).toEqual([{ matches: null }]);
  }
});

test("any pattern finds what another matcher finds", async () => {
  // Few letters, so that pages match often; all that means something to LIKE and to expressions.
  const letter = fc.constantFrom(
    "/",
    "/",
    "a",
    "b",
    ".",
    "%",
    "_",
    "\\",
    "[",
    ")",
    "^",
    "+",
    "é",
    "😀",
    "\n",
  );
  const piece = fc.oneof(
    { weight: 3, arbitrary: letter },
    { weight: 2, arbitrary: fc.constantFrom("*", "**") },
  );
  const pattern = fc
    .array(piece, { maxLength: 8 })
    .map((pieces) => `/${pieces.join("")}`.replaceAll(/\*{3,}/g, "**"));
  const anyPage = fc.array(letter, { maxLength: 10 }).map((letters) => `/${letters.join("")}`);
  /** The pattern with its wildcards filled: most of these match. */
  const pageOf = (text: string) =>
    fc
      .array(fc.array(letter, { maxLength: 3 }), { minLength: 9, maxLength: 9 })
      .map((fillings) => text.replaceAll(/\*+/g, () => (fillings.pop() ?? []).join("")));
  const cases = pattern.chain((text) =>
    fc.tuple(fc.constant(text), fc.array(fc.oneof(anyPage, pageOf(text)), { minLength: 1, maxLength: 30 })),
  );
  const seen = { matching: 0, not: 0 };
  const property = fc.asyncProperty(cases, async ([text, pages]) => {
    const expected = pages.map((page) => matches(text, page));
    for (const match of expected) seen[match ? "matching" : "not"]++;
    expect(await found(text, pages)).toEqual(expected);
  });
  await fc.assert(property, { numRuns: 300 });
  expect(seen.matching).toBeGreaterThan(500);
  expect(seen.not).toBeGreaterThan(500);
});
