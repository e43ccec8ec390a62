import { DIGIT, is, TOKEN, WORD } from "./char-classes.ts";
import { Char, type DecodedText } from "./decoded-text.ts";
import { findName, Name } from "./parameter-names.ts";
import { Strength, strengthOf } from "./secrets.ts";

/** Whether a word stands at a place, in whatever case. */
export function isAt({ codes, length }: DecodedText, at: number, word: string): boolean {
  if (at + word.length > length) return false;
  for (let index = 0; index < word.length; index++) {
    if ((codes[at + index]! | 0x20) !== (word.charCodeAt(index) | 0x20)) return false;
  }
  return true;
}

/** Shortest header of a JSON Web Token, characters: {"alg":""} in base64url, about. */
const SHORTEST_HEADER = 12;

/** Where a JSON Web Token (RFC 7519) ends that begins with the `eyJ` at `at`; -1: it is none. */
export function jwtEnd({ codes, length }: DecodedText, at: number): number {
  const before = at === 0 ? Char.SLASH : codes[at - 1]!;
  if (is(before, TOKEN) || before === Char.DOT) return -1;
  if (codes[at + 1] !== 0x79 || codes[at + 2] !== 0x4a) return -1;
  let [end, dots, header] = [at, 0, 0];
  for (; end < length && (is(codes[end]!, TOKEN) || codes[end] === Char.DOT); end++) {
    if (codes[end] !== Char.DOT) continue;
    if (dots++ === 0) header = end - at;
  }
  return dots >= 2 && header >= SHORTEST_HEADER ? end : -1;
}

/**
 * The secret behind `Bearer` and a gap, which begins at `at`.
 * @returns where it begins and ends; undefined: there is none.
 */
export function findBearer(text: DecodedText, at: number): [number, number] | undefined {
  const { codes, length } = text;
  if ((at > 0 && is(codes[at - 1]!, WORD)) || !isAt(text, at, "bearer")) return undefined;
  let from = at + 6;
  while (
    from < at + 9 &&
    (codes[from] === Char.SPACE || codes[from] === Char.PLUS || codes[from] === Char.COLON)
  )
    from++;
  if (from === at + 6) return undefined;
  let end = from;
  let digits = 0;
  for (; end < length && isOfBearer(codes[end]!); end++) if (is(codes[end]!, DIGIT)) digits++;
  return end - from >= 8 && digits > 0 ? [from, end] : undefined;
}

/** RFC 6750's b64token, but for +, which stands for a space. */
function isOfBearer(code: number): boolean {
  return is(code, TOKEN) || code === Char.DOT || code === Char.SLASH || code === Char.EQUALS || code === 0x7e;
}

/** Longest folder's name and longest secret that are looked at. */
const LONGEST_FOLDER = 32;
const LONGEST_SECRET = 512;

/** How many folders behind a telling one are looked at: /reset/MQ/c0ab12-2f3d... (Django) has the secret in the second. */
const FOLDERS = 2;

/**
 * The secret in one of the folders behind a telling one, such as /reset-password/... , whose / stands at `at`.
 * @returns where it begins and ends; undefined: there is none.
 */
export function findFolderSecret(text: DecodedText, at: number): [number, number] | undefined {
  const { codes } = text;
  const nameEnd = folderEnd(text, at + 1, LONGEST_FOLDER);
  if (nameEnd === at + 1 || nameEnd >= text.length || codes[nameEnd] !== Char.SLASH) return undefined;
  const name = findName(codes, at + 1, nameEnd);
  if ((name & (Name.BEFORE_SECRETS | Name.MAYBE_BEFORE_SECRETS)) === 0) return undefined;
  const least = (name & Name.BEFORE_SECRETS) === 0 ? Strength.KEY : Strength.MIXED;
  let from = nameEnd + 1;
  for (let folder = 0; folder < FOLDERS; folder++) {
    const end = folderEnd(text, from, LONGEST_SECRET);
    if (strengthOf(codes, from, end) >= least) return [from, end];
    if (codes[end] !== Char.SLASH || end >= text.length) return undefined;
    from = end + 1;
  }
  return undefined;
}

/** Folders of secrets are base64url with its padding; a . is in them, too. */
function folderEnd({ codes, length }: DecodedText, from: number, longest: number): number {
  let end = from;
  while (end < length && end - from < longest && isOfFolder(codes[end]!)) end++;
  return end;
}

function isOfFolder(code: number): boolean {
  return is(code, TOKEN) || code === Char.DOT || code === Char.EQUALS;
}
