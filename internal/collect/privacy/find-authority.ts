import { is, WORD } from "./char-classes.ts";
import { Char } from "./decoded-text.ts";
import { telEnd } from "./find-numbers.ts";
import { isEnd } from "./find-parameters.ts";
import { isAt } from "./find-tokens.ts";
import type { Find, Scan } from "./scan.ts";

const BACKSLASH = 0x5c;

/** At a colon: user and password before a host, and the number behind `tel:`. */
export const authority: Find = (scan, at) => {
  if (isTel(scan, at)) {
    const end = telEnd(scan.text, at + 1);
    if (end !== -1) return scan.cut(at + 1, end);
  }
  const { codes, length } = scan.text;
  if (codes[at + 1] !== Char.SLASH || codes[at + 2] !== Char.SLASH || at === 0 || !is(codes[at - 1]!, WORD))
    return at + 1;
  let end = at + 3;
  // What stands behind a user without a host is as if it stood behind the slashes.
  for (let userEnd = end; userEnd === end; ) {
    let from = end;
    while (from < length && (codes[from] === Char.SLASH || codes[from] === BACKSLASH)) from++;
    userEnd = -1;
    for (end = from; end < length && !isAfterAuthority(codes[end]!); end++)
      if (codes[end] === Char.AT) userEnd = end + 1;
    if (userEnd !== -1) scan.cut(from, userEnd, "");
  }
  return Math.max(end, at + 1);
};

function isTel({ text }: Scan, at: number): boolean {
  if (at < 3 || !isAt(text, at - 3, "tel")) return false;
  return at === 3 || !(is(text.codes[at - 4]!, WORD) || text.codes[at - 4] === Char.SLASH);
}

function isAfterAuthority(code: number): boolean {
  return (
    isEnd(code) ||
    code <= Char.SPACE ||
    code === Char.SLASH ||
    code === Char.QUESTION ||
    code === Char.QUOTE ||
    code === BACKSLASH
  );
}
