import { expect, test } from "vitest";
import { readFiles } from "./files.ts";

/** Longest paragraph, item of a list, or row of a table in characters: what is more is a list or a table itself. */
const LONGEST = 700;

/** Where a paragraph, a heading, an item of a list or a row of a table ends and the next begins. */
const ENDS = /\n\s*\n|\n(?=\s*(?:[-*]|\d+\.|\||#)\s)/;

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, "");

test("no paragraph of the documents is long", () => {
  const pages = readFiles("*.md", "{docs,internal,deploy,bench}/**/*.md").filter(
    ({ file }) => file !== "CHANGELOG.md",
  );
  expect(pages.length).toBeGreaterThan(30);
  const long = pages.flatMap(({ file, text }) =>
    withoutCode(text)
      .split(ENDS)
      .filter((paragraph) => paragraph.trim().length > LONGEST)
      .map((paragraph) => `${file}: ${paragraph.trim().length}: ${paragraph.trim().slice(0, 60)}`),
  );
  expect(long).toEqual([]);
});
