import { readFiles } from "./files.ts";

export interface Banned {
  readonly word: string;
  /** In names and prose, within a name alone, or as the last part of a type's name. */
  readonly where: "anywhere" | "name" | "type";
  readonly instead: string;
}

/** The last table of docs/glossary.md. */
export function bannedWords(): Banned[] {
  const [page] = readFiles("docs/glossary.md");
  const table = page!.text.split("## Words that are not used")[1]!;
  return [...table.matchAll(/^\| (.+?) \| (anywhere|name|type) \| (.+) \|$/gm)].flatMap(
    ([, words, where, instead]) =>
      words!.split(", ").map((word) => ({ word, where: where as Banned["where"], instead: instead! })),
  );
}

/** Names in their parts and in lower case: markStale_rows is "mark stale rows". */
export function plainWords(text: string): string {
  return text
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .toLowerCase();
}

/** What finds a word: in a line as it stands for types, in its plain words for all others. */
function finder({ word, where }: Banned): (line: string, plain: string) => boolean {
  if (where === "type") {
    const type = new RegExp(`\\b(?:class|interface|type) \\w*${word}\\b`);
    return (line) => type.test(line);
  }
  if (where === "name") {
    const name = new RegExp(word.replaceAll(" ", "_?"), "i");
    return (line) => name.test(line);
  }
  const pattern = new RegExp(`\\b${word.replaceAll("*", "[a-z]*")}\\b`);
  return (_, plain) => pattern.test(plain);
}

/** Lines in which banned words stand, as "file:line: word (instead)". */
export function findBanned(banned: readonly Banned[], file: string, text: string): string[] {
  const finders = banned.map((entry) => ({ ...entry, finds: finder(entry) }));
  return text.split("\n").flatMap((line, at) => {
    const plain = plainWords(line);
    return finders
      .filter(({ finds }) => finds(line, plain))
      .map(({ word, instead }) => `${file}:${at + 1}: ${word} (${instead})`);
  });
}
