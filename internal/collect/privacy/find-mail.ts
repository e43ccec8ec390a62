import { parse } from "tldts";
import { DIGIT, HOST, is, LOCAL } from "./char-classes.ts";
import { Char, type DecodedText } from "./decoded-text.ts";
import { WordTrie } from "./word-trie.ts";

/** What the last label of a host may be: bits. */
const Label = { FILE: 1, AFTER_VERSION: 2, RESERVED: 4 } as const;

const LABELS = new WordTrie([
  {
    // How names of files end that are no top-level domain: logo@2x.png, vue@3.js.
    words: `png jpg jpeg jpe gif webp svg avif heic bmp ico tif tiff psd eps js mjs cjs jsx ts tsx vue svelte css scss
      sass less json xml yaml yml csv tsv txt rtf html htm xhtml php asp aspx jsp map wasm woff ttf otf eot mpg mpeg
      webm ogg wav flac pdf doc docx xls xlsx ppt pptx gz tgz bz tar rar exe dmg apk ipa jar min bak tmp log`,
    bits: Label.FILE,
  },
  {
    // Of these, and of what versions are called, only a version before it tells that it is no address: pkg@1.0.zip.
    words: `zip mov ai md sh py rs ps pl cc so app alpha beta rc next canary dev pre nightly snapshot final release
      latest prod esm umd cdn bundle module`,
    bits: Label.AFTER_VERSION,
  },
  {
    // Nobody can register these; addresses within a company or in examples have them (RFC 6761, 8375).
    words: "example test invalid localhost local internal intranet corp lan home arpa",
    bits: Label.RESERVED,
  },
]);

/**
 * The mail address around an @, as it would be written: what is before it up to a character that no address has,
 * a host behind it.
 * @param at where the @ stands. @param earliest where the address may begin.
 * @returns where it begins and ends; undefined when it is none, such as a picture's name or a package's version.
 */
export function findMail(text: DecodedText, at: number, earliest: number): [number, number] | undefined {
  const from = localStart(text, at, earliest);
  if (from === at) return undefined;
  const to = hostEnd(text, at + 1);
  return to === -1 ? undefined : [from, to];
}

/** Up to the name of a parameter: the first = behind what parts parameters. */
function localStart({ codes }: DecodedText, at: number, earliest: number): number {
  let from = at;
  let afterEquals = at;
  while (from > earliest && is(codes[from - 1]!, LOCAL)) {
    from--;
    if (codes[from] === Char.EQUALS && from + 1 < at) afterEquals = from + 1;
  }
  return afterEquals < at ? afterEquals : from;
}

/** Where the host ends: with the last label that may be a top-level domain. -1: it is none. */
function hostEnd(text: DecodedText, start: number): number {
  const { codes, length } = text;
  let end = -1;
  let lastDot = -1;
  let labelStart = start;
  let firstEnd = -1;
  let isLetters = true;
  let at = start;
  for (; at < length && is(codes[at]!, HOST); at++) {
    if (codes[at] !== Char.DOT) {
      isLetters &&= isLetter(codes[at]!);
      continue;
    }
    if (at === labelStart) break;
    if (firstEnd === -1) firstEnd = at;
    else if (isTopLevel(text, labelStart, at, isLetters)) [end, lastDot] = [at, labelStart];
    labelStart = at + 1;
    isLetters = true;
  }
  if (firstEnd !== -1 && isTopLevel(text, labelStart, at, isLetters)) [end, lastDot] = [at, labelStart];
  if (end === -1) return -1;
  const last = LABELS.find(codes, lastDot, end);
  if ((last & (Label.FILE | Label.AFTER_VERSION)) !== 0 && isVersion(text, start, firstEnd)) return -1;
  return end === at && (last & Label.FILE) === 0 ? end : knownHostEnd(text, start, end);
}

/** How many labels may be too many: jane@example.org.tar.gz has two. */
const MOST_TRIES = 3;

/** Of jane@example.org.pdf, where the host ends that is one beyond doubt. */
function knownHostEnd(text: DecodedText, start: number, end: number): number {
  let to = end;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    let dot = to - 1;
    while (dot > start && text.codes[dot] !== Char.DOT) dot--;
    if (dot === start) return -1;
    const last = LABELS.find(text.codes, dot + 1, to);
    if ((last & Label.RESERVED) !== 0) return to;
    if ((last & Label.FILE) === 0 && isKnownTopLevel(text.slice(dot + 1, to))) return to;
    to = dot;
  }
  return -1;
}

/** The label is all that is looked at, and it is one. */
const PARSING = { extractHostname: false, validateHostname: false, detectIp: false };

function isKnownTopLevel(label: string): boolean {
  return label.length < 64 && parse(`a.${label.toLowerCase()}`, PARSING).isIcann === true;
}

function isTopLevel({ codes }: DecodedText, from: number, to: number, isLetters: boolean): boolean {
  const isPuny = to - from > 4 && codes[from + 2] === Char.MINUS && codes[from + 3] === Char.MINUS;
  return to - from >= 2 && (isLetters || isPuny) && to - from <= 63;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return code > 0x7f || (lower >= 0x61 && lower <= 0x7a);
}

/** 3, v2, 2x (a picture for screens of twice the pixels); longer numbers are hosts too, such as 163.com. */
function isVersion({ codes }: DecodedText, from: number, to: number): boolean {
  let [first, last] = [from, to];
  if ((codes[first]! | 0x20) === 0x76) first++;
  if ((codes[last - 1]! | 0x20) === 0x78) last--;
  const digits = last - first;
  return (digits === 1 || digits === 2) && is(codes[first]!, DIGIT) && is(codes[last - 1]!, DIGIT);
}
