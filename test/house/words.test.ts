import { expect, test } from "vitest";
import { readFiles } from "./files.ts";
import { bannedWords, findBanned, plainWords } from "./words.ts";

const banned = bannedWords();

/** What names the words. */
const LEFT_OUT = /^docs\/glossary\.md$|^test\/house\/words\.test\.ts$/;

test("no code, SQL, proto or page has a word that the glossary does not use", () => {
  const files = readFiles(
    "{cmd,internal,test,bench,scripts,deploy}/**/*.{ts,sql,md,sh,yaml,yml}",
    "proto/**/*.proto",
    "{docs,.}/**/*.md",
  ).filter(({ file }) => !LEFT_OUT.test(file) && file !== "CHANGELOG.md");
  expect(files.length).toBeGreaterThan(800);
  expect(files.flatMap(({ file, text }) => findBanned(banned, file, text))).toEqual([]);
});

test.each([
  ["readPatiently(() => client.query())", "read patiently"],
  ["const READ_PATIENTLY = 3;", "read patiently"],
  ["// is judged by its time", "judge*"],
  ["peopleOnly: true", "people only"],
  ["export class CollectRoom {", "Room"],
])("in %j it finds %j", (line, word) => {
  expect(findBanned(banned, "a.ts", line)).toEqual([
    expect.stringMatching(`^a\\.ts:1: ${RegExp.escape(word)} `),
  ]);
});

test.each(["make room for more", "const place = 3;", "a ticket's number", "prejudged", "for people only"])(
  "%j may be said",
  (line) => {
    expect(findBanned(banned, "a.ts", line)).toEqual([]);
  },
);

test("names are read in their parts", () => {
  expect(plainWords("letGoWhenAnswered HURRY_MS replay-rejected")).toBe(
    "let go when answered hurry ms replay rejected",
  );
});
