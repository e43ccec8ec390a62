/** Bits of what a character may be part of. */
export const DIGIT = 1;
/** Letters and digits; all beyond ASCII count as letters. */
export const WORD = 2;
/** Before a mail address's @: RFC 5322's atext and dots, and = which names of parameters end with. */
export const LOCAL = 4;
/** Of a host's name. */
export const HOST = 8;
/** Of a token: base64url and its padding. */
export const TOKEN = 16;
/** What parts the digits of a phone's or card's number. */
export const GAP = 32;

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";

const classes = new Uint8Array(1 << 16).fill(WORD | LOCAL | HOST);
classes.fill(0, 0, 0x80);
const mark = (chars: string, bits: number) => {
  for (const char of chars) classes[char.charCodeAt(0)]! |= bits;
};
mark(LETTERS, WORD | LOCAL | HOST | TOKEN);
mark(DIGITS, DIGIT | WORD | LOCAL | HOST | TOKEN);
mark("!#$%'*+-=^_`{|}~.".replace("#", ""), LOCAL);
mark("-.", HOST);
mark("-_", TOKEN);
mark(" -.()/+", GAP);

/** Whether a character is of some class. */
export function is(code: number, bits: number): boolean {
  return (classes[code]! & bits) !== 0;
}
