/** What stands behind a field's tag, as far as finding it goes. */
export const Kind = { NONE: 0, TEXT: 1, NUMBER: 2, MESSAGE: 3 } as const;

/** The fields of a message by their numbers, and where its words begin in the array that it is read into. */
export interface Shape {
  readonly base: number;
  readonly words: number;
  readonly kinds: Uint8Array;
}

const KINDS = { t: Kind.TEXT, n: Kind.NUMBER, m: Kind.MESSAGE } as const;

/** @param fields one letter for each field number from 1: t(ext), n(umber), m(essage), and a dot for none. */
function shape(fields: string, base = 0): Shape {
  const kinds = Uint8Array.from([Kind.NONE, ...fields].map((letter) => KINDS[letter as "t"] ?? Kind.NONE));
  return { base, words: 2 * kinds.length, kinds };
}

/** The messages of event.proto; a test compares them with its descriptors. */
export const EVENT = shape("ttmttttttt" + "mmmm......" + "...m");
export const TIMESTAMP = shape("nn", EVENT.words);
export const SCREEN = shape("nn", TIMESTAMP.base + TIMESTAMP.words);
export const ORDER = shape("tnnnntt", SCREEN.base + SCREEN.words);
export const REFUND = shape("ttntm", ORDER.base + ORDER.words);
export const PROPERTY = shape("tt");
export const ITEM = shape("tttttn.n");

/** Words of an event without its properties and items. */
export const WORDS = REFUND.base + REFUND.words;

/** Where a field of the event itself has its two words. */
export const at = {
  eventId: 2 * 1,
  name: 2 * 2,
  clientTime: 2 * 3,
  visitorId: 2 * 4,
  sessionId: 2 * 5,
  url: 2 * 6,
  referrer: 2 * 7,
  userAgent: 2 * 8,
  ip: 2 * 9,
  language: 2 * 10,
  screen: 2 * 11,
  order: 2 * 13,
  refund: 2 * 24,
  seconds: TIMESTAMP.base + 2 * 1,
  nanos: TIMESTAMP.base + 2 * 2,
  width: SCREEN.base + 2 * 1,
  height: SCREEN.base + 2 * 2,
} as const;
